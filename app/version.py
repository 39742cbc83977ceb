"""The version of what clients see; a change of any answer's shape changes it."""

API_VERSION = "1.0.0"
