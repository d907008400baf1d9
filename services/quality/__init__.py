"""How good a response is: against a reference, by its own probabilities, and by what people said of it."""
