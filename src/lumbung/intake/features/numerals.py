"""Numbers in narratives, in digits (`50.000`, `50rb`) and in words (`lima puluh ribu`)."""

from __future__ import annotations

import re
from collections.abc import Sequence

DIGITS = {"nol": 0, "satu": 1, "dua": 2, "due": 2, "tiga": 3, "tige": 3, "empat": 4, "lima": 5,
           "lime": 5, "enam": 6, "tujuh": 7, "delapan": 8, "lapan": 8, "sembilan": 9,
           "sepuluh": 10, "sebelas": 11, "seratus": 100, "seribu": 1000, "setengah": 0,
           "cepek": 100_000, "goban": 50_000, "gocap": 50_000, "ceban": 10_000,
           "noban": 20_000}  # fmt: skip
TENS = {"belas": 10, "puluh": 10, "puluhan": 10, "lusin": 12, "ratus": 100, "ratusan": 100}
POWERS = {"ribu": 1000, "rb": 1000, "rebu": 1000, "k": 1000, "ribuan": 1000, "juta": 1_000_000,
           "jt": 1_000_000, "jutaan": 1_000_000, "miliar": 1_000_000_000}  # fmt: skip


def is_numeral(word: str) -> bool:
    """Whether a word is a number, or a part of one."""
    return word[0].isdecimal() or word in DIGITS or word in TENS or word in POWERS


def parse_number(words: Sequence[str]) -> tuple[int, int]:
    """The number with which some words begin, and how many words it has (at least one).

    `50.000`, `50 ribu`, `50rb` and `lima puluh ribu` are the same number.
    """
    total = group = step = 0
    for word in words:
        if word[:1].isdecimal():
            if step:
                break
            group = _parse_digits(word)
        elif word in DIGITS:
            group += DIGITS[word]
        elif word in TENS and step:
            group = group + 10 if word == "belas" else max(group, 1) * TENS[word]
        elif word in POWERS and step:
            # "cepek" is 100.000, and "cepek ribu" is 100.000 too
            total += group if group >= 10_000 else max(group, 1) * POWERS[word]
            group = 0
        else:
            break
        step += 1
    return min(total + group, 10**15), max(step, 1)


def _parse_digits(word: str) -> int:
    """`1.500.000` is 1500000; `19.30`, a time, is its hour."""
    parts = re.split("[.,]", word)
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]):
        return int("".join(parts)[:15])
    return int(parts[0][:15])
