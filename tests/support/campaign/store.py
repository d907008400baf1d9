"""Questions to ClickHouse in a process that may be killing it."""

from urllib.request import Request, urlopen


class Store:
    """One ClickHouse over HTTP; every question raises `OSError` while it is away."""

    def __init__(self, url):
        self.url = url

    def rows(self, query):
        """The lines of the answer, split into fields."""
        with urlopen(Request(f"{self.url}/?database=tidemark", query.encode()), timeout=30) as answer:
            return [line.split("\t") for line in answer.read().decode().splitlines()]

    def number(self, query):
        """The one number of the answer."""
        return int(self.rows(query)[0][0])
