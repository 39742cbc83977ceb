"""What the shop tells about itself."""
