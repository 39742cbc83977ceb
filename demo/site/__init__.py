"""The demonstration shop: made-up books, and a site that shows them."""
