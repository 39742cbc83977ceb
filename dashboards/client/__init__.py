"""HTTP access to the API: one module per feature, on top of `http_client`."""
