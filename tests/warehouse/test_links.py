"""Cases that may describe one event: found, scored, decided on, never merged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from hashlib import md5
from typing import Any

import psycopg
import pytest

from benchmarks import judge_links
from lumbung.demo.world import CAMPAIGN
from lumbung.errors import ConfigurationError
from lumbung.publication.editions.queries import statement
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from lumbung.warehouse.links import decide
from tests.warehouse.conftest import Raw, query

Demo = tuple[str, Settings, dict[str, Any]]
KEY = (
    "channel", "record_kind", "register_number", "regency_code", "district_code",
    "occurred_date", "received_date", "issues",
)  # fmt: skip
PAIRS = "select report_id_a, report_id_b, state_code from marts.fct_report_pair"


def measure(url: str, truth: dict[str, Any]) -> tuple[int, int, int]:
    """Pairs found rightly, found, and true; cases alike in every fact stand for each other."""
    rows = query(
        url,
        "select report_id, channel, record_kind, lower(register_number), regency_code,"
        " district_code, occurred_date::text, received_date::text,"
        " array(select issue_code from marts.bridge_report_issue as b"
        "  where b.report_id = r.report_id order by 1) from marts.fct_report as r",
    )
    keys = {row[0]: (*row[1:-1], tuple(row[-1])) for row in rows}

    def key(report: dict[str, Any]) -> tuple[Any, ...]:
        values = [report[name] for name in KEY[:-1]]
        values[2] = values[2] and values[2].lower()
        return (*values, tuple(report["issues"]))

    true: dict[frozenset[tuple[Any, ...]], int] = defaultdict(int)
    for first, second in truth["links"]:
        true[frozenset((key(truth["reports"][first]), key(truth["reports"][second])))] += 1
    channels = {row[0]: row[1] for row in rows}
    found = [
        frozenset((keys[a], keys[b]))
        for a, b, _ in query(url, PAIRS)
        if channels[a] != channels[b]  # the truth has no pair within one channel
    ]
    right = sum(min(count, found.count(pair)) for pair, count in true.items())
    return right, len(found), len(truth["links"])


def test_pairs_in_other_words_are_found(new_warehouse: Callable[[], str]) -> None:
    """The goals of the half that is looked at once, on the half that the weights come from."""
    tuned_on = judge_links.CORPUS / "links_tune.jsonl"
    found = judge_links.measure(tuned_on, tuned_on.with_suffix(".csv"), new_warehouse())
    assert found["link_recall"] >= 0.8
    assert found["link_precision"] >= 0.5
    assert found["link_top_precision"] >= 0.95
    assert found["link_recall_first_20"] >= 0.8


LISTED = (
    "select a.source_id, b.source_id, p.class_code, p.weight, p.evidence, p.state_code"
    " from marts.fct_report_pair as p"
    " inner join marts.fct_report as one on p.report_id_a = one.report_id"
    " inner join raw.record as a on one.record_id = a.record_id"
    " inner join marts.fct_report as other on p.report_id_b = other.report_id"
    " inner join raw.record as b on other.record_id = b.record_id order by 1, 2"
)
NUMBER = "{}/LP/PB/Kab/09.01/XI/2024"


@pytest.mark.slow
def test_increments_list_the_pairs_of_a_full_build(warehouse_url: str, office: Settings) -> None:
    """A third case changes no pair, an edited or withdrawn one changes its own; nothing is read."""
    url = warehouse_url
    raw = Raw(url)

    def case(number: str, narrative: str | None, day: int = 5) -> dict[str, Any]:
        return {
            "Nomor": NUMBER.format(number), "Diterima": "2024-11-07", "Kejadian": f"2024-11-0{day}",
            "Kab/Kota": "Bangka", "Kecamatan": "Mendo Barat", "Isu": "politik uang",
            "Uraian": narrative,
        }  # fmt: skip

    def tip(narrative: str) -> dict[str, Any]:
        return {
            "Tanggal": "2024-11-05", "Lokasi": "Kec. Mendo Barat, Bangka", "Isu": "politik uang",
            "Uraian": narrative,
        }  # fmt: skip

    def listed() -> dict[frozenset[str], tuple[Any, ...]]:
        assert not build(settings=office, database_url=url).is_full
        return {frozenset(row[:2]): row[2:] for row in query(url, LISTED)}

    one = NUMBER.format("001")
    raw.land("buku", [case("001", "Kadus Sukardi membagikan beras kepada warga Kace")])
    raw.land(
        "grup",
        [tip("di Kace pak kadus Soekardi bagi2 bereas")],
        ids=["tip"],
        received_at="2024-11-06T05:00Z",
    )
    first = listed()
    assert first.keys() == {frozenset((one, "tip"))}
    ((class_code, _, evidence, _),) = first.values()
    assert class_code == "almost_certain"
    # Kace is named in both texts; the office maps no village of the chat
    assert "village: same +2.8" in evidence
    assert "actor: rare +0.2" in evidence

    # the same actor and village a day later, and another village on the same day
    raw.land("buku", [
        case("002", "Kadus Sukardi membagikan uang di Kace", day=6),
        case("003", "Bidan desa Kemuja mengajak ibu-ibu di posyandu memilih paslon"),
    ])  # fmt: skip
    second = listed()
    assert second[frozenset((one, "tip"))] == first[frozenset((one, "tip"))]
    assert frozenset((NUMBER.format("003"), "tip")) not in second
    weights = {pair: row[1] for pair, row in second.items()}
    later = frozenset((NUMBER.format("002"), "tip"))
    assert later not in weights or weights[later] < weights[frozenset((one, "tip"))]

    raw.land("buku", [case("001", "Bidan Kemuja membagikan uang")])
    third = listed()
    assert frozenset((one, "tip")) not in third
    assert frozenset((one, NUMBER.format("003"))) in third  # both of one bidan and village

    # one legal number under two ids of one channel, weeks and districts apart
    twice = case("009", "Kades Kace mengajak warga") | {"Diterima": "2024-10-07", "Kejadian": None}
    again = case("009", None) | {"Kecamatan": "Riau Silip"}
    raw.land("buku", [twice, again], ids=["twice", "again"])
    assert listed()[frozenset(("twice", "again"))][0] == "almost_certain"

    raw.land("buku", [{}], ids=[NUMBER.format("003")], tombstone=True)
    fourth = listed()
    assert frozenset(("twice", "again")) in fourth
    assert not any(NUMBER.format("003") in pair for pair in fourth)
    incremental = query(url, LISTED)
    assert build(settings=office, database_url=url, full_refresh=True).is_full
    assert query(url, LISTED) == incremental

    for table in ("marts.fct_report_pair", "raw.text_feature"):
        shown = "".join(row for (row,) in query(url, f"select t::text from {table} as t")).lower()
        assert "kardi" not in shown
        assert "beras" not in shown


BLOCK_SIZE = 20
"""`link_block_size` of dbt_project.yml."""


@pytest.mark.slow
def test_alike_tips_beyond_the_bound_are_one_item_for_review(
    warehouse_url: str, office: Settings
) -> None:
    """A stranger may send any number of tips: few pairs, none lost, every tip counted."""
    url = warehouse_url
    raw = Raw(url)
    pairs = (
        "select report_id_a, report_id_b, weight, evidence, state_code from marts.fct_report_pair"
        " order by 1, 2"
    )
    items = (
        "select check_code, regency_code, owner, channel, detail, record_count, since_date::text"
        " from marts.fct_review_item where check_code in ('block_oversized', 'pair_undecided')"
        " and delivery_id is null"
    )

    def tips(first: int, last: int, *, tombstone: bool = False) -> None:
        delivery = {
            "Tanggal": "2024-11-05", "Lokasi": "Kec. Mendo Barat, Bangka", "Isu": "politik uang",
            "Uraian": "bagi beras di Kace",
        }  # fmt: skip
        ids = [f"tip {number}" for number in range(first, last + 1)]
        raw.land("grup", [delivery] * len(ids), ids=ids, tombstone=tombstone,
                 received_at=f"2024-11-06T05:{first:02}Z")  # fmt: skip

    def counts() -> list[tuple[Any, ...]]:
        assert not build(settings=office, database_url=url).is_full
        return query(
            url,
            "select (select count(*) from marts.fct_report),"
            " (select count(*) from marts.fct_report_pair),"
            " (select count(*) from marts.fct_review_item where check_code = 'pair_undecided')",
        )

    # a case of the register and one of a form with the same day, place and theme
    raw.land("buku", [{
        "Nomor": NUMBER.format("001"), "Diterima": "2024-11-07", "Kejadian": "2024-11-05",
        "Kab/Kota": "Bangka", "Kecamatan": "Mendo Barat", "Isu": "politik uang",
        "Uraian": "pembagian beras di Kace",
    }])  # fmt: skip
    raw.land("formulir", [{
        "tanggal": "2024-11-05", "kode": "1901", "kecamatan": "Mendo Barat", "isu": "politik_uang",
    }], received_at="2024-11-06T05:00Z")  # fmt: skip
    tips(1, BLOCK_SIZE)
    build(settings=office, database_url=url)
    all_met = query(url, pairs)
    most = (BLOCK_SIZE + 2) * (BLOCK_SIZE + 1) // 2
    assert len(all_met) == most
    assert query(url, items) == []

    # one more is in no pair, and those that were listed stay
    tips(BLOCK_SIZE + 1, BLOCK_SIZE + 1)
    assert counts() == [(BLOCK_SIZE + 3, most, most)]
    assert query(url, pairs) == all_met
    item = ("block_oversized", "19.01", "analyst", "grup", "Mendo Barat, 2024-11-05, PU")
    assert query(url, items) == [(*item, 1, "2024-11-06")]

    # ten times as many make no more pairs; a person may link any of them
    first, last = (md5(f"grup/tip {number}".encode()).hexdigest() for number in (1, BLOCK_SIZE + 1))
    decide(url, first, last, "same_event", by="analis rekaan")
    tips(BLOCK_SIZE + 2, 10 * BLOCK_SIZE)
    assert counts() == [(10 * BLOCK_SIZE + 2, most + 1, most)]
    linked = tuple(sorted((first, last)))
    assert [row for row in query(url, pairs) if row[:2] != linked] == all_met
    assert query(url, items) == [(*item, 9 * BLOCK_SIZE, "2024-11-06")]

    # where an earlier one is withdrawn, the next takes its place
    decide(url, first, last, "undone", by="analis rekaan")
    tips(2, 2, tombstone=True)
    assert counts() == [(10 * BLOCK_SIZE + 1, most, most)]
    withdrawn, next_one = (
        md5(f"grup/tip {number}".encode()).hexdigest() for number in (2, BLOCK_SIZE + 1)
    )
    compared = {report_id for row in query(url, pairs) for report_id in row[:2]}
    assert compared == {report_id for row in all_met for report_id in row[:2]} - {withdrawn} | {
        next_one
    }
    assert query(url, items) == [(*item, 9 * BLOCK_SIZE - 1, "2024-11-06")]

    # below the bound again, by withdrawals and by a person who excludes one
    tips(BLOCK_SIZE + 2, 10 * BLOCK_SIZE, tombstone=True)
    tips(2, 2)
    query(
        url,
        "insert into ops.exclusion_decision"
        " (channel, source_id, record_id, decision_code, decided_by, reason)"
        " select channel, source_id, record_id, 'excluded', 'rekan', 'rekaan' from raw.record"
        " where source_id = %s",
        f"tip {BLOCK_SIZE + 1}",
    )
    assert counts() == [(BLOCK_SIZE + 2, most, most)]
    assert query(url, pairs) == all_met
    assert query(url, items) == []


def test_most_pairs_are_found_and_most_found_are_pairs(demo: Demo) -> None:
    right, found, true = measure(demo[0], demo[2])
    assert true == 18
    assert right / true >= 0.95
    assert right / found >= 0.8


def test_people_decide_and_nothing_is_merged(demo: Demo) -> None:
    url, settings, _ = demo
    before = query(url, "select * from marts.fct_report order by report_id")
    metrics = query(url, "select * from reporting.rpt_metric order by 1, 2, 3, 4, 5")
    (a, b, _), (c, d, _), *_ = query(
        url, PAIRS + " where class_code = 'almost_certain' order by 1, 2"
    )
    (stranger,) = query(
        url,
        "select report_id from marts.fct_report where report_id not in (%s, %s)"
        " and regency_code <> (select regency_code from marts.fct_report where report_id = %s)"
        " order by 1 limit 1",
        a, b, a,
    )[0]  # fmt: skip

    def states() -> dict[frozenset[str], str]:
        build(settings=settings, database_url=url)
        return {frozenset((a, b)): state for a, b, state in query(url, PAIRS)}

    decide(url, b, a, "same_event", by="analis rekaan")
    decide(url, c, d, "different", by="analis rekaan", note="dua kejadian")
    decide(url, a, stranger, "same_event", by="analis rekaan")
    found = states()
    assert found[frozenset((a, b))] == "same_event"
    assert found[frozenset((c, d))] == "different"
    assert found[frozenset((a, stranger))] == "same_event"  # no candidate: a person says so

    decide(url, a, b, "undone", by="analis rekaan")
    decide(url, a, stranger, "undone", by="analis rekaan")
    found = states()
    assert found[frozenset((a, b))] == "candidate"
    assert found[frozenset((c, d))] == "different"
    assert frozenset((a, stranger)) not in found
    assert query(url, "select * from marts.fct_report order by report_id") == before
    assert query(url, "select * from reporting.rpt_metric order by 1, 2, 3, 4, 5") == metrics
    assert query(url, "select count(*), count(distinct decided_by) from ops.link_decision") == [
        (5, 1)
    ]


def test_only_two_cases_that_exist_are_linked(demo: Demo) -> None:
    (known,) = query(demo[0], "select min(report_id) from marts.fct_report")[0]
    for other in (known, "0" * 32):
        with pytest.raises(ConfigurationError, match="two different cases"):
            decide(demo[0], known, other, "same_event", by="analis rekaan")


def test_what_became_of_tips_is_what_the_world_says(demo: Demo) -> None:
    """At first the register alone says it; then all true pairs are decided, all findings traced."""
    url, _, truth = demo
    reports = truth["reports"]
    weeks = sorted({row["week_id"] for row in truth["metrics"]})
    linked = [
        (reports[case], reports[tip])
        for case, tip in truth["links"]
        if reports[case]["record_kind"] != "IA" == reports[tip]["record_kind"]
    ]
    first_day = CAMPAIGN[0].isoformat()

    def expected(week: str, *, is_decided: bool, is_traced: bool) -> dict[str, int]:
        def counts(each: dict[str, Any]) -> bool:
            return bool(each["received_date"] >= first_day and each["week_id"] <= week)

        begun = [case for case, tip in linked if is_decided and counts(tip)]
        begun += [
            each
            for each in reports
            if is_traced
            and (each["record_kind"], each["registration_outcome"]) == ("TM", "registered")
        ]
        numbers = {(case["record_kind"], case["register_number"]) for case in begun if counts(case)}
        return {which: sum(kind == which for kind, _ in numbers) for which in ("LP", "TM")}

    def outcomes(connection: psycopg.Connection) -> list[dict[str, int]]:
        return [
            store.value(connection, statement("tip_outcome"), {"week": week, "provinces": None})
            for week in weeks
        ]

    with psycopg.connect(url) as connection:
        connection.execute("update marts.fct_report_pair set state_code = 'candidate'")
        assert outcomes(connection)[-1] == truth["tip_outcomes"]
        connection.execute(
            "delete from marts.fct_status_event where to_status_code = 'penelusuran'"
        )
        assert outcomes(connection) == [{"LP": 0, "TM": 0}] * len(weeks)
        for case, tip in linked:
            connection.execute(
                "insert into marts.fct_report_pair (report_id_a, report_id_b, regency_code,"
                " channel_a, channel_b, evidence, state_code)"
                " select least(a.report_id, b.report_id), greatest(a.report_id, b.report_id),"
                " a.regency_code, a.channel, b.channel, '{}', 'same_event'"
                " from marts.fct_report as a, marts.fct_report as b"
                " where lower(a.register_number) = lower(%s) and b.channel = %s"
                " and b.regency_code = %s and b.received_date = %s"
                " and b.district_code is not distinct from %s"
                " and b.occurred_date is not distinct from %s::date"
                " on conflict (report_id_a, report_id_b) do update set state_code = 'same_event'",
                [case["register_number"]]
                + [tip[name] for name in ("channel", "regency_code", "received_date")]
                + [tip[name] for name in ("district_code", "occurred_date")],
            )
        decided = [expected(week, is_decided=True, is_traced=False) for week in weeks]
        assert outcomes(connection) == decided
        connection.execute(
            "insert into marts.fct_status_event select report_id, 99, channel, regency_code, null,"
            " 'penelusuran', received_date, received_date, received_at, false, record_id"
            " from marts.fct_report where record_kind in ('LP', 'TM')"
        )
        traced = [expected(week, is_decided=True, is_traced=True) for week in weeks]
        assert outcomes(connection) == traced
        connection.rollback()
    assert decided[-1]["LP"] > 0
    assert traced[-1]["TM"] > decided[-1]["TM"] > 0
