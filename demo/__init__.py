"""The whole bookstore on one machine, without a network: a shop to scrape, visitors, and their starter."""
