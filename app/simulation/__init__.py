"""Fault injection and the simulated payment gateway, off until set; the factory wraps the services with them."""
