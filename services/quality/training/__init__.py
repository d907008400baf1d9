"""Training of the small models of quality."""
