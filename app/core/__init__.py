"""The shop's rules. Nothing here imports Flask or SQLAlchemy, reads a clock, a file or the network."""
