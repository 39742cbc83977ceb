"""Read every book of a shop like books.toscrape.com, independently of the application that uses it."""

__version__ = "1.0.0"
"""The project's version, stated here alone: this package imports no other, and `app` imports this one."""
