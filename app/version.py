"""The version of what clients see; a change of any response's shape changes it."""

import scraper

API_VERSION = scraper.__version__
