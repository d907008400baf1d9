"""Windows in, alerts out."""
