"""Parse listing pages and product pages: the mark-up of django-oscar as books.toscrape.com shows it."""

from scraper.listing import Listing, parse_listing
from scraper.product import parse_product

__all__ = ["Listing", "parse_listing", "parse_product"]
