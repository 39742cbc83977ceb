"""Read every book of a shop like books.toscrape.com, independently of the application that uses it."""
