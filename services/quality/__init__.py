"""How good the text of a response is."""
