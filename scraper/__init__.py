"""Reads every book of a books.toscrape.com-like shop; knows nothing of the application that uses it."""
