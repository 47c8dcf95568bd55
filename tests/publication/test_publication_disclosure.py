"""Whoever knows the rule and every published total cannot recompute a hidden cell."""

from __future__ import annotations

import itertools
from collections import defaultdict

import pytest

from lumbung.publication.disclosure import GROUPS, district_figures, suppress


@pytest.mark.parametrize(("threshold", "sizes", "most"), [(3, range(2, 6), 7), (4, [2, 3, 4], 9)])
def test_no_hidden_cell_can_be_recomputed(threshold: int, sizes: list[int], most: int) -> None:
    """Of every column there is, keep those that would be shown just so: none fixes a small cell."""
    attacked = 0
    for size in sizes:
        worlds: dict[tuple[object, ...], list[tuple[int, ...]]] = defaultdict(list)
        for column in itertools.product(range(most + 1), repeat=size):
            worlds[*suppress(column, threshold), sum(column)].append(column)
        for (*shown, _), possible in worlds.items():
            assert all(s in (None, v) for s, v in zip(shown, possible[0], strict=True))
            if None not in shown:
                assert len(possible) == 1
                assert not any(0 < value < threshold for value in possible[0])
            for n, value in enumerate(shown):
                if value is None and max(sum(column) for column in possible) <= most:
                    assert len({column[n] for column in possible}) > 1, (shown, possible)
                    attacked += 1
                elif value is not None:
                    assert value == 0 or value >= threshold  # type: ignore[operator]
    assert attacked > 300


def test_naive_suppression_is_broken_by_the_same_attack() -> None:
    """The attack works: hiding small cells alone gives them away."""
    column = [1, 5, 0, 7]
    naive = [None if 0 < v < 3 else v for v in column]
    left = sum(column) - sum(v or 0 for v in naive)
    assert naive.count(None) == 1
    assert left == 1


@pytest.mark.parametrize(
    ("column", "shown"),
    [
        ([0, 0, 0], [0, 0, 0]),
        ([3, 0, 8], [3, 0, 8]),
        ([1, 5, 0, 7], [None, None, 0, 7]),
        ([2, 2, 9], [None, None, None]),
        ([1, 2, 9], [None, None, 9]),
        ([0, 1, 2], [None, None, None]),
        ([1, 1, 9, 4], [None, None, 9, None]),
        ([6, 3, 3, 2], [6, None, None, None]),
        ([1, 0, 0], [None, None, None]),
    ],
)
def test_columns(column: list[int], shown: list[int | None]) -> None:
    assert suppress(column, 3) == shown


def test_districts_sum_to_the_regency() -> None:
    districts = [("19.01", f"19.01.0{n}", f"Kecamatan {n}") for n in (1, 2, 3)]
    counts = [
        ("19.01", "19.01.01", "PU", 7),
        ("19.01", "19.01.02", "PU", 4),
        ("19.01", "", "ASN", 5),
        ("19.01", "19.01.03", "KADES", 6),
        ("19.01", "19.01.03", "XYZ", 3),
    ]
    found = {(d, g): v for _, d, _, g, v in district_figures(counts, districts, 3)}
    assert set(found) == {(d, g) for d in ("19.01.01", "19.01.02", "19.01.03", "") for g in GROUPS}
    nonzero = {key: value for key, value in found.items() if value != 0}
    assert nonzero == {
        ("19.01.01", "UANG"): 7,
        ("19.01.02", "UANG"): 4,
        ("", "NETRAL"): 5,
        ("19.01.03", "NETRAL"): 6,
        ("19.01.03", "LAIN"): 3,
    }
