"""What a warehouse holds beside what the invented world says it must, row by row."""

from __future__ import annotations

import csv
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import psycopg

ACTIVITIES = {
    "supervisions": (
        "fct_supervision",
        [
            *("regency_code", "district_code", "activity_date", "election_code", "method_code"),
            "venue_kind_code",
        ],
    ),
    "preventions": (
        "fct_prevention",
        [
            *("channel", "regency_code", "district_code", "village_code", "activity_date"),
            *("prevention_form_code", "prevention_kind_code", "prevention_type_code"),
            *("stage_code", "office_level_code", "participant_count", "is_form_entry"),
            *("venue_kind_code", "issues", "target_groups"),
        ],
    ),
    "submissions": ("fct_submission", ["district_code", "week_id", "is_submitted"]),
}


def read(url: str, sql: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(sql.encode()).fetchall()


def facts_equal_truth(url: str, truth: dict[str, Any]) -> None:
    """Cases with their issues and types, activities and submissions are the world's, no other."""
    cases_equal_truth(url, truth["reports"])
    for key, (table, columns) in ACTIVITIES.items():
        # of a campaign week after the world's last one a recap is due where the week has ended
        span = f" where week_id <= '{truth['edition_week']}'" if key == "submissions" else ""
        selected = ", ".join(f"({LISTS.get(column, column)})::text" for column in columns)
        rows = read(url, f"select {selected} from marts.{table} as facts{span}")
        listed = Counter(tuple(map(_as_text, map(row.get, columns))) for row in truth[key])
        beyond, lacking = Counter(rows) - listed, listed - Counter(rows)
        assert not beyond, f"{table}: {[*beyond]} beside missing {[*lacking]}"
        assert not lacking, f"{table}: {[*lacking]}"


def cases_equal_truth(url: str, reports: list[dict[str, Any]]) -> None:
    """Cases with their issues and types are these reports of the truth, no other."""
    assert len(reports) > 10
    rows = read(
        url,
        "select channel, record_kind, lower(register_number), regency_code, district_code,"
        " occurred_date::text, known_date::text, received_date::text, week_id,"
        " registration_outcome, status_code, non_registration_reason_code,"
        " forwarding_target_code, is_follow_up_closed, campaign_context_code,"
        " observer_organisation_code,"
        " array(select issue_code from marts.bridge_report_issue b"
        "  where b.report_id = r.report_id order by 1),"
        " array(select violation_type_code from marts.bridge_report_violation_type b"
        "  where b.report_id = r.report_id order by 1)"
        " from marts.fct_report r",
    )
    found = Counter((*row[:-2], tuple(row[-2]), tuple(row[-1])) for row in rows)
    wanted = Counter(
        (
            report["channel"],
            report["record_kind"],
            (report["register_number"] or "").lower() or None,
            report["regency_code"],
            report["district_code"],
            report["occurred_date"],
            report["known_date"],
            report["received_date"],
            report["week_id"],
            report["registration_outcome"],
            report["status_code"],
            report["non_registration_reason_code"],
            report["forwarding_target"],
            report["is_follow_up_closed"],
            report["campaign_context"],
            report["observer_organisation"],
            tuple(sorted(report["issues"])),
            tuple(sorted(report["violation_types"])),
        )
        for report in reports
    )
    extra, missing = found - wanted, wanted - found
    assert not extra, f"{[*extra]} beside missing {[*missing]}"
    assert not missing, [*missing]


def prevention_equals_truth(url: str, truth: dict[str, Any], owner: str | None = None) -> None:
    """Plans, needs, participation and whom prevention met are the world's, no other.

    Args:
        url: the warehouse as a reader.
        truth: what the world says.
        owner: the warehouse as its owner, who reads its clock; without it, `url` is the owner's.
    """
    plans = (
        "regency_code, start_date::text, end_date::text, prevention_form_code, issue_codes,"
        " target_group_codes, planned_activity_count, planned_participant_count,"
        " done_activity_count, remaining_activity_count"
    )
    names = (
        *("regency_code", "start_date", "end_date", "prevention_form_code", "issues"),
        *("target_groups", "planned_activity_count", "planned_participant_count"),
        *("done_activity_count", "remaining_activity_count"),
    )
    # a plan is overdue on the day of the build: the demo's has the clock of its edition
    ((today,),) = read(owner or url, "select (ops.now() at time zone 'Asia/Jakarta')::date::text")
    found = read(url, f"select {plans}, is_overdue from marts.fct_prevention_plan")
    wanted = [
        (*(row[name] for name in names), row["end_date"] < today and row[names[-1]] > 0)
        for row in truth["plans"]
    ]
    assert sorted(map(str, found)) == sorted(map(str, wanted))

    weeks, regencies = truth["weeks"], 8
    needs = (
        *("regency_code", "issue_code", "week_id", "last_4_weeks_count", "done_count"),
        *("planned_count", "gap_count", "reached_group_count"),
    )
    found = read(url, f"select {', '.join(needs)} from marts.agg_prevention_need")
    assert len(found) == regencies * 14 * len(weeks)
    wanted = [tuple(row[name] for name in needs) for row in truth["needs"]]
    assert sorted(row for row in found if any(row[3:])) == sorted(wanted)

    done = _activities_by(truth, span=4, key=lambda row: row["issues"])
    found = read(
        url,
        "select regency_code, issue_code, week_id, done_participant_count, done_by_form,"
        " done_by_target_group, round(reached_group_pct, 6)"
        " from marts.agg_prevention_need where done_count > 0",
    )
    by_key: dict[tuple[str, ...], tuple[Any, ...]] = {}
    for key, rows in done.items():
        groups = Counter(group for row in rows for group in row["target_groups"])
        forms = Counter(row["prevention_form_code"] or "UNSTATED" for row in rows)
        share = round(Decimal(100 * len(groups)) / 15, 6)
        by_key[key] = (_participants(rows), forms, groups, share)
    assert {row[:3]: row[3:] for row in found} == by_key

    outside = Counter(
        (row["regency_code"], row["week_id"], row["channel"], row["record_kind"])
        for row in truth["reports"]
        if row["record_kind"] in ("LP", "IA")
    )
    found = read(
        url,
        "select regency_code, week_id, channel, laporan_count, tip_count, participation_count"
        " from marts.agg_participation",
    )
    assert {row[:3] for row in found} == {key[:3] for key in outside}
    for regency, week, channel, laporan, tips, both in found:
        kinds = tuple(outside[regency, week, channel, kind] for kind in ("LP", "IA"))
        assert (laporan, tips, both) == (*kinds, sum(kinds)), (regency, week, channel)

    week_of = _activities_by(truth, span=1, key=lambda row: row["target_groups"])
    met = _activities_by(truth, span=4, key=lambda row: row["target_groups"])
    found = read(
        url,
        "select regency_code, target_group_code, week_id, activity_count, participant_count,"
        " last_4_weeks_activity_count, is_met from marts.agg_outreach",
    )
    assert len(found) == regencies * 15 * len(weeks)
    for row in found:
        rows, window = week_of[row[:3]], met[row[:3]]
        assert row[3:] == (len(rows), _participants(rows), len(window), bool(window)), row
    villages = _activities_by(truth, span=1, key=lambda row: filter(None, [row["village_code"]]))
    found = read(
        url,
        "select regency_code, village_code, week_id, activity_count, participant_count"
        " from marts.agg_village_reach",
    )
    assert {row[:3]: row[3:] for row in found} == {
        key: (len(rows), _participants(rows)) for key, rows in villages.items()
    }
    suggestions_follow_their_rules(url)


def suggestions_follow_their_rules(url: str) -> None:
    """Each need has the first active rule whose every stated condition its own numbers meet."""
    seed = Path(__file__).parents[2] / "dbt_project" / "seeds" / "prevention_rule.csv"
    with seed.open(encoding="utf-8", newline="") as file:
        rules = sorted(csv.DictReader(file), key=lambda rule: int(rule["precedence"]))

    def first(issue: str, cases: int, trend: str, marked: bool, *counts: int) -> str | None:
        done, planned, gap = counts
        for rule in rules:
            unmet = (
                rule["is_active"] != "true",
                rule["issue_codes"] and issue not in rule["issue_codes"].split(),
                rule["min_case_count"] and cases < int(rule["min_case_count"]),
                rule["trend_code"] and trend != rule["trend_code"],
                rule["is_marked"] and marked != (rule["is_marked"] == "true"),
                rule["max_done_count"] and done > int(rule["max_done_count"]),
                rule["max_planned_count"] and planned > int(rule["max_planned_count"]),
                rule["min_gap_count"] and gap < int(rule["min_gap_count"]),
            )
            if not any(unmet):
                return rule["rule_code"]
        return None

    found = read(
        url,
        "select rule_code, issue_code, last_4_weeks_count, trend_code, is_marked, done_count,"
        " planned_count, gap_count from marts.agg_prevention_need",
    )
    assert any(rule for rule, *_ in found)
    for rule, *numbers in found:
        assert rule == first(*numbers), numbers


def _activities_by(
    truth: dict[str, Any], *, span: int, key: Callable[[dict[str, Any]], Iterable[str]]
) -> defaultdict[tuple[str, ...], list[dict[str, Any]]]:
    """The activities of a regency, of what they have of `key`, in the `span` weeks to each week."""
    weeks = truth["weeks"]
    found: defaultdict[tuple[str, ...], list[dict[str, Any]]] = defaultdict(list)
    for row in truth["preventions"]:
        first = weeks.index(_iso_week(row["activity_date"]))
        for code in key(row):
            for week in weeks[first : first + span]:
                found[row["regency_code"], code, week].append(row)
    return found


def _participants(rows: list[dict[str, Any]]) -> int | None:
    """Their sum; None where none is stated."""
    stated = [row["participant_count"] for row in rows if row["participant_count"] is not None]
    return sum(stated) if stated else None


def _iso_week(day: str) -> str:
    year, week, _ = date.fromisoformat(day).isocalendar()
    return f"{year}-W{week:02d}"


LISTS = {
    column: f"array(select {code} from marts.{bridge} as b"
    " where b.prevention_id = facts.prevention_id order by 1)"
    for column, code, bridge in (
        ("issues", "issue_code", "bridge_prevention_issue"),
        ("target_groups", "target_group_code", "bridge_prevention_target_group"),
    )
}


def _as_text(value: Any) -> str | None:
    """A value of the truth as PostgreSQL writes it."""
    if isinstance(value, list):
        return "{" + ",".join(value) + "}"
    return str(value).lower() if isinstance(value, bool | int) else value


def edition_equals_truth(url: str, truth: dict[str, Any], edition_id: str) -> None:
    """The edition's metrics and what became of tips are the world's, every category and regency."""
    labels = (
        f"select label -> 'tip_outcomes' from published.edition where edition_id = '{edition_id}'"
    )
    assert read(url, labels) == [(truth["tip_outcomes"],)]
    week = truth["edition_week"]
    values = {
        (row["metric_code"], row["category_code"], row["regency_code"], row["period"]): row["value"]
        for row in truth["metrics"]
        if row["week_id"] == week
    }
    frozen = read(
        url,
        "select metric_code, category_code, regency_code, week_value, to_date_value"
        f" from published.metric where edition_id = '{edition_id}'",
    )
    assert len(frozen) * 2 == len(values) > 100
    for *key, in_week, to_date in frozen:
        assert in_week == values[(*key, "week")], key
        assert to_date == values[(*key, "to_date")], key
