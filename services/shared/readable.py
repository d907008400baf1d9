"""Numbers as people read them."""


def readable(value: float) -> str:
    """Three digits that matter, and from a thousand on every whole one.

    >>> readable(0.012345), readable(12.345), readable(999.6), readable(12_345.6), readable(1e18)
    ('0.0123', '12.3', '1,000', '12,346', '1e+18')
    """
    return f"{value:,.0f}" if 999.5 <= abs(value) < 1e15 else f"{value:.3g}"
