"""Whoever knows the rule and every published total cannot recompute a hidden cell."""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Iterator, Sequence

import psycopg
import pytest
from sample import WEEKS, pass_gate

from lumbung.errors import PublicationError
from lumbung.publication import edition
from lumbung.publication.disclosure import GROUPS, district_figures, period, suppress
from lumbung.settings import Settings


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


def columns(size: int, total: int) -> Iterator[tuple[int, ...]]:
    """Every column of counts with a sum."""
    if size == 1:
        yield (total,)
        return
    for first in range(total + 1):
        for rest in columns(size - 1, total - first):
            yield (first, *rest)


def possible(shown: Sequence[int | None], total: int) -> list[tuple[int, ...]]:
    """Every column that would be shown just so, with that public sum."""
    hidden = [n for n, value in enumerate(shown) if value is None]
    if not hidden:
        return [tuple(value or 0 for value in shown)]
    found = []
    for values in columns(len(hidden), total - sum(value or 0 for value in shown)):
        column = [value or 0 for value in shown]
        for n, value in zip(hidden, values, strict=True):
            column[n] = value
        if suppress(column, 3) == list(shown):
            found.append(tuple(column))
    return found


def test_tables_that_grow_are_broken_by_their_difference() -> None:
    """The attack works: were districts told to date each week, two editions would tell a 2."""
    before, after = (2, 5, 0, 7), (3, 5, 0, 7)
    assert suppress(before, 3) == [None, None, 0, 7]
    assert len({column[0] for column in possible(suppress(before, 3), 14)}) > 1
    pairs = [
        (old, new)
        for old in possible(suppress(before, 3), 14)
        for new in possible(suppress(after, 3), 15)
        if all(b >= a for a, b in zip(old, new, strict=True))
    ]
    assert {old[0] for old, _ in pairs} == {2}


def test_periods_do_not_overlap() -> None:
    assert [period(WEEKS[: n + 1]) for n in range(9)] == (
        [None] * 3 + [("2024-W39", "2024-W42")] * 4 + [("2024-W43", "2024-W46")] * 2
    )


LATE = """
    with cases as (
        select report_id, regency_code, week_id from marts.fct_report
        where record_kind = 'LP' and week_id in ('2024-W40', '2024-W44')
    ),
    moved as (  -- late knowledge: cases turn out to lie in another district of their regency
        update marts.fct_report as r set district_code = (
            select min(d.district_code) from marts.dim_district as d
            where d.regency_code = r.regency_code)
        from cases where cases.report_id = r.report_id and r.regency_code <> '19.00'
        returning 1
    )
    select count(*) from moved"""


def test_all_editions_of_a_campaign_together_give_no_hidden_cell_away(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every table and every sum that was published, by whoever read them all."""
    monkeypatch.setattr(edition.render, "render", lambda e: {"x.html": e.content_hash.encode()})
    monkeypatch.setattr(edition, "find_personal_data", lambda *_: [])
    told: dict[tuple[str, str], list[dict[tuple[str, str, str], int | None]]] = defaultdict(list)
    sums: dict[tuple[str, str, str], int] = {}  # regency, group, week: to date
    groups = {issue: group for group, issues in GROUPS.items() for issue in issues}

    def publish(week: str) -> None:
        edition_id = edition.freeze(week, settings=settings, database_url=url)
        pass_gate(url, edition_id)
        edition.approve(edition_id, by="Ketua Contoh", database_url=url)
        edition.publish(edition_id, settings=settings, database_url=url)
        found = edition.load(edition_id, database_url=url)
        if found.district_weeks is None:
            assert found.district_figures == ()
            return
        told[found.district_weeks].append(
            {
                (d.regency_code, d.group_code, d.district_code): d.count
                for d in found.district_figures
            }
        )

    stale = edition.freeze("2024-W42", settings=settings, database_url=url)
    pass_gate(url, stale)
    for week in WEEKS:
        if week != "2024-W42":  # its draft waits
            publish(week)
        found = edition.load(f"{week}-r1", database_url=url)
        for (figure, issue, regency), value in found.figures.items():
            if figure == "suspected_violation_by_issue":
                key = regency, groups.get(issue, "LAIN"), week
                sums[key] = sums.get(key, 0) + value.to_date
        with psycopg.connect(url) as connection:
            moved = connection.execute(LATE).fetchone()
            assert moved
            assert moved[0] > 5
    # The draft that waited tells the first period as it was before the cases moved.
    with pytest.raises(PublicationError, match="hidden counts would come to light"):
        edition.approve(stale, by="Ketua Contoh", database_url=url)
    publish("2024-W42")

    assert {span: len(tables) for span, tables in told.items()} == {
        ("2024-W39", "2024-W42"): 4,
        ("2024-W43", "2024-W46"): 2,
    }
    attacked = 0
    previous = ""
    for (_, last), tables in sorted(told.items()):
        assert all(table == tables[0] for table in tables)
        shown: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        for (regency, group, _), value in sorted(tables[0].items()):
            shown[regency, group].append(value)
        for (regency, group), column in shown.items():
            total = sums[regency, group, last] - sums.get((regency, group, previous), 0)
            if None not in column or total > 9:
                continue
            candidates = possible(column, total)
            for n, value in enumerate(column):
                if value is None:
                    assert len({candidate[n] for candidate in candidates}) > 1
                    attacked += 1
        previous = last
    assert attacked > 50


def test_weeks_that_were_told_are_told_in_no_other_span(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A week before the first is counted later: the periods move, what was told stays."""
    monkeypatch.setattr(edition.render, "render", lambda e: {"x.html": e.content_hash.encode()})
    monkeypatch.setattr(edition, "find_personal_data", lambda *_: [])

    def draft(week: str) -> str:
        edition_id = edition.freeze(week, settings=settings, database_url=url)
        pass_gate(url, edition_id)
        return edition_id

    def tables(edition_id: str) -> tuple[object, ...]:
        found = edition.load(edition_id, database_url=url)
        return found.district_weeks, found.district_figures

    waiting = draft("2024-W46")
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into reporting.rpt_figure select figure_code, category_code, regency_code,"
            " '2024-W38', period, 0 from reporting.rpt_figure where week_id = '2024-W39'"
        )
    first = draft("2024-W45")
    assert tables(waiting)[0] == ("2024-W43", "2024-W46")
    assert tables(first)[0] == ("2024-W42", "2024-W45")
    edition.approve(first, by="Ketua Contoh", database_url=url)
    edition.publish(first, settings=settings, database_url=url)
    with pytest.raises(PublicationError, match="hidden counts would come to light"):
        edition.approve(waiting, by="Ketua Contoh", database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute("delete from reporting.rpt_figure where week_id = '2024-W38'")
    repeated = draft("2024-W46")
    assert tables(repeated) == tables(first)
    edition.approve(repeated, by="Ketua Contoh", database_url=url)
