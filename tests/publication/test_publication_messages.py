"""Numbers, dates and lists as Indonesian readers expect them."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from lumbung.publication import messages as m


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1.000"),
        (1_084_999, "1.084.999"),
        (-12_345, "−12.345"),
        (None, "n/a"),
    ],
)
def test_counts(value: int | None, printed: str) -> None:
    assert m.number(value) == printed


@pytest.mark.parametrize(
    ("value", "printed"), [(3, "+3"), (-2, "−2"), (0, "0"), (None, "n/a"), (1200, "+1.200")]
)
def test_differences(value: int | None, printed: str) -> None:
    assert m.signed(value) == printed


def test_measures_have_a_decimal_comma() -> None:
    assert m.decimal(1234.56) == "1.234,6"
    assert m.decimal(-0.25, 2) == "−0,25"


@pytest.mark.parametrize(
    ("part", "whole", "printed"),
    [
        (374, 393, "95\u00a0%"),
        (47, 47, "100\u00a0%"),
        (513, 514, "99\u00a0%"),  # not all: never 100
        (1, 514, "1\u00a0%"),  # not none: never 0
        (0, 47, "0\u00a0%"),
        (0, 0, "n/a"),
    ],
)
def test_shares(part: int, whole: int, printed: str) -> None:
    assert m.percent(part, whole) == printed


def test_dates() -> None:
    assert m.weekday(date(2024, 11, 11)) == "Senin, 11 November 2024"
    assert m.weekday(date(2024, 8, 30)) == "Jumat, 30 Agustus 2024"
    assert m.week_range(date(2024, 11, 18)) == "18–24 November 2024"
    assert m.week_range(date(2024, 10, 28)) == "28 Oktober–3 November 2024"
    assert m.week_range(date(2024, 12, 30)) == "30 Desember 2024–5 Januari 2025"


def test_moments_are_in_wib() -> None:
    late = datetime(2024, 11, 10, 23, 5, tzinfo=UTC)
    assert m.moment(late) == "Senin, 11 November 2024 pukul 06.05\u00a0WIB"


def test_lists() -> None:
    assert m.listing(["a"]) == "a"
    assert m.listing(["a", "b"]) == "a dan b"
    assert m.listing(["a", "b", "c"]) == "a, b, dan c"


def test_changes_in_words() -> None:
    assert m.change(14, 11) == "naik 3 dari pekan sebelumnya (11)"
    assert m.change(9, 1200) == "turun 1.191 dari pekan sebelumnya (1.200)"
    assert m.change(4, 4) == "sama dengan pekan sebelumnya"
    assert m.change(4, None) == "tanpa pembanding dari pekan sebelumnya"


def test_every_allegation_is_a_dugaan() -> None:
    """ "pelanggaran" never stands in a sentence as a fact."""
    neutral = ("Jenis pelanggaran", "Penanganan Pelanggaran", "jenis pelanggaran")
    sentences = [*m.TEXT.values(), *m.METHOD]
    about = [s for s in sentences if "pelanggaran" in s.lower()]
    assert len(about) > 10
    for sentence in about:
        text = sentence
        for words in neutral:
            text = text.replace(words, "")
        assert text.lower().count("pelanggaran") == text.lower().count("dugaan pelanggaran"), text
