"""What a response says that its context does not."""
