"""Whoever knows the rule and every published total cannot recompute a hidden cell."""

from __future__ import annotations

import dataclasses
import io
import itertools
import zipfile
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import psycopg
import pytest
from pypdf import PdfReader

from lumbung.errors import CheckpointError, PublicationError
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication import trace
from lumbung.publication.chapters.assemble import document
from lumbung.publication.checks import checkpoint
from lumbung.publication.checks.disclosure import (
    district_metrics,
    few_cases,
    groups,
    period,
    suppress,
)
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import Settings
from lumbung.warehouse import prevention_effect
from lumbung.warehouse.prevention_effect import Counts, Effect
from tests.publication.conftest import Metrics, copy_of
from tests.support.edition_sample import DETAILS, MONEY, PARTICIPANTS, WEEKS, pass_checkpoint
from tests.support.homes import demo_home


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


@pytest.mark.parametrize("size", [3, 4])
def test_details_of_few_cases_are_nobody_s(size: int) -> None:
    """From the province's details and those shown: no regency with few cases has one value.

    How many cases a regency has is public. The reader knows how many of all hidden cases have some
    attribute; where all of them have it or none has, no table can hide that.
    """
    attacked = 0
    for counts in itertools.product(range(6), repeat=size):
        cases = {f"19.0{n}": count for n, count in enumerate(counts, 1)}
        hidden = few_cases(cases, 3)
        small = [place for place, count in cases.items() if 0 < count < 3]
        assert set(small) <= set(hidden)
        assert all(cases[place] for place in hidden)
        if not small:
            assert hidden == []
            continue
        together = sum(cases[place] for place in hidden)
        if sorted(hidden) == [place for place, count in cases.items() if count]:
            continue  # the cases of the province, which are published
        assert together >= 3
        for having in range(1, together):
            for place in hidden:
                lowest = max(0, having - (together - cases[place]))
                assert lowest < min(cases[place], having)
                attacked += 1
    assert attacked > 10


DISTRICTS = [("19.01", f"19.01.0{n}", f"Kecamatan {n}") for n in (1, 2, 3)]


def cases(district: str, group: str, count: int, first: int = 0) -> list[tuple[str, str, str, str]]:
    """Cases of a district with a theme of a group; named from number `first`, or by their place."""
    named = [
        f"case {n}" if first else f"{district} {group} {n}" for n in range(first, first + count)
    ]
    return [("19.01", district, group, name) for name in named]


def table(rows: list[tuple[str, str, str, str]]) -> dict[tuple[str, str], int | None]:
    return {(d, g): v for _, d, _, g, v in district_metrics(rows, DISTRICTS, 3)}


def test_districts_sum_to_the_regency() -> None:
    found = table(
        [
            *cases("19.01.01", "UANG", 7),
            *cases("19.01.02", "UANG", 4),
            *cases("", "NETRAL", 5),
            *cases("19.01.03", "NETRAL", 6),
            *cases("19.01.03", "LAIN", 3),
        ]
    )
    assert set(found) == {
        (d, g) for d in ("19.01.01", "19.01.02", "19.01.03", "") for g in groups()
    }
    nonzero = {key: value for key, value in found.items() if value != 0}
    assert nonzero == {
        ("19.01.01", "UANG"): 7,
        ("19.01.02", "UANG"): 4,
        ("", "NETRAL"): 5,
        ("19.01.03", "NETRAL"): 6,
        ("19.01.03", "LAIN"): 3,
    }


def test_a_case_counts_once_in_a_group() -> None:
    """Told three times, by three themes of a group, it is one case, and hidden."""
    found = table(3 * cases("19.01.02", "NETRAL", 1))
    hidden = {cell for cell, value in found.items() if value is None}
    assert hidden == {("19.01.01", "NETRAL"), ("19.01.02", "NETRAL"), ("19.01.03", "NETRAL")}
    assert {value for value in found.values() if value is not None} == {0}


