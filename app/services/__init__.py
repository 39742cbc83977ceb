"""The shop's use cases and background work, put together from rules and storage."""
