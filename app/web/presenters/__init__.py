"""The JSON that clients see, one module a feature, field by field."""
