"""Emit the calls of a large language model to Tidemark."""
