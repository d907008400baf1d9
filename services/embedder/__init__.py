"""Prompts and responses as unit vectors."""
