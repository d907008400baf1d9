"""One file per question; each prints one JSON object and says how it was measured."""