def test_columns_that_locate_a_case_are_hidden_together() -> None:
    """All three cases of money politics lie in a district, so the one of them about neutrality."""
    money = cases("19.01.01", "UANG", 3, first=1)
    others = cases("19.01.03", "ISI", 4)
    shared = table([*money, *cases("19.01.01", "NETRAL", 1, first=2), *others])
    assert {g for (_, g), value in shared.items() if value is None} == {"UANG", "NETRAL"}
    apart = table([*money, *cases("19.01.01", "NETRAL", 1, first=9), *others])
    assert {g for (_, g), value in apart.items() if value is None} == {"NETRAL"}
    assert apart["19.01.01", "UANG"] == shared["19.01.03", "ISI"] - 1 == 3  # type: ignore[operator]
    # money politics in two districts: the case may lie in either
    spread = table(
        [*money, *cases("19.01.02", "UANG", 3, first=7), *cases("19.01.01", "NETRAL", 1, first=2)]
    )
    assert {g for (_, g), value in spread.items() if value is None} == {"NETRAL"}
    # neither of two columns locates it alone, both together do: it lies where both have cases
    crossed = table(
        [
            *cases("19.01.01", "UANG", 3, first=1),
            *cases("19.01.02", "UANG", 3, first=4),
            *cases("19.01.01", "ISI", 3, first=1),
            *cases("19.01.03", "ISI", 3, first=7),
            *cases("19.01.01", "NETRAL", 1, first=1),
        ]
    )
    assert {g for (_, g), v in crossed.items() if v is None} == {"UANG", "ISI", "NETRAL"}


THEMES = {"PU": "UANG", "ASN": "NETRAL", "KADES": "NETRAL"}
KINDS = [("PU",), ("ASN",), ("ASN", "KADES"), ("KADES",)]
"""The themes of a case: one, or two of a group."""

World = tuple[tuple[tuple[str, ...], int, int], ...]
"""Cases: themes, district, week."""


def observed(world: World, places: list[tuple[str, str, str]]) -> tuple[object, ...]:
    """What is published of a regency: every week's cases and themes, and the districts' table."""
    metrics = sorted(
        Counter((week, theme) for themes, _, week in world for theme in ("cases", *themes)).items()
    )
    return (*metrics, *(row[-1] for row in district_metrics(rows_of(world), places, 3)))


def rows_of(world: World) -> list[tuple[str, str, str, str]]:
    return [
        ("19.01", f"19.01.0{district}", THEMES[theme], f"{number}")
        for number, (themes, district, _) in enumerate(world)
        for theme in themes
    ]


def counted(world: World, size: int) -> tuple[int, ...]:
    """Every cell as it is: groups in the order of the table, then districts."""
    found = {(group, place, number) for _, place, group, number in rows_of(world)}
    cells = Counter((group, place) for group, place, _ in found)
    return tuple(cells[g, f"19.01.0{n}"] for g in groups() for n in range(1, size + 1))


@pytest.mark.parametrize(("size", "weeks", "most"), [(2, 1, 7), (3, 1, 5), (2, 2, 5)])
def test_no_case_is_reported_by_its_themes(size: int, weeks: int, most: int) -> None:
    """Of all worlds of so few cases, keep those that look just so: no small cell has one value.

    Cases have one theme or two of a group; the reader knows every week's metrics of the regency.
    """
    kinds = list(itertools.product(KINDS, range(1, size + 1), range(weeks)))
    worlds: dict[tuple[object, ...], set[tuple[int, ...]]] = defaultdict(set)
    for count in range(most + 1):
        for world in itertools.combinations_with_replacement(kinds, count):
            worlds[observed(world, DISTRICTS[:size])].add(counted(world, size))
    attacked = 0
    for seen, possible in worlds.items():
        shown = seen[-size * len(groups()) :]
        for n, value in enumerate(shown):
            values = {world[n] for world in possible}
            if value is not None:
                assert values == {value}
                assert value == 0 or value >= 3  # type: ignore[operator]
            else:
                assert len(values) > 1 or min(values) >= 3 or values == {0}, (seen, possible)
                attacked += 1
    assert attacked > 300


