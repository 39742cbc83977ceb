"""The demonstration shop: a site with made-up books, to scrape and to look at."""
