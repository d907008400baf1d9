"""Whether everything is there: what the store covers of the log and of what clients numbered, asked all the time."""
