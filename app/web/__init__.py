"""What all blueprints share, one room each."""
