"""The expected content of the warehouse and the edition, derived from a world's facts alone."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

from lumbung import registry
from lumbung.demo import vocabulary
from lumbung.demo.facts import COUNTED, DUPLICATE, Activity, Fate, Plan, Prevention, Tip, week_of
from lumbung.demo.regions import PROVINCE, REGENCIES, UNKNOWN_REGENCY, VILLAGE_CODES
from lumbung.demo.world import CAMPAIGN, TRACED, World, week_start
from lumbung.errors import ConfigurationError

Record = dict[str, Any]


def truth_of(world: World) -> Record:
    """The content of `truth.json` (docs/reference/demo.md)."""
    fates = _fates(world)
    recap = [row for row in world.recap if row.fate == COUNTED]
    reports = [*_cases(world), *_tips(world)]
    supervisions = [_supervision(row) for row in recap if row.kind == "LHP"]
    preventions = [
        *(_prevention(row) for row in recap if row.kind == "PREV"),
        *(_entry(row) for row in world.preventions if row.fate == COUNTED),
    ]
    submissions = _submissions(world, recap)
    contributors = _contributors(reports, supervisions, preventions, submissions)
    return {
        "seed": world.seed,
        "weeks": list(world.weeks),
        "edition_week": world.weeks[-1],
        "channels": {channel: _counts(each) for channel, each in fates.items()},
        "reports": reports,
        "links": _links(world),
        "tip_outcomes": _tip_outcomes(world),
        "supervisions": supervisions,
        "preventions": preventions,
        "plans": [_plan(plan, preventions) for plan in world.plans],
        "needs": [*_needs(world, reports, preventions)],
        "submissions": submissions,
        "excluded": {channel: _reasons(each, "landed") for channel, each in fates.items()},
        "quarantine": {channel: _reasons(each, "quarantined") for channel, each in fates.items()},
        "metrics": list(_metrics(world.weeks, Counter(contributors))),
    }


# --- deliveries ------------------------------------------------------------------------------


def write_truth(truth: Record, path: Path) -> None:
    """Write the result of `truth_of` as JSON; the same world gives the same bytes."""
    path.write_text(json.dumps(truth, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def _fates(world: World) -> dict[str, list[Fate]]:
    """The fate of every delivery of the first pull; a system message of WhatsApp is not a delivery.

    A message in both chat exports is read twice and landed once, from the export that is read
    first. A corrected row lands twice: as first written, then as corrected.
    """
    first, second = world.chat_exports
    read_again = world.chat[second.start : first.stop]
    return {
        "register_laporan": [
            *(case.fate for case in world.register),
            *(case.fate for case in world.register if case.first),
        ],
        "rekap_pengawasan": [
            *(row.fate for row in world.recap),
            *(row.fate for row in world.recap if row.first),
        ],
        "wa_aduan": [
            *(message.fate for message in world.chat if message.sender),
            *(DUPLICATE for message in read_again if message.sender),
        ],
        "kobo_pemantau": [submission.fate for submission in world.submissions],
        "form_pencegahan": [entry.fate for entry in world.preventions],
        "rencana_pencegahan": [COUNTED for _ in world.plans],
    }


def _counts(fates: list[Fate]) -> dict[str, int]:
    landings = Counter[str](fate.landing for fate in fates)
    return {
        "read": len(fates),
        "landed": landings["landed"],
        "duplicate": landings["duplicate"],
        "quarantined": landings["quarantined"],
    }


def _reasons(fates: list[Fate], landing: str) -> dict[str, int]:
    reasons = (fate.reason_code for fate in fates if fate.landing == landing)
    return dict(sorted(Counter(reason for reason in reasons if reason).items()))


# --- facts -----------------------------------------------------------------------------------


def _cases(world: World) -> list[Record]:
    return [
        {
            "channel": "register_laporan",
            "record_kind": case.kind,
            "register_number": case.number,
            "regency_code": case.incident.place.regency_code,
            "district_code": case.incident.place.district_code,
            "occurred_date": case.occurred and case.occurred.isoformat(),
            "known_date": case.known and case.known.isoformat(),
            "received_date": case.received.isoformat(),
            "week_id": week_of(case.received),
            "registration_outcome": case.outcome,
            "status_code": case.status,
            "non_registration_reason_code": case.reason,
            "forwarding_target": (case.target or "UNSTATED") if case.is_forwarded else None,
            "is_follow_up_closed": case.is_closed,
            "campaign_context": case.context or "UNKNOWN",
            "observer_organisation": None,
            "issues": sorted(case.incident.issues),
            "violation_types": sorted(case.types),
        }
        for case in world.register
        if case.fate == COUNTED
    ]


def _links(world: World) -> list[list[int]]:
    """Pairs of positions in `reports`: one incident, reported over different channels."""
    reported = [
        ("register_laporan", case.incident) for case in world.register if case.fate == COUNTED
    ]
    for message in world.chat:
        if message.tip and message.fate == COUNTED:
            reported.append(("wa_aduan", message.tip.incident))
    for submission in world.submissions:
        if submission.fate == COUNTED:
            reported.append(("kobo_pemantau", submission.tip.incident))
    return [
        [first, second]
        for (first, one), (second, other) in combinations(enumerate(reported), 2)
        if one[1] is other[1] and one[0] != other[0]
    ]


def _tip_outcomes(world: World) -> dict[str, int]:
    """Cases that began as a tip, by kind: nobody decides on pairs, and the book traces findings."""
    return {"LP": 0, "TM": sum(bool(c.first and c.first.status == TRACED) for c in world.register)}


def _tips(world: World) -> Iterator[Record]:
    for message in world.chat:
        if message.tip and message.fate == COUNTED:
            yield _tip("wa_aduan", message.at, message.tip)
    for submission in world.submissions:
        if submission.fate == COUNTED:
            tip = _tip("kobo_pemantau", submission.at, submission.tip)
            yield tip | {"observer_organisation": submission.organisation}


def _tip(channel: str, at: datetime, tip: Tip) -> Record:
    return {
        "channel": channel,
        "record_kind": "IA",
        "register_number": None,
        "regency_code": tip.place.regency_code,
        "district_code": tip.place.district_code,
        "occurred_date": tip.occurred and tip.occurred.isoformat(),
        "known_date": None,
        "received_date": at.date().isoformat(),
        "week_id": week_of(at.date()),
        "registration_outcome": None,
        "status_code": None,
        "non_registration_reason_code": None,
        "forwarding_target": None,
        "is_follow_up_closed": False,
        "campaign_context": "UNKNOWN",
        "observer_organisation": None,
        "issues": sorted(tip.incident.issues),
        "violation_types": [],
    }


def _supervision(row: Activity) -> Record:
    return _activity(row) | {"election_code": row.election, "method_code": row.code}


def _prevention(row: Activity) -> Record:
    return _activity(row) | {
        "channel": "rekap_pengawasan",
        "village_code": None,
        "prevention_type_code": row.code,
        "prevention_form_code": vocabulary.RECAP_FORMS[row.code] if row.code else None,
        "prevention_kind_code": row.code,
        "stage_code": None,
        "office_level_code": None,
        "participant_count": None,
        "is_form_entry": False,
        "issues": [],
        "target_groups": [],
    }


def _entry(row: Prevention) -> Record:
    district = row.place.district_code
    return {
        "channel": "form_pencegahan",
        "regency_code": row.place.regency_code,
        "district_code": district,
        "activity_date": row.day.isoformat(),
        "village_code": VILLAGE_CODES[district, row.village] if district and row.village else None,
        "prevention_type_code": None,
        "prevention_form_code": row.form,
        "prevention_kind_code": row.kind,
        "stage_code": row.stage,
        "office_level_code": row.level,
        "participant_count": row.participants,
        "venue_kind_code": row.venue,
        "is_form_entry": True,
        "issues": sorted(row.issues),
        "target_groups": sorted(row.targets),
    }


def _activity(row: Activity) -> Record:
    return {
        "regency_code": row.regency.code,
        "district_code": row.district.code,
        "activity_date": row.day.isoformat(),
        "venue_kind_code": row.venue,
    }


def _plan(plan: Plan, preventions: Iterable[Record]) -> Record:
    """A plan with the activities that fulfil it, and how many are missing."""
    done = _fulfilling(plan, preventions, plan.start, plan.end)
    return {
        "regency_code": plan.regency.code,
        "issues": list(plan.issues),
        "target_groups": list(plan.targets),
        "prevention_form_code": plan.form,
        "start_date": plan.start.isoformat(),
        "end_date": plan.end.isoformat(),
        "planned_activity_count": plan.activities,
        "planned_participant_count": plan.participants,
        "done_activity_count": done,
        "remaining_activity_count": max(plan.activities - done, 0),
    }


def _fulfilling(plan: Plan, preventions: Iterable[Record], first: date, last: date) -> int:
    """Count the activities from the first to the last day that fulfil a plan."""
    return sum(
        row["regency_code"] == plan.regency.code
        and max(plan.start, first)
        <= date.fromisoformat(row["activity_date"])
        <= min(plan.end, last)
        and row["prevention_form_code"] == plan.form
        and (not plan.issues or bool(set(plan.issues) & set(row["issues"])))
        and (not plan.targets or bool(set(plan.targets) & set(row["target_groups"])))
        for row in preventions
    )


def _needs(
    world: World, reports: Iterable[Record], preventions: Iterable[Record]
) -> Iterator[Record]:
    """Cases, prevention done and planned in the four weeks to each week, where there are any."""
    cases = Counter[tuple[str, str, str]]()
    for report in reports:
        if report["received_date"] >= CAMPAIGN[0].isoformat():
            for issue in report["issues"]:
                cases[report["regency_code"], issue, report["week_id"]] += 1
    done: dict[tuple[str, str, str], list[Record]] = {}
    for row in preventions:
        for issue in row["issues"]:
            key = row["regency_code"], issue, _activity_week(row)
            done.setdefault(key, []).append(row)
    for number, week in enumerate(world.weeks):
        last_day = week_start(number + 1) - timedelta(days=1)
        first_day = last_day - timedelta(days=27)
        window = world.weeks[max(number - 3, 0) : number + 1]
        for regency in (*REGENCIES, UNKNOWN_REGENCY):
            for issue in vocabulary.ISSUES:
                activities = [
                    row for each in window for row in done.get((regency, issue, each), ())
                ]
                plans = [
                    plan
                    for plan in world.plans
                    if plan.regency.code == regency and issue in plan.issues
                ]
                shares = [
                    Fraction(
                        plan.activities * _overlap(plan, first_day, last_day),
                        (plan.end - plan.start).days + 1,
                    )
                    for plan in plans
                ]
                gaps = [
                    max(share - _fulfilling(plan, preventions, first_day, last_day), Fraction(0))
                    for plan, share in zip(plans, shares, strict=True)
                ]
                groups = {group for row in activities for group in row["target_groups"]}
                need = {
                    "last_4_weeks_count": sum(cases[regency, issue, each] for each in window),
                    "done_count": len(activities),
                    "planned_count": math.floor(sum(shares) + Fraction(1, 2)),
                    "gap_count": math.floor(sum(gaps) + Fraction(1, 2)),
                    "reached_group_count": len(groups),
                }
                if any(need.values()):
                    yield {"regency_code": regency, "issue_code": issue, "week_id": week} | need


def _overlap(plan: Plan, first: date, last: date) -> int:
    """Days of a plan's period from the first to the last day."""
    return max((min(plan.end, last) - max(plan.start, first)).days + 1, 0)


