"""The embedder's numbers."""

from prometheus_client import Counter

EMBEDDINGS = Counter("tidemark_embedder_embeddings", "Embeddings made.", ["field"])
