"""What windows about Tidemark itself, and nobody's application, are kept under."""

from schemas.messages import Segment

# The underscore keeps it apart from those who send calls.
PLATFORM = Segment(tenant="_tidemark", app="tidemark", environment="platform", version="1")
