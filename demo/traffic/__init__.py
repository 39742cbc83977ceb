"""Visitors of the bookstore."""
