"""The rounding of all published numbers: half away from zero, once, from the exact value.

0.25 is rounded to 0.3 and -0.25 to -0.3, as in Indonesian official statistics. The types do not
allow a float: 0.285 as a float is slightly smaller and would be rounded to 0.28.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

Exact = int | Decimal | Fraction
"""A number without a rounding error."""


def half_up(value: Exact, places: int = 0) -> Decimal:
    """Return the number rounded to `places` decimals, and with that many decimals."""
    exact = abs(Fraction(value)) * 10**places
    rounded = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return Decimal(rounded if value >= 0 else -rounded).scaleb(-places)


def whole_percent(percent: Exact) -> Decimal:
    """Return a share of 0 to 100 per cent as a whole number; 0 and 100 only if exact."""
    rounded = half_up(percent)
    return min(max(rounded, Decimal(1)), Decimal(99)) if 0 < percent < 100 else rounded
