"""Plain questions (dbt_project/analyses) have one right answer: what the invented world says.

Each file is one query that a newcomer would write over the labelled layer. The answers below come
from the rows of the world alone, never from the warehouse.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

import psycopg
import pytest
import yaml

from lumbung.demo import world as invented
from lumbung.demo.facts import COUNTED, Activity, Case, Prevention, Tip, week_of
from lumbung.demo.regions import REGENCIES, Place
from lumbung.demo.vocabulary import RECAP_FORMS
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import PROJECT, query

Demo = tuple[str, Settings, dict[str, Any]]
Answer = list[tuple[Any, ...]]

ANALYSES = PROJECT / "dbt_project" / "analyses"
WORLD = invented.generate(1)
CAMPAIGN_START = invented.CAMPAIGN[0]
CASES = [case for case in WORLD.register if case.fate == COUNTED]
COUNTED_CASES = [case for case in CASES if case.received >= CAMPAIGN_START]
TIPS: list[tuple[str, Tip]] = [
    *(("wa_aduan", each.tip) for each in WORLD.chat if each.tip and each.fate == COUNTED),
    *(("kobo_pemantau", each.tip) for each in WORLD.submissions if each.fate == COUNTED),
]
RECAP = [row for row in WORLD.recap if row.fate == COUNTED]
EVENTS = [row for row in RECAP if row.kind == "LHP"]
ENTRIES = [entry for entry in WORLD.preventions if entry.fate == COUNTED]
DELIVERED = {(row.district.code, week_of(row.day)) for row in RECAP}
DISTRICTS = [each for regency in REGENCIES.values() for each in regency.districts]

VOTERS = {"19.71": 164_330}
"""DPT of Pilkada 2024 (docs/explanation/domain.md), of the regency that has money politics."""

BACKLOG_DAY = date(2024, 11, 10)
WEEKDAYS = ("Senin", "Selasa", "Rabu", "Kamis", "Jumat", "Sabtu", "Minggu")
GROUPS = {
    "Alat peraga dan tempat": {"APK", "FAS"},
    "Netralitas": {"ASN", "KADES", "TNIPOL", "PENY"},
    "Politik uang": {"PU"},
    "SARA, hoaks, fitnah": {"SARA", "KH"},
    "Lainnya": {"ANAK", "DPH", "PUNGHIT", "LOG", "LAIN"},
}
OUTCOMES = {
    "registered": "Diregistrasi",
    "not_registered": "Tidak diregistrasi",
    "pending": "Belum diputuskan",
}


def ratio(part: float, whole: float, digits: int, times: int = 1) -> Decimal:
    """`times` x part / whole, rounded half away from zero as PostgreSQL does."""
    exact = Decimal(times) * Decimal(part) / Decimal(whole)
    return exact.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP)


def counts(keys: Iterable[Hashable]) -> Answer:
    """One row per key with how often it occurs, in the order of the keys."""
    rows = [(*(key if isinstance(key, tuple) else (key,)), n) for key, n in Counter(keys).items()]
    return sorted(rows, key=str)


def place_of(row: Case | Activity | Prevention | Tip) -> str:
    """Code of the regency of a row."""
    if isinstance(row, Activity):
        return row.regency.code
    place: Place = row.incident.place if isinstance(row, Case) else row.place
    return place.regency_code


def grouped(rows: Iterable[Any]) -> list[tuple[str, list[Any]]]:
    """The rows of each regency that has some, in the order of the codes."""
    found = defaultdict(list)
    for row in rows:
        found[place_of(row)].append(row)
    return sorted(found.items())


def official(code: str) -> str:
    """Official name of a regency."""
    if code not in REGENCIES:
        return "Lokasi belum diketahui"
    regency = REGENCIES[code]
    return f"{'Kota' if regency.is_city else 'Kabupaten'} {regency.name}"


def days(case: Case) -> int | None:
    """Days from known to received."""
    return (case.received - case.known).days if case.known else None


def election(case: Case) -> str:
    """Code of the election in a legal number."""
    codes = {"PG": "PILGUB", "PB": "PILBUP", "PW": "PILWAKO"}
    (found,) = codes.keys() & set(case.number.upper().split("/"))
    return codes[found]


def result(case: Case) -> str:
    """Result of a registered case by its status (domain.md 1.7)."""
    return {
        "pelanggaran": "PROVEN",
        "bukan_pelanggaran": "NOT_PROVEN",
        "diteruskan": "FORWARDED",
        "direkomendasikan": "FORWARDED",
        "selesai": "CLOSED",
    }.get(case.status, "IN_PROCESS")


def themes_that_add_up() -> Answer:
    shares: Counter[str] = Counter()
    for case in CASES:
        for issue in case.incident.issues:
            (group,) = (name for name, issues in GROUPS.items() if issue in issues)
            shares[group] += Decimal(1) / len(case.incident.issues)  # type: ignore[assignment]
    return sorted((group, ratio(share, 1, 1)) for group, share in shares.items())


def forwarded_by_target() -> Answer:
    found = [case for case in CASES if case.is_forwarded]
    targets = sorted({case.target or "UNSTATED" for case in found})
    of = {each: [case for case in found if (case.target or "UNSTATED") == each] for each in targets}
    return [(each, len(of[each]), sum(case.is_closed for case in of[each])) for each in targets]


def silent_regencies() -> Iterator[tuple[str, str]]:
    for code, regency in sorted(REGENCIES.items()):
        for week in WORLD.weeks:
            if not any((each.code, week) in DELIVERED for each in regency.districts):
                yield code, week


def busiest_days() -> Answer:
    by_day = Counter(event.day for event in EVENTS)
    most = max(by_day.values())
    return sorted((day, events) for day, events in by_day.items() if events == most)


def tips_per_suspected_violation() -> Answer:
    tips = Counter(place_of(tip) for _, tip in TIPS)
    return [(code, ratio(tips[code], len(cases), 2)) for code, cases in grouped(CASES)]


def prevention_per_violation() -> Answer:
    done = Counter(
        place_of(row) for row in RECAP if row.kind == "PREV" and row.day >= CAMPAIGN_START
    )
    found = grouped(COUNTED_CASES)
    return [(code, ratio(done[code], len(cases), 1)) for code, cases in found if done[code]]


def prevention_against_money_politics() -> Answer:
    entries = Counter(place_of(entry) for entry in ENTRIES if "PU" in entry.issues)
    cases = Counter(place_of(case) for case in CASES if "PU" in case.incident.issues)
    return [(code, entries[code], cases[code]) for code in sorted(REGENCIES)]


def participants_by_form() -> Answer:
    people: Counter[str] = Counter()
    for entry in ENTRIES:
        people[entry.form or "UNSTATED"] += entry.participants or 0
    return sorted(item for item in people.items() if item[1])


def days_until_received() -> Answer:
    known: dict[str, list[int]] = defaultdict(list)
    for case in CASES:
        if (passed := days(case)) is not None:
            known[case.kind].append(passed)
    return [(kind, ratio(sum(each), len(each), 2)) for kind, each in sorted(known.items())]


def reports_in_time() -> Answer:
    stated = [case for case in CASES if case.kind == "LP" and case.known]
    return [
        (code, sum(not is_late(case) for case in cases), sum(is_late(case) for case in cases))
        for code, cases in grouped(stated)
    ]


def is_late(case: Case) -> bool:
    """Whether it was received more than seven days after it was known."""
    passed = days(case)
    return passed is not None and passed > 7


def share(cases: Iterable[Case], holds: Callable[[Case], bool]) -> Answer:
    listed = list(cases)
    return [(ratio(sum(map(holds, listed)), len(listed), 1, 100),)]


ANSWERS: dict[str, Callable[[], Answer]] = {
    "registered_money_politics": lambda: [
        (
            sum(
                case.kind == "LP"
                and "PU" in case.incident.issues
                and case.outcome == "registered"
                and place_of(case) == "19.71"
                and week_of(case.received) == WORLD.weeks[8]
                for case in CASES
            ),
        )
    ],
    "suspected_violations_by_regency": lambda: [
        (code, official(code), len(cases)) for code, cases in grouped(COUNTED_CASES)
    ],
    "reports_and_findings_by_week": lambda: [
        (
            number,
            *(
                sum(case.kind == kind and week_of(case.received) == week for case in CASES)
                for kind in ("LP", "TM")
            ),
        )
        for number, week in enumerate(WORLD.weeks, start=1)
    ],
    "reasons_of_non_registration": lambda: counts(
        case.reason or "UNSTATED" for case in CASES if case.outcome == "not_registered"
    ),
    "share_of_reports_registered": lambda: share(
        (case for case in CASES if case.kind == "LP" and case.received.month == 10),
        lambda case: case.outcome == "registered",
    ),
    "undecided_by_regency": lambda: counts(
        place_of(case) for case in CASES if case.outcome == "pending"
    ),
    "cases_by_theme": lambda: counts(issue for case in CASES for issue in case.incident.issues),
    "themes_that_add_up": themes_that_add_up,
    "money_politics_per_100k_voters": lambda: [
        (code, ratio(len(cases), VOTERS[code], 2, 100_000))
        for code, cases in grouped(case for case in CASES if "PU" in case.incident.issues)
    ],
    "neutrality_of_civil_servants_by_role": lambda: counts(
        {"ASN": "Aparatur sipil negara", "NON_ASN": "Pegawai non-ASN atau honorer"}[
            case.incident.role
        ]
        for case in CASES
        if "ASN" in case.incident.issues
    ),
    "late_reports": lambda: sorted((case.received, days(case)) for case in CASES if is_late(case)),
    "days_until_received": days_until_received,
    "during_campaign_events": lambda: counts(case.context or "UNKNOWN" for case in CASES),
    "forwarded_by_target": forwarded_by_target,
    "results_of_registered_cases": lambda: counts(
        result(case) for case in CASES if case.outcome == "registered"
    ),
    "violation_types": lambda: counts(kind for case in CASES for kind in case.types),
    "cases_without_violation_type": lambda: [(sum(not case.types for case in CASES),)],
    "cases_by_election": lambda: counts(map(election, CASES)),
    "not_located": lambda: counts(
        kind
        for kind, place in (
            *(({"LP": "Laporan", "TM": "Temuan"}[case.kind], place_of(case)) for case in CASES),
            *(("Informasi awal", place_of(tip)) for _, tip in TIPS),
        )
        if place == "19.00"
    ),
    "tips_by_channel": lambda: counts(channel for channel, _ in TIPS),
    "tips_by_observer_organisation": lambda: counts(
        [
            *("UNSTATED" for channel, _ in TIPS if channel == "wa_aduan"),
            *(
                each.organisation or "UNSTATED"
                for each in WORLD.submissions
                if each.fate == COUNTED
            ),
        ]
    ),
    "tips_by_theme_in_belitung": lambda: counts(
        issue for _, tip in TIPS if place_of(tip) == "19.02" for issue in tip.incident.issues
    ),
    "tips_per_suspected_violation": tips_per_suspected_violation,
    "several_themes": lambda: [(sum(len(case.incident.issues) > 1 for case in CASES),)],
    "village_heads": lambda: counts(
        OUTCOMES[case.outcome]
        for case in CASES
        if case.incident.role in {"KADES", "PERANGKAT_DESA", "BPD"}
    ),
    "candidates_and_teams": lambda: share(
        CASES, lambda case: case.incident.role in {"PASLON", "TIMKAM"}
    ),
    "districts_with_most_cases": lambda: [
        (name, cases)
        for name, cases in counts(
            case.incident.place.district.name for case in CASES if case.incident.place.district
        )
        if cases >= 3
    ],
    "before_the_campaign": lambda: [(len(CASES) - len(COUNTED_CASES),)],
    "reports_in_time_by_regency": reports_in_time,
    "findings_in_time": lambda: [
        (
            sum(case.kind == "TM" and bool(case.known) and not is_late(case) for case in CASES),
            sum(case.kind == "TM" and bool(case.known) for case in CASES),
        )
    ],
    "recaps_missing_in_a_week": lambda: [
        (each.code, each.name) for each in DISTRICTS if (each.code, WORLD.weeks[5]) not in DELIVERED
    ],
    "recap_completeness": lambda: [
        (
            code,
            ratio(
                sum(
                    (each.code, week) in DELIVERED
                    for each in regency.districts
                    for week in WORLD.weeks
                ),
                len(regency.districts) * len(WORLD.weeks),
                1,
                100,
            ),
        )
        for code, regency in sorted(REGENCIES.items())
    ],
    "silent_regency": lambda: [*silent_regencies()],
    "campaign_events_by_method": lambda: counts(event.code or "UNSTATED" for event in EVENTS),
    "campaign_events_by_venue": lambda: counts(event.venue or "UNSTATED" for event in EVENTS),
    "prevention_in_schools": lambda: counts(
        place_of(row) for row, *_ in actions() if row.venue == "PENDIDIKAN"
    ),
    "share_of_governor_events": lambda: [
        (code, ratio(sum(event.election == "PILGUB" for event in events), len(events), 1, 100))
        for code, events in grouped(EVENTS)
    ],
    "busiest_campaign_day": busiest_days,
    "prevention_by_form": lambda: counts(entry.form or "UNSTATED" for entry in ENTRIES),
    "prevention_by_target_group": lambda: counts(
        target for entry in ENTRIES for target in entry.targets
    ),
    "prevention_per_violation": prevention_per_violation,
    "prevention_against_money_politics": prevention_against_money_politics,
    "participants_by_form": participants_by_form,
    "rows_not_counted": lambda: counts(
        channel
        for channel, rows in (
            ("register_laporan", WORLD.register),
            ("rekap_pengawasan", WORLD.recap),
            ("wa_aduan", WORLD.chat),
            ("kobo_pemantau", WORLD.submissions),
            ("form_pencegahan", WORLD.preventions),
        )
        for row in rows
        if row.fate.reason_code == "test_row"
    ),
    # All was landed in one pull, long afterwards: a decision may have been on any day before it.
    "backlog_on_a_day": lambda: [
        (
            sum(case.outcome == "pending" and case.received <= BACKLOG_DAY for case in CASES),
            sum(case.received <= BACKLOG_DAY for case in CASES),
        )
    ],
    "backlog_by_regency": lambda: counts(
        place_of(case)
        for case in CASES
        if case.outcome == "pending" and case.received <= invented.CAMPAIGN[1]
    ),
    "corrected_cases": lambda: counts(place_of(case) for case in CASES if case.first),
    "days_to_registration": lambda: [(sum(case.outcome == "registered" for case in CASES), 0)],
    "cases_by_weekday": lambda: [
        (name, cases)
        for number, name in enumerate(WEEKDAYS)
        if (cases := sum(case.received.weekday() == number for case in CASES))
    ],
    "outside_working_days": lambda: [
        # no national holiday lies in the campaign weeks
        (sum(case.received.weekday() >= 5 for case in CASES),)
    ],
    "cases_by_month": lambda: [
        (name, sum(case.received.month == number for case in CASES))
        for number, name in ((9, "September"), (10, "Oktober"), (11, "November"))
    ],
    "overdue_plans": lambda: counts(
        plan.regency.code
        for plan in WORLD.plans
        if sum(
            place_of(row) == plan.regency.code
            and plan.start <= row.day <= plan.end
            and form == plan.form
            and (not plan.issues or bool(set(plan.issues) & set(issues)))
            and (not plan.targets or bool(set(plan.targets) & set(targets)))
            for row, form, issues, targets in actions()
        )
        < plan.activities
    ),
}


def actions() -> Iterator[tuple[Any, str | None, Iterable[str], Iterable[str]]]:
    """Every prevention action with its form, themes and target groups."""
    for row in RECAP:
        if row.kind == "PREV":
            yield row, RECAP_FORMS[row.code] if row.code else None, (), ()
    for entry in ENTRIES:
        yield entry, entry.form, entry.issues, entry.targets


def test_there_are_forty_questions_with_an_answer_each() -> None:
    files = sorted(ANALYSES.glob("*.sql"))
    assert {file.stem for file in files} == set(ANSWERS)
    assert len(files) >= 40
    for file in files:
        assert file.read_text(encoding="utf-8").startswith("-- "), f"{file.name} asks nothing"


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_query_gives_the_right_answer(demo: Demo, name: str) -> None:
    statement = (ANALYSES / f"{name}.sql").read_text(encoding="utf-8")
    with psycopg.connect(role_url(demo[0], "analyst_province")) as analyst:
        found = analyst.execute(statement.encode()).fetchall()
    wanted = ANSWERS[name]()
    assert found == wanted
    assert any(any(row) for row in wanted), "an answer that says nothing tests nothing"


def test_the_recipe_for_python_reads_the_rows_of_the_own_regency(
    demo: Demo, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (PROJECT / "docs" / "how-to" / "connect-a-tool.md").read_text(encoding="utf-8")
    (recipe,) = re.findall(r"^```python\n(.*?)^```$", page, re.M | re.S)
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", role_url(demo[0], "analyst_19_02"))
    exec(compile(recipe, "connect-a-tool.md", "exec"), {})
    weights = re.findall(r"  (\d+\.\d+)$", capsys.readouterr().out, re.M)
    assert sum(map(float, weights)) == sum(place_of(case) == "19.02" for case in CASES)


def test_declared_foreign_keys_are_in_the_database_and_refer_to_rows(demo: Demo) -> None:
    """BI tools join by them; PostgreSQL does not enforce them, so their rows are tried here."""
    declared = {
        (
            *(model["name"], ", ".join(key["columns"])),
            *(key["to"].split("'")[1], ", ".join(key["to_columns"])),
        )
        for file in (PROJECT / "dbt_project" / "models" / "marts").rglob("*.yml")
        for model in yaml.safe_load(file.read_text(encoding="utf-8"))["models"]
        for key in model.get("constraints", [])
        if key["type"] == "foreign_key"
    }
    names = (
        "(select string_agg(attname, ', ' order by place) from unnest({}) with ordinality"
        " as own (attnum, place) inner join pg_attribute using (attnum) where attrelid = {})"
    )
    found = query(
        demo[0],
        f"select holding.relname::text, {names.format('conkey', 'conrelid')},"
        f" held.relname::text, {names.format('confkey', 'confrelid')},"
        " conenforced from pg_constraint"
        " inner join pg_class as holding on conrelid = holding.oid"
        " inner join pg_class as held on confrelid = held.oid"
        " where contype = 'f' and connamespace = 'marts'::regnamespace",
    )
    assert {row[:4] for row in found} == declared
    assert len(declared) > 40
    assert not any(is_enforced for *_, is_enforced in found)
    for table, column, target, key in sorted(declared):
        orphans = query(
            demo[0],
            f"select distinct {column} from marts.{table} where ({column}) is not null"
            f" and ({column}) not in (select {key} from marts.{target})",
        )
        assert orphans == [], f"{table}.{column}"


def test_the_calendar_has_the_days_of_facts_and_two_years_more(demo: Demo) -> None:
    facts = (
        "select received_date as day from marts.fct_report"
        " union select occurred_date from marts.fct_report"
        " union select known_date from marts.fct_report"
        " union select activity_date from marts.fct_supervision"
        " union select activity_date from marts.fct_prevention"
    )
    outside = query(
        demo[0],
        f"select day::text from ({facts}) as facts where day is not null"
        " and day not in (select date_day from marts.dim_date)",
    )
    assert outside == []
    last = query(demo[0], "select max(date_day)::text from marts.dim_date")
    assert last == [("2026-12-31",)]