THREE_THEMES = """
    with gone as (
        delete from reporting.rpt_metric_contributor
        where metric_code = 'suspected_violation_by_issue' and regency_code = '19.71'
            and week_id between '2024-W43' and '2024-W46'
    ),
    report as (
        insert into marts.fct_report
            (report_id, record_kind, regency_code, district_code, week_id, record_id)
        select 'LP-three', 'LP', '19.71', district_code, '2024-W44',
            (select min(record_id) from raw.record)
        from marts.dim_district where district_name = 'Gabek'
    )
    insert into reporting.rpt_metric_contributor
        (metric_code, category_code, regency_code, week_id, contributor_id)
    select 'suspected_violation_by_issue', theme, '19.71', '2024-W44', 'LP-three'
    from unnest(array['ASN', 'KADES', 'TNIPOL']) as theme"""


def test_one_case_with_three_themes_is_not_three(url: str, settings: Settings) -> None:
    """It printed "Gabek, Netralitas: 3", above the threshold, and the week's metrics named it."""
    with psycopg.connect(url) as connection:
        connection.execute(THREE_THEMES)
    edition_id = freezing.freeze("2024-W46", settings=settings, database_url=url)
    found = store.load(edition_id, database_url=url)
    cells = [d for d in found.district_metrics if d.regency_code == "19.71"]
    assert {d.count for d in cells if d.group_code == "NETRAL"} == {None}
    assert {d.count for d in cells if d.group_code != "NETRAL"} == {0}
    with psycopg.connect(url) as connection:
        assert connection.execute(
            "select category_code, contributor_id from published.metric_contributor where "
            "edition_id = %s"
            " and metric_code = 'district' and regency_code = '19.71'",
            (edition_id,),
        ).fetchall() == [("19.71.06/NETRAL", "LP-three")]
    (page,) = (s for s in document(found).sections if s.id == "kab-19-71")
    assert not any(table.sheet == "districts" for table in page.tables)
    assert "tidak disajikan untuk melindungi orang" in page.paragraphs[0]


OLDER = [  # as an earlier release froze it: by theme, and without a word about the unit
    "set session_replication_role = replica",
    "update published.edition set label = label - 'district_unit' where edition_id = %(edition)s",
    "update published.metric_contributor set category_code = replace(category_code, '/UANG', '/PU')"
    " where edition_id = %(edition)s and metric_code = 'district'",
]


