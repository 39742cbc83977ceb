"""One verb each: what the shop does, put together from rules and storage."""
