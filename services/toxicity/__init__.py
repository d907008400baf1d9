"""Toxicity of prompts and responses, sentence by sentence."""
