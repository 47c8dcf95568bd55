"""What a warehouse holds beside what the invented world says it must, row by row."""

from __future__ import annotations

from collections import Counter
from datetime import date
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


def prevention_equals_truth(url: str, truth: dict[str, Any]) -> None:
    """Plans, needs, participation and whom prevention met are the world's, no other."""
    plans = (
        "regency_code, start_date::text, end_date::text, prevention_form_code, issue_codes,"
        " target_group_codes, planned_activity_count, planned_participant_count,"
        " done_activity_count, is_overdue"
    )
    names = (
        *("regency_code", "start_date", "end_date", "prevention_form_code", "issues"),
        *("target_groups", "planned_activity_count", "planned_participant_count"),
        *("done_activity_count", "is_overdue"),
    )
    found = read(url, f"select {plans} from marts.fct_prevention_plan")
    wanted = [tuple(row[name] for name in names) for row in truth["plans"]]
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

    outside = Counter(
        (row["regency_code"], row["week_id"], row["channel"])
        for row in truth["reports"]
        if row["record_kind"] in ("LP", "IA")
    )
    found = read(
        url,
        "select regency_code, week_id, channel, participation_count from marts.agg_participation",
    )
    assert {tuple(key): count for *key, count in found} == outside

    met = {
        (row["regency_code"], group, week)
        for row in truth["preventions"]
        for group in row["target_groups"]
        for first in [weeks.index(_iso_week(row["activity_date"]))]
        for week in weeks[first : first + 4]
    }
    found = read(
        url, "select regency_code, target_group_code, week_id, is_met from marts.agg_outreach"
    )
    assert len(found) == regencies * 15 * len(weeks)
    assert {tuple(key) for *key, is_met in found if is_met} == met
    villages = Counter(
        (row["village_code"], _iso_week(row["activity_date"]))
        for row in truth["preventions"]
        if row["village_code"]
    )
    found = read(url, "select village_code, week_id, activity_count from marts.agg_village_reach")
    assert {tuple(key): count for *key, count in found} == villages


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
    """The frozen metrics of the edition's week are the world's, every category and regency."""
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
