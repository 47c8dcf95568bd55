"""Whether work grows with its input as it should: compared with itself, in processor time.

Processor time of this thread alone, so that other programs on the machine hardly count; and 16
times the input, so that linear work (16 times as much) is distinguished from quadratic (256 times)
by a wide margin. Only what fails three times in a row is said to grow faster.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

TOO_SHORT = 0.02
"""Seconds of what is not worth comparing: quadratic work over 8,000 characters takes longer."""


def spent(act: Callable[[], Any]) -> float:
    """Seconds of processor time."""
    begun = time.thread_time()
    act()
    return time.thread_time() - begun


def is_linear(work: Callable[[Any], Any], make: Callable[[int], Any], most: int = 8_000) -> bool:
    """Whether the work over an input of a size grows about as the size does.

    Args:
        work: over an input that `make` made.
        make: an input of a size.
        most: the greatest size.
    """
    for size in range(8, 200, 4):  # what doubles with a repetition would never come back
        given = make(size)
        if min(spent(lambda given=given: work(given)) for _ in range(2)) > 0.05:  # type: ignore[misc]
            return False
    small, large = make(most // 16), make(most)
    for _ in range(3):
        first = spent(lambda: work(small))
        second = spent(lambda: work(large))
        if second < TOO_SHORT or second < 48 * first:
            return True
    return False
