"""Training of the injection heads."""
