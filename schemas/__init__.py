"""The vocabulary that services share: topics, messages, ids and tables."""
