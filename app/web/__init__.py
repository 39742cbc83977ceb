"""What all blueprints share: access, parsing, responses, errors, schemas and presenters."""
