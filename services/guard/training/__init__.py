"""Training of what the guard ships."""
