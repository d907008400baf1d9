"""Embeddings in, drift windows out."""
