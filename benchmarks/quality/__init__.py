"""The quality report: what every scorer is worth, source by source, beside simple baselines."""
