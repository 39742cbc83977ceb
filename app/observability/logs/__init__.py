"""The log: written, masked, rotated, read and followed."""
