"""Training and measuring of the tagger of names and addresses."""
