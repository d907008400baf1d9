"""A retrieval chatbot over Python's own documentation, watched by Tidemark while a bad version goes out."""
