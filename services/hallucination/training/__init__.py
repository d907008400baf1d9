"""Training of the hallucination head."""
