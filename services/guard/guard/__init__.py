"""What guard looks for: one idea a file; `joined.py` makes one scorer of them."""
