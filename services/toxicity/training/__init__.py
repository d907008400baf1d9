"""Training of the toxicity head."""