@pytest.mark.usefixtures("paper_as_text")
def test_a_period_that_was_reported_by_themes_is_repeated_so_and_says_so(
    url: str, settings: Settings
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(MONEY)
    older = freezing.freeze("2024-W46", settings=settings, database_url=url)
    pass_checkpoint(url, older)
    review.approve(older, by="Ketua Contoh", database_url=url)
    with psycopg.connect(url) as connection:
        for statement in OLDER:
            connection.execute(statement.encode(), {"edition": older})
    found = store.load(
        freezing.freeze("2024-W47", settings=settings, database_url=url), database_url=url
    )
    assert (found.district_weeks, found.district_unit) == (("2024-W43", "2024-W46"), "theme")
    notes = {
        table.notes[0]
        for section in document(found).sections
        for table in section.tables
        if table.sheet == "districts"
    }
    assert len(notes) == 1
    assert notes.pop().startswith("Jumlah tema, bukan kasus")
    cell = next(d for d in found.district_metrics if d.count)
    reference = f"district/{cell.district_code}/{cell.group_code}/weeks@{found.edition_id}"
    assert trace.trace(reference, database_url=url).value == cell.count
    with pytest.raises(
        CheckpointError, match="contributors_are_the_metric"
    ):  # MONEY is in no metric
        checkpoint.check(found.edition_id, settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        assert connection.execute(
            "select is_passed from ops.check_result"
            " where check_name = 'hidden_cells_cannot_be_recomputed'"
        ).fetchall() == [(True,)]


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
    """The attack works: districts published to date each week reveal a 2 by two editions."""
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


OTHERWISE = """
    update reporting.rpt_metric_contributor set category_code = case category_code
        when 'LP_IN_EVENT' then 'LP_OUTSIDE_EVENT' else 'LP_IN_EVENT' end
    where metric_code = 'suspected_violation_by_context' and category_code like 'LP_%EVENT'
        and week_id in ('2024-W40', '2024-W44')"""
"""Late knowledge: reports turn out to be of what happened during campaign events, or outside."""

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
    monkeypatch.setattr(render, "render", lambda e: {"x.html": e.content_hash.encode()})
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])
    reported: dict[tuple[str, str], list[dict[tuple[str, str, str], int | None]]] = defaultdict(
        list
    )
    sums: dict[tuple[tuple[str, str], str, str], int] = {}  # weeks, regency, group: cases
    details: dict[tuple[str, str], dict[tuple[str, str, str], int | None]] = {}
    with psycopg.connect(url) as connection:
        connection.execute(MONEY)

    def publish(week: str) -> None:
        edition_id = freezing.freeze(week, settings=settings, database_url=url)
        pass_checkpoint(url, edition_id)
        review.approve(edition_id, by="Ketua Contoh", database_url=url)
        publishing.publish(edition_id, settings=settings, database_url=url)
        found = store.load(edition_id, database_url=url)
        weekly = [
            *found.metrics,
            *((r.metric_code, "", r.regency_code) for r in found.restatements),
        ]
        assert {place for code, _, place in weekly if code in DETAILS} == {"19"}
        if found.district_weeks is None:
            assert (found.district_metrics, found.details) == ((), {})
            return
        assert details.setdefault(found.district_weeks, found.details) == found.details
        with psycopg.connect(url) as connection:
            for regency, group, count in connection.execute(
                "select regency_code, split_part(category_code, '/', 2), count(*)"
                " from published.metric_contributor where edition_id = %s"
                " and metric_code = 'district' group by 1, 2",
                (edition_id,),
            ):
                key = found.district_weeks, regency, group
                assert sums.setdefault(key, count) == count
        reported[found.district_weeks].append(
            {
                (d.regency_code, d.group_code, d.district_code): d.count
                for d in found.district_metrics
            }
        )

    stale = freezing.freeze("2024-W42", settings=settings, database_url=url)
    pass_checkpoint(url, stale)
    assert any(d.count for d in store.load(stale, database_url=url).district_metrics)
    for week in WEEKS:
        if week != "2024-W42":  # its draft waits
            publish(week)
        with psycopg.connect(url) as connection:
            moved = connection.execute(LATE).fetchone()
            assert moved
            assert moved[0] > 5
            assert connection.execute(OTHERWISE).rowcount > 5
    # The draft that waited has the first period as it was before the cases moved.
    with pytest.raises(PublicationError, match="would disclose hidden counts"):
        review.approve(stale, by="Ketua Contoh", database_url=url)
    publish("2024-W42")

    assert {span: len(tables) for span, tables in reported.items()} == {
        ("2024-W39", "2024-W42"): 4,
        ("2024-W43", "2024-W46"): 2,
    }
    assert {
        weeks: sum(value is None for value in found.values()) > 50
        for weeks, found in details.items()
    } == dict.fromkeys(reported, True)
    attacked = 0
    for weeks, tables in sorted(reported.items()):
        assert all(table == tables[0] for table in tables)
        shown: dict[tuple[str, str], list[int | None]] = defaultdict(list)
        for (regency, group, _), value in sorted(tables[0].items()):
            shown[regency, group].append(value)
        for (regency, group), column in shown.items():
            # a reader knows no more than the sum of a group's themes; this one knows its cases
            total = sums.get((weeks, regency, group), 0)
            if None not in column or total > 9:
                continue
            is_whole = set(column) == {None}  # perhaps for the sake of another column
            candidates = [*columns(len(column), total)] if is_whole else possible(column, total)
            for n, value in enumerate(column):
                if value is None:
                    assert len({candidate[n] for candidate in candidates}) > 1
                    attacked += 1
    assert attacked > 50


