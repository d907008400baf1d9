"""Time, token, cost and error measures of every call."""
