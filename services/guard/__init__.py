"""Personal data, secrets and leaks in prompts and responses."""
