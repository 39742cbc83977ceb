"""The routes: each declares its input, calls a service or the catalogue, and presents the result."""