def _activity_week(row: Record) -> str:
    return week_of(date.fromisoformat(row["activity_date"]))


def _submissions(world: World, recap: Iterable[Activity]) -> list[Record]:
    delivered = {(row.district.code, week_of(row.day)) for row in recap}
    return [
        {
            "district_code": district.code,
            "week_id": week,
            "is_submitted": (district.code, week) in delivered,
        }
        for week in world.weeks
        for regency in REGENCIES.values()
        for district in regency.districts
    ]


# --- metrics ---------------------------------------------------------------------------------

Contributor = tuple[str, str, str, str]
"""Metric, category, regency and week of a fact that a metric counts; facts from before the
campaign's first day contribute to none."""


def _contributors(
    reports: Iterable[Record],
    supervisions: Iterable[Record],
    preventions: Iterable[Record],
    submissions: Iterable[Record],
) -> Iterator[Contributor]:
    first_day = CAMPAIGN[0].isoformat()
    for report in reports:
        if report["received_date"] < first_day:
            continue
        place_and_week = report["regency_code"], report["week_id"]
        if report["record_kind"] == "IA":
            yield "tip", "ALL", *place_and_week
            continue
        kind = report["record_kind"]
        yield "suspected_violation", "ALL", *place_and_week
        yield "suspected_violation_by_kind", kind, *place_and_week
        context = f"{kind}_{report['campaign_context']}"
        yield "suspected_violation_by_context", context, *place_and_week
        if target := report["forwarding_target"]:
            yield "report_forwarded_by_target", target, *place_and_week
            if report["is_follow_up_closed"]:
                yield "report_follow_up_closed_by_target", target, *place_and_week
        for issue in report["issues"]:
            yield "suspected_violation_by_issue", issue, *place_and_week
        for violation_type in report["violation_types"]:
            yield "suspected_violation_by_type", violation_type, *place_and_week
        yield "report_received", kind, *place_and_week
        outcome = report["registration_outcome"]
        yield f"report_{outcome}", kind, *place_and_week
        if outcome == "not_registered":
            reason = report["non_registration_reason_code"] or "UNSTATED"
            yield "report_not_registered_by_reason", reason, *place_and_week
        elif outcome == "registered":
            result = vocabulary.RESULTS.get(report["status_code"], "IN_PROCESS")
            yield "report_registered_by_result", result, *place_and_week
            for violation_type in report["violation_types"]:
                yield "report_registered_by_type", violation_type, *place_and_week
    for row in supervisions:
        if row["activity_date"] < first_day:
            continue
        week = _activity_week(row)
        place_and_week = row["regency_code"], week
        yield "campaign_event", "ALL", *place_and_week
        yield "campaign_event_by_election", row["election_code"] or "UNSTATED", *place_and_week
        yield "campaign_event_by_method", row["method_code"] or "UNSTATED", *place_and_week
    for row in preventions:
        if row["is_form_entry"] or row["activity_date"] < first_day:
            continue
        week = _activity_week(row)
        yield "prevention", "ALL", row["regency_code"], week
        kind = row["prevention_type_code"] or "UNSTATED"
        yield "prevention_by_type", kind, row["regency_code"], week
    for row in submissions:
        regency_code = row["district_code"][:5]
        yield "district_expected", "ALL", regency_code, row["week_id"]
        if row["is_submitted"]:
            yield "district_submitted", "ALL", regency_code, row["week_id"]