def test_details_are_repeated_from_the_first_edition_that_published_them(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The districts' first edition may be of an earlier release, or of a period without a case."""
    monkeypatch.setattr(render, "render", lambda e: {"x.html": e.content_hash.encode()})

    def draft(week: str) -> tuple[str, dict[tuple[str, str, str], int | None]]:
        edition_id = freezing.freeze(week, settings=settings, database_url=url)
        return edition_id, store.load(edition_id, database_url=url).details

    def approve(edition_id: str) -> None:
        pass_checkpoint(url, edition_id)
        review.approve(edition_id, by="Ketua Contoh", database_url=url)

    for week, label in (
        ("2024-W42", """label || '{"few_cases": []}'"""),  # no case
        ("2024-W46", "label - 'few_cases'"),  # of an earlier release
    ):
        first, _ = draft(week)
        with psycopg.connect(url) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(
                f"update published.edition set state = 'published', label = {label}"
                " where edition_id = %s".encode(),
                (first,),
            )
            connection.execute(
                "delete from published.metric_contributor"
                " where edition_id = %s and metric_code = 'detail'",
                (first,),
            )
    empty, details = draft("2024-W43")
    assert set(details.values()) == {0}
    approve(empty)
    second, details = draft(WEEKS[-1])
    assert any(details.values())
    approve(second)
    with psycopg.connect(url) as connection:
        assert connection.execute(OTHERWISE).rowcount > 5
    third, repeated = draft(WEEKS[-1])
    assert third != second
    assert repeated == details
    approve(third)


def test_a_published_period_keeps_its_threshold(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another one would hide what was published, or show what was hidden."""
    with psycopg.connect(url) as connection:
        connection.execute(MONEY)
    first = freezing.freeze("2024-W46", settings=settings, database_url=url)
    before = store.load(first, database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update published.edition set state = 'published' where edition_id = %s", (first,)
        )
    office = before.office.model_copy(update={"small_cell_threshold": 50})
    monkeypatch.setattr(freezing, "load_office", lambda _: office)
    monkeypatch.setattr(checkpoint, "render", lambda _: {})
    assert freezing.freeze("2024-W47", settings=settings, database_url=url) == "2024-W47-r1"
    after = store.load("2024-W47-r1", database_url=url)
    assert (before.district_threshold, after.district_threshold) == (3, 3)
    assert any(cell.count for cell in before.district_metrics)
    assert after.district_metrics == before.district_metrics
    assert after.details == before.details
    notes = {n for s in document(after).sections for t in s.tables for n in t.notes}
    assert INDONESIAN("detail_note", threshold=3) in notes
    with pytest.raises(CheckpointError):  # nothing was rendered, and money has no contributors here
        checkpoint.check("2024-W47-r1", settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        assert connection.execute(
            "select is_passed from ops.check_result where check_name = 'small_cells_are_hidden'"
        ).fetchall() == [(True,)]
    # a period that nobody has published has the office's
    earlier = freezing.freeze("2024-W42", settings=settings, database_url=url)
    assert store.load(earlier, database_url=url).district_threshold == 50


def test_weeks_that_were_reported_are_reported_in_no_other_span(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A week before the first is counted later: the periods move, published numbers stay."""
    monkeypatch.setattr(render, "render", lambda e: {"x.html": e.content_hash.encode()})
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])

    def draft(week: str) -> str:
        edition_id = freezing.freeze(week, settings=settings, database_url=url)
        pass_checkpoint(url, edition_id)
        return edition_id

    def tables(edition_id: str) -> tuple[object, ...]:
        found = store.load(edition_id, database_url=url)
        return found.district_weeks, found.district_metrics

    waiting = draft("2024-W46")
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into reporting.rpt_metric select metric_code, category_code, regency_code,"
            " '2024-W38', period, 0 from reporting.rpt_metric where week_id = '2024-W39'"
        )
    first = draft("2024-W45")
    assert tables(waiting)[0] == ("2024-W43", "2024-W46")
    assert tables(first)[0] == ("2024-W42", "2024-W45")
    review.approve(first, by="Ketua Contoh", database_url=url)
    publishing.publish(first, settings=settings, database_url=url)
    with pytest.raises(PublicationError, match="would disclose hidden counts"):
        review.approve(waiting, by="Ketua Contoh", database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute("delete from reporting.rpt_metric where week_id = '2024-W38'")
    repeated = draft("2024-W46")
    assert tables(repeated) == tables(first)
    review.approve(repeated, by="Ketua Contoh", database_url=url)


def test_a_comparison_of_before_and_after_is_repeated_until_more_is_compared(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A late case changed the ratio by what its district was: one with an activity, or without."""

    def of_week(number: int, activities: int, ratio: float) -> str:
        """Freeze a week of a world with these activities against money politics."""
        effect = Effect(activities, Counts(9, 6), Counts(30, 28), ratio, ratio / 2, ratio * 2)
        monkeypatch.setattr(prevention_effect, "effects", lambda *_, **__: {"PU": effect})
        return freezing.freeze(WEEKS[number], settings=settings, database_url=url)

    def of(activities: int, ratio: float) -> list[tuple[int, str]]:
        """Freeze the next week and publish nothing; return its comparisons."""
        drafts.append(of_week(len(drafts), activities, ratio))
        found = store.load(drafts[-1], database_url=url).effects or ()
        return [(each.activities, f"{each.ratio}") for each in found]

    def publish() -> None:
        with psycopg.connect(url) as connection:
            connection.execute("set session_replication_role = replica")
            connection.execute(
                "update published.edition set state = 'published' where edition_id = %s",
                (drafts[-1],),
            )

    drafts: list[str] = []
    assert of(6, 0.5) == [(6, "0.50")]
    waiting = drafts[0]
    assert of(6, 0.61) == [(6, "0.61")]  # nobody has published it: today's
    publish()
    assert of(6, 0.5) == of(8, 0.7) == [(6, "0.61")]
    publish()
    assert of(9, 0.7) == [(9, "0.70")]
    # the draft that waited has the comparison as it was before the late case
    pass_checkpoint(url, waiting)
    with pytest.raises(PublicationError, match="would disclose"):
        review.approve(waiting, by="Ketua Contoh", database_url=url)
    publish()
    # a week that was published keeps its own, whatever a later one has published since
    assert of_week(1, 6, 0.61) == drafts[1]


def test_participants_and_target_groups_are_in_no_edition(drafts: dict[str, Edition]) -> None:
    """Two windows of four weeks share three: their difference would be one small meeting."""
    files = render.render(drafts["draft"])
    with zipfile.ZipFile(io.BytesIO(files["edisi.xlsx"])) as book:
        files |= {name: book.read(name) for name in book.namelist()}
    pages = PdfReader(io.BytesIO(files["edisi.pdf"])).pages
    files["edisi.pdf"] = "".join(page.extract_text() for page in pages).encode()
    files["frozen"] = repr(drafts["draft"]).encode()
    assert b"GAP_PU" in files["frozen"]
    hidden = [f"{PARTICIPANTS}", f"{PARTICIPANTS:,}", f"{PARTICIPANTS:,}".replace(",", ".")]
    for name, content in files.items():
        for number in (*hidden, "TOKOH_AGAMA"):
            assert number.encode() not in content, name


EARLIER_NEEDS = [
    f"insert into marts.agg_prevention_need select (jsonb_populate_record(needs,"
    f" jsonb_build_object('week_id', '{week}'))).* from marts.agg_prevention_need as needs"
    f" where week_id = '{WEEKS[-1]}'"
    for week in WEEKS[-4:-1]
]
"""The prevention that the sample has of its last week, in the three weeks before it."""

WHOM_PREVENTION_MET = [
    # one activity of the second of four weeks was of two people of another group
    "update marts.fct_prevention set participant_count = 2 where prevention_id = 'F-19.71-PU-2'",
    "insert into marts.bridge_prevention_target_group (prevention_id, target_group_code)"
    " values ('F-19.71-PU-2', 'PENYANDANG_DISABILITAS')",
    "update marts.agg_prevention_need set done_participant_count = done_participant_count + 2,"
    " reached_group_count = coalesce(reached_group_count, 0) + 1, reached_group_pct = 7,"
    """ done_by_target_group = done_by_target_group || '{"PENYANDANG_DISABILITAS": 1}'"""
    " where (regency_code, issue_code) = ('19.71', 'PU') and week_id >= '2024-W45'",
]


def test_consecutive_editions_do_not_say_whom_prevention_met(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of worlds that differ in the people whom one activity met, all editions are the same.

    So no reader finds them, whichever tables of whichever editions are subtracted.
    """
    monkeypatch.setattr(render, "render", lambda e: {"x.html": e.content_hash.encode()})
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])

    def campaign(world: str, secret: list[str]) -> list[Edition]:
        """Publish the last four weeks of a world, one after the other."""
        settings = demo_home(tmp_path / world, Path(__file__).parents[2])
        with copy_of(server, filled[0]) as url:
            with psycopg.connect(url) as connection:
                for statement in (*EARLIER_NEEDS, *secret):
                    assert connection.execute(statement.encode()).rowcount > 0
            published = []
            for week in WEEKS[-4:]:
                edition_id = freezing.freeze(week, settings=settings, database_url=url)
                pass_checkpoint(url, edition_id)
                review.approve(edition_id, by="Ketua Contoh", database_url=url)
                publishing.publish(edition_id, settings=settings, database_url=url)
                published.append(store.load(edition_id, database_url=url))
        return published

    for one, other in zip(campaign("one", []), campaign("other", WHOM_PREVENTION_MET), strict=True):
        assert {need.done for need in one.needs} > {0}
        times = {name: getattr(one, name) for name in ("frozen_at", "data_at", "decision")}
        assert dataclasses.replace(other, **times) == one


