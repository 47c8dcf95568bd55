"""The one rounding of published numbers: half up, once, from the exact value.

Half up on the decimal value (0.25 is 0.3, -0.25 is -0.3), as Indonesian official statistics round.
A float is refused by the types: 0.285 as a float is a little less, and rounds to 0.28.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

Exact = int | Decimal | Fraction
"""A number without a rounding error."""


def half_up(value: Exact, places: int = 0) -> Decimal:
    """The number rounded to `places` decimals, and with that many decimals."""
    exact = abs(Fraction(value)) * 10**places
    rounded = (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)
    return Decimal(rounded if value >= 0 else -rounded).scaleb(-places)


def whole_percent(percent: Exact) -> Decimal:
    """A share of 0 to 100 per cent as a whole number; 0 and 100 only where exact."""
    rounded = half_up(percent)
    return min(max(rounded, Decimal(1)), Decimal(99)) if 0 < percent < 100 else rounded
