"""The routes: each parses its input, calls one thing and presents what came back."""
