"""Forty questions by somebody who knew the docs alone, and the queries as they were first written.

`fresh_questions.sql` has the questions with their queries. The answers below come from the rows of
the invented world, never from the warehouse. docs/explanation/fresh-questions.md says how many
were right at first try, and what was changed where one was not.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from statistics import median_low

import psycopg
import pytest

from lumbung import registry
from lumbung.demo.facts import COUNTED, week_of
from lumbung.demo.regions import REGENCIES
from lumbung.warehouse.roles import role_url
from tests.warehouse import test_questions as world
from tests.warehouse.conftest import PROJECT
from tests.warehouse.test_questions import (
    CASES,
    COUNTED_CASES,
    DELIVERED,
    DISTRICTS,
    ENTRIES,
    EVENTS,
    RECAP,
    TIPS,
    WORLD,
    Answer,
    Demo,
    counts,
    days,
    election,
    grouped,
    official,
    place_of,
    ratio,
)  # fmt: skip

FILE = PROJECT / "tests" / "warehouse" / "fresh_questions.sql"
QUESTIONS = dict(re.findall(r"^-- name: (\w+)\n(.*?;)\n", FILE.read_text(), re.M | re.S))
RECEIVED_TIPS = [
    *((each.at.date(), each.tip) for each in WORLD.chat if each.tip and each.fate == COUNTED),
    *((each.at.date(), each.tip) for each in WORLD.submissions if each.fate == COUNTED),
]
LAPORAN = [case for case in CASES if case.kind == "LP"]
WAITED = {case.number: wait for case in LAPORAN if (wait := days(case)) is not None}
NUMBER_OF_WEEK = {week: number for number, week in enumerate(WORLD.weeks, start=1)}
STATIONS = {"19.01": 455, "19.02": 301, "19.03": 300, "19.04": 297, "19.05": 341, "19.06": 192,
            "19.71": 311}  # fmt: skip
"""Polling stations of Pilkada 2024 (KPU Babel, 22 September 2024)."""
GROUP_OF_THEME = registry.attribute("issue", "issue_group_code")


def forwarded() -> Answer:
    closed: Counter[str] = Counter()
    every: Counter[str] = Counter()
    for case in CASES:
        if case.is_forwarded:
            every[case.target or "UNSTATED"] += 1
            closed[case.target or "UNSTATED"] += case.is_closed
    return [(target, closed[target], every[target]) for target in every]


def busiest_weeks() -> Answer:
    weeks = [*(case.received for case in CASES), *(day for day, _ in RECEIVED_TIPS)]
    found = Counter(map(week_of, weeks))
    return [(week, cases) for week, cases in found.items() if cases == max(found.values())]


def largest_audiences() -> Answer:
    counted = [entry for entry in ENTRIES if entry.participants is not None]
    forms = {entry.form for entry in counted}
    return [
        (form or "UNSTATED", max(e.participants or 0 for e in counted if e.form == form))
        for form in forms
    ]


ANSWERS: dict[str, Callable[[], Answer]] = {
    "laporan_of_belitung_timur": lambda: [
        (sum(case.kind == "LP" and place_of(case) == "19.06" for case in COUNTED_CASES),)
    ],
    "districts_of_bangka": lambda: counts(
        case.incident.place.district.name if case.incident.place.district else "Tidak disebutkan"
        for case in CASES
        if place_of(case) == "19.01"
    ),
    "tips_of_the_third_week": lambda: counts(
        official(place_of(tip)) for day, tip in RECEIVED_TIPS if week_of(day) == WORLD.weeks[2]
    ),
    "received_in_the_quiet_days": lambda: [
        (sum(date(2024, 11, 24) <= case.received <= date(2024, 11, 26) for case in CASES),)
    ],
    "about_the_first_days": lambda: [
        (
            sum(
                case.occurred is not None
                and timedelta(0) <= case.occurred - date(2024, 9, 25) < timedelta(7)
                for case in CASES
            ),
        )
    ],
    "money_politics_alone": lambda: [
        (
            sum(
                set(incident.issues) == {"PU"}
                for incident in (
                    *(case.incident for case in CASES),
                    *(tip.incident for _, tip in TIPS),
                )
            ),
        )
    ],
    "accused_in_pangkalpinang": lambda: counts(
        registry.vocabulary("role")[case.incident.role].name[0]
        for case in LAPORAN
        if place_of(case) == "19.71"
    ),
    "share_of_findings_registered": lambda: world.share(
        (case for case in CASES if case.kind == "TM"), lambda case: case.outcome == "registered"
    ),
    "laporan_registered_by_regency": lambda: counts(
        official(place_of(case)) for case in LAPORAN if case.outcome == "registered"
    ),
    "material_requirements": lambda: counts(
        official(place_of(case)) for case in LAPORAN if case.reason == "MATERIEL"
    ),
    "results_in_bangka_barat": lambda: counts(
        registry.vocabulary("case_result")[world.result(case)].name[1]
        for case in CASES
        if case.outcome == "registered" and place_of(case) == "19.05"
    ),
    "to_gakkumdu": lambda: [(sum(case.target == "GAKKUMDU" for case in CASES),)],
    "follow_up_by_body": forwarded,
    "cases_by_channel": lambda: counts(
        [*("register_laporan" for _ in CASES), *(channel for channel, _ in TIPS)]
    ),
    "median_days_to_report": lambda: [(median_low(WAITED.values()),)],
    "longest_wait": lambda: [
        (official(code), max(WAITED[case.number] for case in cases))
        for code, cases in grouped(case for case in LAPORAN if case.number in WAITED)
    ],
    "on_the_same_day": lambda: [(sum(wait == 0 for wait in WAITED.values()),)],
    "no_district": lambda: counts(
        official(place.regency_code)
        for place in (*(c.incident.place for c in CASES), *(tip.place for _, tip in TIPS))
        if place.district is None
    ),
    "tips_on_money_politics": lambda: counts(
        official(place_of(tip)) for _, tip in TIPS if "PU" in tip.incident.issues
    ),
    "crimes_in_november": lambda: [
        (sum("PID" in case.types and case.received.month == 11 for case in CASES),)
    ],
    "two_types": lambda: [(sum(len(case.types) == 2 for case in CASES),)],
    "groups_of_themes": lambda: counts(
        group for case in CASES for group in {GROUP_OF_THEME[each] for each in case.incident.issues}
    ),
    "events_on_weekends": lambda: [(sum(event.day.weekday() >= 5 for event in EVENTS),)],
    "events_by_campaign_week": lambda: counts(
        NUMBER_OF_WEEK[week_of(event.day)] for event in EVENTS if place_of(event) == "19.71"
    ),
    "mass_rallies": lambda: [
        (sum(e.election == "PILBUP" and e.code == "RAPAT_UMUM" for e in EVENTS),)
    ],
    "busiest_week": busiest_weeks,
    "events_without_method": lambda: counts(
        official(place_of(event)) for event in EVENTS if event.code is None
    ),
    "participants_by_regency": lambda: [
        (official(code), total)
        for code, entries in grouped(ENTRIES)
        if (total := sum(entry.participants or 0 for entry in entries))
    ],
    "activities_for_the_young": lambda: [(sum("PEMUDA" in e.targets for e in ENTRIES),)],
    "prevention_by_month": lambda: counts(
        row.day.strftime("%Y-%m") for row in RECAP if row.kind == "PREV"
    ),
    "prevention_by_office_level": lambda: counts(entry.level for entry in ENTRIES),
    "largest_audience": largest_audiences,
    "missed_recaps": lambda: counts(
        each.name
        for each in DISTRICTS
        for week in WORLD.weeks
        if (each.code, week) not in DELIVERED
    ),
    "recaps_by_week": lambda: [
        (number, len(DISTRICTS), sum((each.code, week) in DELIVERED for each in DISTRICTS))
        for week, number in NUMBER_OF_WEEK.items()
    ],
    "brought_too_late": lambda: counts(
        official(place_of(case)) for case in LAPORAN if WAITED.get(case.number, 0) > 7
    ),
    "villages_reached": lambda: counts(
        official(code)
        for code, _, _ in {
            (place_of(entry), entry.place.district_code, entry.village)
            for entry in ENTRIES
            if entry.village
        }
    ),
    "until_the_end_of_october": lambda: [
        (sum(case.received <= date(2024, 10, 31) for case in COUNTED_CASES),)
    ],
    "per_hundred_polling_stations": lambda: [
        (official(code), ratio(len(cases), STATIONS[code], 2, 100))
        for code, cases in grouped(CASES)
        if code in REGENCIES
    ],
    "governor_by_kind": lambda: counts(case.kind for case in CASES if election(case) == "PILGUB"),
    "hoaxes_by_week": lambda: counts(
        week_of(day) for day, tip in RECEIVED_TIPS if "KH" in tip.incident.issues
    ),
}


def test_there_are_forty_questions_with_an_answer_each() -> None:
    assert set(QUESTIONS) == set(ANSWERS)
    assert len(QUESTIONS) == 40


@pytest.mark.parametrize("name", sorted(ANSWERS))
def test_the_first_query_gives_the_right_answer(demo: Demo, name: str) -> None:
    with psycopg.connect(role_url(demo[0], "analyst_province")) as analyst:
        found = analyst.execute(QUESTIONS[name].encode()).fetchall()
    wanted = ANSWERS[name]()
    assert sorted(found, key=str) == sorted(wanted, key=str)
    assert any(any(row) for row in wanted), "an answer that says nothing tests nothing"