def _metrics(weeks: tuple[str, ...], counts: Counter[Contributor]) -> Iterator[Record]:
    """Every metric by category, regency, week and period, with zeros and the province.

    The registry lists the metrics and categories, the world gives the counts.

    Raises:
        ConfigurationError: when a fact counts in a metric or category that the registry lacks.

    """
    regencies = (*REGENCIES, UNKNOWN_REGENCY)
    listed = {metric: [*registry.categories(metric)] for metric in registry.metrics()}
    for metric, category, *_ in counts:
        if category not in listed.get(metric, []):
            raise ConfigurationError(
                f"the registry lists no metric {metric} with a category {category}",
                where="dbt_project/seeds/metric.csv",
                remediation="list the metric there, or the code in the vocabulary of its dimension",
            )
    for metric, categories in listed.items():
        for category in categories:
            for regency in (*regencies, PROVINCE):
                to_date = 0
                for week in weeks:
                    parts = regencies if regency == PROVINCE else (regency,)
                    value = sum(counts[metric, category, part, week] for part in parts)
                    to_date += value
                    for period, shown in (("week", value), ("to_date", to_date)):
                        yield {
                            "metric_code": metric,
                            "category_code": category,
                            "regency_code": regency,
                            "week_id": week,
                            "period": period,
                            "value": shown,
                        }
