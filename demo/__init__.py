"""A small bookshop of made-up books, to scrape and to look at without a network."""
