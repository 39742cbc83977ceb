"""The version that clients see, also in ETags; a release raises it."""

import scraper

API_VERSION = scraper.__version__
