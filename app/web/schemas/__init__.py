"""The shapes of what comes in and goes out, which validate requests and make the OpenAPI document."""
