"""Visitors of the bookstore: a load generator whose requests make sense."""
