"""What an application, an environment and a version may be called: keys and paths are made of their names."""

# What stands in keys alone: versions were once registered under labels that no path can hold, and they still serve.
LABEL = r"^[^|\x00-\x1f]+$"

# Keys are joined by | and paths by /, and . and .. are steps in a path. Pydantic's engine knows no lookahead, so the
# last two are said as: something else after at most two dots, or three dots.
NAME = r"^(\.{0,2}[^|/.\x00-\x1f][^|/\x00-\x1f]*|\.{3}[^|/\x00-\x1f]*)$"
