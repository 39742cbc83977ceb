"""Metrics for the pages: from Prometheus, or from readings of the API's `/metrics`."""