SECRETS = {
    "whose deadlines run": [
        "update marts.fct_deadline set regency_code = case regency_code when '19.71' then '19.05'"
        " when '19.05' then '19.71' else regency_code end"
    ],
    "what came before the campaign": [
        "update reporting.rpt_before_campaign set regency_code = '19.03'"
        " where regency_code = (select min(regency_code) from reporting.rpt_before_campaign)"
    ],
    "which theme a tip names": [
        "insert into marts.bridge_report_issue (report_id, issue_code)"
        " values ('IA-2024-W47-0', 'PU')",
        *(
            f"update marts.{table} set case_count = case_count + 1,"
            " last_4_weeks_count = last_4_weeks_count + 1" + more + " where issue_code = 'PU'"
            for table, more in (
                ("agg_prevention_need", ""),
                (
                    "agg_issue_profile",
                    ", base_count = base_count + 1, share_pct = share_pct + 1,"
                    " province_share_pct = province_share_pct + 1,"
                    " location_quotient = location_quotient + 0.1,"
                    " location_quotient_lower = location_quotient_lower + 0.01,"
                    " location_quotient_upper = location_quotient_upper + 0.01",
                ),
            )
        ),
        # a theme that nothing else in the regency names
        "insert into marts.agg_prevention_need (regency_code, issue_code, week_id, case_count,"
        " last_4_weeks_count, trend_code, is_marked, done_count, planned_count, gap_count)"
        " values ('19.00', 'PENY', '2024-W47', 1, 1, 'steady', false, 0, 0, 0)",
    ],
}
"""Each changes what no edition may give away, and none of what editions publish."""


@pytest.mark.parametrize("secret", SECRETS)
def test_worlds_that_differ_in_a_secret_have_the_same_edition(
    url: str, settings: Settings, secret: str
) -> None:
    """Every file is made of the edition alone: no tables linked, none subtracted give it away."""

    def published() -> Edition:
        edition_id = freezing.freeze("2024-W47", settings=settings, database_url=url)
        return store.load(edition_id, database_url=url)

    before = published()
    with psycopg.connect(url) as connection:
        for statement in SECRETS[secret]:
            assert connection.execute(statement.encode()).rowcount > 0
    after = published()
    assert after.edition_id != before.edition_id
    frozen = ("edition_id", "revision", "frozen_at", "content_hash")
    assert after == dataclasses.replace(before, **{name: getattr(after, name) for name in frozen})
