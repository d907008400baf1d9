"""Scores in, windows out."""
