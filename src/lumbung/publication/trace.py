"""Trace a published number to the records it counts and the evidence they came from."""

from __future__ import annotations

import re
from collections.abc import Sized
from dataclasses import asdict, dataclass
from datetime import date, datetime, timedelta
from typing import Any

import psycopg

from lumbung import database, registry
from lumbung.errors import PublicationError
from lumbung.publication.checks.disclosure import group_of
from lumbung.publication.edition_id import PATTERN
from lumbung.publication.model.edition import BEFORE_CAMPAIGN
from lumbung.publication.model.store import digest, require
from lumbung.publication.translations.formatting import INDONESIAN, iso

REFERENCE = re.compile(
    r"(?P<code>[a-z_]+)/(?P<category>[A-Z_]+)/(?P<regency>\d\d(?:\.\d\d)?|[A-Z]{2})"
    r"(?:/(?P<period>week|weeks|previous|to_date|running|[A-Z]+[A-Z_\d]*))?"
    rf"@(?P<edition>{PATTERN})"
)
PROFILE_OR_DISTRICT = re.compile(
    r"(?P<code>profile/cases|profile/prevention|need/(?:done|planned|gap)|district)/(?P<place>\d\d\.\d\d(?:\.\d\d)?)"
    r"(?:/(?P<category>[A-Z_]+))?(?:/weeks)?"
    rf"@(?P<edition>{PATTERN})"
)
"""References of a regency's profile, of prevention against a theme, and of a district."""
NOT_COUNTED = re.compile(
    r"not_counted/(?P<channel>\w+)/(?P<reason>\w+)/(?P<period>week|to_date)"
    rf"@(?P<edition>{PATTERN})"
)
"""References of what a channel delivered that no metric counts."""
PLANS = {"need/planned": "column.direncanakan", "need/gap": "column.kurang_dari_rencana"}
"""Codes of numbers that are made of plans of prevention, with the key of their definition."""
DEADLINE = "deadline"
BEFORE = "before_campaign"
"""The code of what was received before the campaign; also the reason why it is not counted."""


@dataclass(frozen=True)
class Record:
    """One version of a delivery.

    Attributes:
        landed_at: when its batch was committed (aware).
        received_at: when the channel received it (aware).
        evidence_sha256: sha256 (hex) of the file, page or message it came from, or None.
        locator: its place in the evidence: sheet and row, line, element.
        now: `current`; `edited` or `withdrawn` when there is a later version; `quarantined` when
            the delivery never became a record, and `record_id` is its id in quarantine.

    """

    record_id: int
    channel: str
    batch_id: int
    run_key: str
    landed_at: datetime
    received_at: datetime
    evidence_sha256: str | None
    locator: str | None
    now: str


@dataclass(frozen=True)
class Contributor:
    """A fact that a metric counts, with the records it was made of when the edition was frozen."""

    contributor_id: str
    regency_code: str
    week_id: str
    records: tuple[Record, ...]


@dataclass(frozen=True)
class Trace:
    """A published metric and its contributors: `len(contributors) == value`.

    There are two exceptions. Of what no metric counts (`NOT_COUNTED`) the deliveries are not
    frozen, except those from before the campaign, so the contributors are those that are excluded
    or quarantined today. Of a number made of plans (`is_of_plans`) the contributors are the plans,
    each of which adds a share of what it intends.
    """

    edition_id: str
    metric_code: str
    category_code: str
    regency_code: str
    period: str
    definition: str
    value: int
    contributors: tuple[Contributor, ...]
    rule: dict[str, Any] | None = None
    """The rule that suggests the next step against the theme, as it was when frozen."""

    @property
    def is_of_plans(self) -> bool:
        """Whether the number is made of plans of prevention."""
        return self.metric_code in PLANS

    @property
    def is_of_today(self) -> bool:
        """Whether the plans are today's: an edition of version 0.2 does not keep them."""
        return self.is_of_plans and not all(each.week_id for each in self.contributors)


class ChangedError(PublicationError):
    """Rows of a published edition are not those that were frozen."""


def trace(reference: str, *, database_url: str) -> Trace:
    """Return the contributors of a published metric with their records, batches and evidence.

    Args:
        reference: one of these forms, each followed by `@EDITION`:

            - `METRIC/CATEGORY/REGENCY[/PERIOD]`, such as `suspected_violation_by_issue/PU/19.71`.
              The period is `week` (default), `previous` or `to_date`; regency `19` is the province,
              and `ID` the country.
              `suspected_violation/PU/19` is accepted where only one breakdown has that category.
              Of what details the cases of a regency (`registry.Metric.is_detail`) an edition
              publishes the period `weeks` alone: the weeks of the districts' table.
            - `deadline/RULE/REGENCY/STATE`: legal deadlines. Rule `ALL` is the sum of all rules,
              state `running` the sum of all running states; state `BEFORE_CAMPAIGN` are the running
              deadlines of cases from before the campaign.
            - `profile/cases/REGENCY/THEME` and `profile/prevention/REGENCY`: a regency's profile.
            - `need/done/REGENCY/THEME`: activities of four weeks against a theme.
            - `need/planned/REGENCY/THEME` and `need/gap/REGENCY/THEME`: of the plans against it,
              what is planned for these weeks, and what of that no activity fulfils.
            - `district/DISTRICT/GROUP/weeks`: a district; the regency's code where the district is
              not known.
            - `not_counted/CHANNEL/REASON/PERIOD`: deliveries that no metric counts.
            - `before_campaign/KIND/REGENCY`: those of them from before the campaign.
        database_url: the warehouse.

    Raises:
        ChangedError: when rows of the edition were changed after the freeze.
        PublicationError: when the reference is malformed, or the edition has no such metric.

    """
    if parts := PROFILE_OR_DISTRICT.fullmatch(reference):
        with database.connect(database_url, application="lumbung trace") as connection:
            connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
            require(connection, parts["edition"])
            return _profile_or_district(
                connection,
                reference,
                parts["edition"],
                parts["code"],
                parts["place"],
                parts["category"] or "ALL",
            )
    if parts := NOT_COUNTED.fullmatch(reference):
        with database.connect(database_url, application="lumbung trace") as connection:
            require(connection, parts["edition"])
            return _not_counted(connection, reference, **parts.groupdict())
    wanted = REFERENCE.fullmatch(reference)
    if wanted is None:
        raise PublicationError(
            f"'{reference}' is not the reference of a number in an edition",
            where="trace",
            remediation="write it as suspected_violation/ALL/19@2024-W47-r1; the HTML edition "
            "shows it at every number",
        )
    edition_id, period = wanted["edition"], wanted["period"] or "week"
    category, regency = wanted["category"], wanted["regency"]
    with database.connect(database_url, application="lumbung trace") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        require(connection, edition_id)
        if wanted["code"] == DEADLINE:
            return _deadline(connection, reference, edition_id, category, regency, period)
        if period == "weeks":
            return _detail(connection, edition_id, wanted["code"], category, regency)
        if wanted["code"] == BEFORE:
            return _before_campaign(connection, reference, edition_id, category, regency)
        found = connection.execute(
            "select metric_code, week_value, previous_week_value, to_date_value"
            " from published.metric where edition_id = %s and category_code = %s"
            " and regency_code = %s and (metric_code = %s or starts_with(metric_code, %s))"
            " order by metric_code <> %s, metric_code",
            (edition_id, category, regency, wanted["code"], wanted["code"] + "_by_",
             wanted["code"]),
        ).fetchall()  # fmt: skip
        exact = [row for row in found if row[0] == wanted["code"]] or found
        if len(exact) != 1:
            raise PublicationError(
                f"the edition has no metric {wanted['code']}/{category} of regency {regency}"
                if not exact
                else f"{' and '.join(row[0] for row in exact)} both have the category {category}",
                where=f"edition {edition_id}",
                remediation="take the reference from the HTML edition, which shows it at every "
                "number",
            )
        code = exact[0][0]
        values = dict(zip(("week", "previous", "to_date"), exact[0][1:], strict=True))
        if period not in values:
            raise PublicationError(
                f"{code} has no period '{period}'",
                where=reference,
                remediation="use week, previous or to_date; only deadlines have states",
            )
        value = values[period]
        contributors = _contributors(connection, edition_id, code, [category], regency, period)
    if value is None:
        raise PublicationError(
            "the metric has no previous week", where=reference, remediation="trace the week itself"
        )
    _require_all(contributors, value, f"the metric is {value}, its", reference)
    return Trace(
        edition_id,
        code,
        category,
        regency,
        period,
        INDONESIAN.metrics[code].definition,
        value,
        contributors,
    )


def _deadline(
    connection: psycopg.Connection,
    reference: str,
    edition_id: str,
    rule: str,
    regency: str,
    state: str,
) -> Trace:
    """Trace the cases whose legal deadlines are in a state."""
    states = [state]
    if state in ("running", BEFORE_CAMPAIGN):
        states = registry.deadline_states("running")
    rows = connection.execute(
        "select rule_code || '/' || state_code, deadline_count from published.deadline"
        " where edition_id = %s and state_code = any(%s) and %s in (rule_code, 'ALL')"
        " and starts_with(regency_code, %s)",
        (edition_id, states, rule, _prefix(regency)),
    ).fetchall()
    if not rows:
        raise PublicationError(
            f"the edition has no deadlines {rule} of regency {regency} that are {state}",
            where=f"edition {edition_id}",
            remediation="take the reference from the HTML edition, which shows it at every number",
        )
    value = sum(count for _, count in rows)
    keys = sorted({key for key, _ in rows})
    contributors = _contributors(connection, edition_id, DEADLINE, keys, regency, "week")
    if state == BEFORE_CAMPAIGN:
        value = sum(
            row["count"]
            for row in _published_before(connection, edition_id)["deadline"]
            if f"{row['rule']}/{row['state']}" in keys and _is_within(row["regency"], regency)
        )
        early = _contributors(connection, edition_id, BEFORE, None, regency, "to_date")
        ids = {contributor.contributor_id for contributor in early}
        contributors = tuple(
            contributor for contributor in contributors if contributor.contributor_id in ids
        )
    _require_all(contributors, value, f"the deadlines are {value}, their", reference)
    definition = INDONESIAN["deadline_definition"]
    return Trace(edition_id, DEADLINE, rule, regency, state, definition, value, contributors)


def _detail(
    connection: psycopg.Connection, edition_id: str, code: str, category: str, regency: str
) -> Trace:
    """Trace what details the cases of a regency in the weeks of the districts' table."""
    key = [f"{code}/{category}"]
    contributors = _contributors(connection, edition_id, "detail", key, regency, "to_date")
    definition = INDONESIAN.metrics[code].definition
    value = len(contributors)
    return Trace(edition_id, code, category, regency, "weeks", definition, value, contributors)


def _before_campaign(
    connection: psycopg.Connection, reference: str, edition_id: str, kind: str, regency: str
) -> Trace:
    """Trace what was received before the campaign's first day, of a kind or of all (`ALL`)."""
    value = sum(
        row["count"]
        for row in _published_before(connection, edition_id)["fact"]
        if kind in (row["kind"], "ALL") and _is_within(row["regency"], regency)
    )
    kinds = None if kind == "ALL" else [kind]
    contributors = _contributors(connection, edition_id, BEFORE, kinds, regency, "to_date")
    _require_all(contributors, value, f"the number is {value}, its", reference)
    definition = INDONESIAN["before_campaign_definition"]
    return Trace(edition_id, BEFORE, kind, regency, "", definition, value, contributors)


def _require_all(contributors: Sized, value: int, subject: str, reference: str) -> None:
    """Raise when a frozen number and its contributors disagree; `subject` begins the message."""
    if len(contributors) != value:
        raise ChangedError(
            f"{subject} contributors are {len(contributors)}",
            where=reference,
            remediation="find who wrote to schema published, and freeze a new revision",
        )


def _published_before(connection: psycopg.Connection, edition_id: str) -> dict[str, Any]:
    found = connection.execute(
        "select label -> 'before_campaign' from published.edition where edition_id = %s",
        (edition_id,),
    ).fetchone()
    if found is None or found[0] is None:
        raise PublicationError(
            "the edition does not hold what was received before the campaign",
            where=f"edition {edition_id}",
            remediation="take the reference from the HTML edition, which shows it at every number",
        )
    before: dict[str, Any] = found[0]
    return before


def _is_within(regency: str, place: str) -> bool:
    """Return whether a place is the regency, its province or the country."""
    return regency.startswith(_prefix(place))


def _prefix(place: str) -> str:
    """Return what the codes of the regencies of a place begin with."""
    return "" if place.isalpha() else place


def _profile_or_district(
    connection: psycopg.Connection,
    reference: str,
    edition_id: str,
    code: str,
    place: str,
    category: str,
) -> Trace:
    """Trace a number of a regency's profile, or a district's count."""
    parameters = [edition_id, place, category]
    kind, categories, period = "profile", [category], "to_date"
    definition = INDONESIAN["profile_definition"]
    if code == "profile/cases":
        query = (
            "select case_count from published.profile"
            " where edition_id = %s and regency_code = %s and issue_code = %s"
        )
    elif code == "profile/prevention":
        query = (
            "select max(last_4_weeks_prevention_count) from published.profile"
            " where edition_id = %s and regency_code = %s and %s in (issue_code, 'ALL')"
        )
        kind, categories, period = "prevention", ["ALL"], "four_weeks"
    elif code.startswith("need/"):
        query = (
            "select (need ->> %s)::bigint from published.edition,"
            " jsonb_array_elements(label -> 'need') as need where edition_id = %s"
            " and need ->> 'regency_code' = %s and need ->> 'issue_code' = %s"
        )
        parameters.insert(0, code.removeprefix("need/"))
        kind, definition, period = "prevention_need", INDONESIAN["need_definition"], "four_weeks"
    else:
        query = (
            "select to_date_value from published.district_metric where edition_id = %s"
            " and coalesce(nullif(district_code, ''), regency_code) = %s and group_code = %s"
        )
        kind, definition = "district", INDONESIAN["district_definition"]
        district = place if place.count(".") == 2 else ""
        categories = [
            key
            for (key,) in connection.execute(
                "select distinct category_code from published.metric_contributor where "
                "edition_id = %s"
                " and metric_code = 'district' and starts_with(category_code, %s)",
                (edition_id, f"{district}/"),
            )
            if group_of(key.partition("/")[2]) == category
        ]
    found = connection.execute(query.encode(), parameters).fetchone()
    if found is None or found[0] is None:
        raise PublicationError(
            "the edition does not publish this number",
            where=reference,
            remediation="take the reference from the HTML edition, which shows it at every number",
        )
    rule = _rule(connection, edition_id, place, category) if kind == "prevention_need" else None
    if code in PLANS:
        definition = INDONESIAN[PLANS[code]]
        plans = _plans(connection, edition_id, place, category)
        return Trace(edition_id, code, category, place, period, definition, found[0], plans, rule)
    contributors = _contributors(connection, edition_id, kind, categories, place[:5], period)
    _require_all(contributors, found[0], f"the number is {found[0]}, its", reference)
    return Trace(
        edition_id, code, category, place, period, definition, found[0], contributors, rule
    )


def _rule(
    connection: psycopg.Connection, edition_id: str, regency: str, issue: str
) -> dict[str, Any] | None:
    """Return the frozen rule that suggests the next step; None: none does, or it was not kept."""
    found = connection.execute(
        "select rule from published.edition,"
        " jsonb_array_elements(label -> 'need') as need,"
        " jsonb_array_elements(label -> 'prevention_rule') as rule where edition_id = %s"
        " and need ->> 'regency_code' = %s and need ->> 'issue_code' = %s"
        " and need ->> 'rule_code' = rule ->> 'rule_code'",
        (edition_id, regency, issue),
    ).fetchone()
    return found[0] if found else None


def _plans(
    connection: psycopg.Connection, edition_id: str, regency: str, issue: str
) -> tuple[Contributor, ...]:
    """Return the plans against a theme that meet the four weeks to the edition's.

    They are those that were frozen. An edition of version 0.2 has none: they are those of today.
    """
    if connection.execute(
        "select label ? 'prevention_rule' from published.edition where edition_id = %s",
        (edition_id,),
    ).fetchone() == (True,):
        return _contributors(connection, edition_id, "prevention_plan", [issue], regency, "to_date")
    monday = date.fromisocalendar(int(edition_id[:4]), int(edition_id[6:8]), 1)
    plans = connection.execute(
        "select plan_id, record_id from marts.fct_prevention_plan"
        " where regency_code = %s and %s = any(issue_codes) and planned_activity_count > 0"
        " and start_date <= %s and end_date >= %s order by start_date, plan_id",
        (regency, issue, monday + timedelta(days=6), monday - timedelta(days=21)),
    ).fetchall()
    records = _records(connection, [record_id for _, record_id in plans])
    return tuple(
        Contributor(plan_id, regency, "", (records[record_id],)) for plan_id, record_id in plans
    )


def _not_counted(
    connection: psycopg.Connection,
    reference: str,
    channel: str,
    reason: str,
    period: str,
    edition: str,
) -> Trace:
    """Trace what a channel delivered that no metric counts, for one reason."""
    found = connection.execute(
        "select case %s when 'week' then n.week_count else n.to_date_count end, n.reason,"
        " e.week_id, e.batch_watermark, e.data_at"
        " from published.not_counted as n join published.edition as e using (edition_id)"
        " where edition_id = %s and channel = %s and reason_code = %s",
        (period, edition, channel, reason),
    ).fetchone()
    if found is None:
        raise PublicationError(
            "the edition has no deliveries of that channel with this reason",
            where=reference,
            remediation="take the reference from the HTML edition, which shows it at every number",
        )
    value, definition, week, watermark, data_at = found
    if reason == BEFORE:
        early = _contributors(connection, edition, BEFORE, None, "", period)
        contributors = tuple(m for m in early if any(r.channel == channel for r in m.records))
        return Trace(
            edition, "not_counted", reason, channel, period, definition, value, contributors
        )
    rows = connection.execute(
        "select kind, counted_week, id from editions.not_counted_record(%s, %s, %s, %s, %s, %s)",
        (channel, reason, week, period == "to_date", watermark, data_at),
    ).fetchall()
    records = {
        "record": _records(connection, [row[2] for row in rows if row[0] == "record"]),
        "quarantine": _quarantined(connection, [row[2] for row in rows if row[0] == "quarantine"]),
    }
    contributors = tuple(
        Contributor(f"{kind}/{number}", "", counted_week, (records[kind][number],))
        for kind, counted_week, number in rows
    )
    return Trace(edition, "not_counted", reason, channel, period, definition, value, contributors)


def trace_record(record_id: int, *, database_url: str) -> tuple[Record, list[tuple[str, ...]]]:
    """Return one record with its batch and evidence, and the published metrics that count it.

    Returns:
        the record; and edition, metric, category, regency and week of each metric.

    Raises:
        PublicationError: when there is no such record.

    """
    with database.connect(database_url, application="lumbung trace") as connection:
        records = _records(connection, [record_id])
        if not records:
            raise PublicationError(
                f"there is no record {record_id}",
                where="raw.record",
                remediation="take the number from a trace of a metric",
            )
        counted = connection.execute(
            "select edition_id, metric_code, category_code, regency_code, week_id"
            " from published.contributor_record join published.metric_contributor using"
            " (edition_id, contributor_id) where record_id = %s order by 1, 2, 3, 4, 5",
            (record_id,),
        ).fetchall()
    return records[record_id], counted


def visible(number: Trace, *, database_url: str) -> set[str]:
    """Return which contributors of a metric a session of an analyst's role may see.

    Deliveries that no metric counts (`NOT_COUNTED`) belong to no regency and are not among them.

    Args:
        number: what `trace` returned.
        database_url: the warehouse, as the role.

    """
    ids = [each.contributor_id for each in number.contributors]
    with database.connect(database_url, application="lumbung trace") as connection:
        found = connection.execute(
            "select contributor_id from editions.contributing_record"
            " where edition_id = %s and contributor_id = any(%s)",
            (number.edition_id, ids),
        ).fetchall()
        if number.is_of_plans:
            found += connection.execute(
                "select plan_id from marts.fct_prevention_plan where plan_id = any(%s)", (ids,)
            ).fetchall()
        return {str(each) for (each,) in found}


def is_visible(record_id: int, *, database_url: str) -> bool:
    """Return whether a session of an analyst's role may see a record that an edition counts.

    Args:
        record_id: the record.
        database_url: the warehouse, as the role.

    """
    with database.connect(database_url, application="lumbung trace") as connection:
        return connection.execute(
            "select exists (select from editions.contributing_record where record_id = %s)",
            (record_id,),
        ).fetchone() == (True,)


def content(reference: str, *, database_url: str) -> dict[str, Any]:
    """Return what `trace` finds, or the record of an id with the metrics that count it.

    Raises:
        PublicationError: as `trace` and `trace_record`.

    """
    if not reference.isdecimal():
        return asdict(trace(reference, database_url=database_url))
    record, counted = trace_record(int(reference), database_url=database_url)
    names = ("edition_id", "metric_code", "category_code", "regency_code", "week_id")
    return asdict(record) | {"counted_in": [dict(zip(names, row, strict=True)) for row in counted]}


def lines(reference: str, *, database_url: str) -> list[str]:
    """Return what `lumbung trace` prints: a metric's contributors, or the record of an id.

    Raises:
        PublicationError: as `trace` and `trace_record`.

    """
    if reference.isdecimal():
        record, counted = trace_record(int(reference), database_url=database_url)
        return [
            _line(record),
            *(
                f"counted in {key(metric, category, regency)}@{edition} of week {week}"
                for edition, metric, category, regency, week in counted
            ),
        ]
    found = trace(reference, database_url=database_url)
    parts = (found.metric_code, found.category_code, found.regency_code, found.period)
    name = "/".join(part for part in parts if part)
    if PROFILE_OR_DISTRICT.fullmatch(reference) or NOT_COUNTED.fullmatch(reference):
        name = reference.partition("@")[0]
    result = [
        f"{name}@{found.edition_id} = {found.value}",
        f"{found.definition}.",
    ]
    if found.is_of_plans:
        result.append(
            ("The plans as they stand today: this edition does not keep them. " * found.is_of_today)
            + "Each plan adds the share of its activities by the days of its period that lie in the"
            " four weeks."
        )
    elif len(found.contributors) != found.value:
        result.append(
            f"{len(found.contributors)} of them are still excluded; others have been read since,"
            " corrected, or delivered again"
        )
    if found.rule:
        conditions = (f"{name} {value}" for name, value in found.rule.items() if value is not None)
        result.append("The next step is suggested by: " + ", ".join(conditions))
    for contributor in found.contributors:
        place = f" regency {contributor.regency_code}" if contributor.regency_code else ""
        week = f" week {contributor.week_id}" if contributor.week_id else ""
        result.append(f"{contributor.contributor_id}{place}{week}")
        result += [f"  {_line(record)}" for record in contributor.records]
    return result


def key(metric: str, category: str, regency: str) -> str:
    """Return the reference of a frozen metric; that of a deadline ends with its state."""
    rule, _, state = category.partition("/")
    if metric == "profile":
        return f"profile/cases/{regency}/{category}"
    if metric == "prevention_need":
        return f"need/done/{regency}/{category}"
    if metric == "prevention_plan":
        return f"need/planned/{regency}/{category}"
    if metric == "district":
        return f"district/{rule or regency}/{group_of(state)}/weeks"
    return "/".join(part for part in (metric, rule, regency, state) if part)


def _line(record: Record) -> str:
    kind = "quarantine" if record.now == "quarantined" else "record"
    return (
        f"{kind} {record.record_id} {record.channel} batch {record.batch_id}"
        f" landed {iso(record.landed_at)} evidence {record.evidence_sha256 or 'none'}"
        f" at {record.locator or 'the whole of it'} ({record.now})"
    )


_PERIOD = {
    "week": "m.week_id = e.week_id",
    "to_date": "true",
    "four_weeks": "m.week_id in (select distinct t.week_id from published.trend as t"
    " where t.edition_id = e.edition_id order by 1 desc limit 4)",
    # week ids sort as text; a metric has a previous week only if that week is in the edition
    "previous": "m.week_id = (select max(t.week_id) from published.trend as t"
    " where t.edition_id = e.edition_id and t.week_id < e.week_id)",
}


def _contributors(
    connection: psycopg.Connection,
    edition_id: str,
    code: str,
    categories: list[str] | None,
    regency: str,
    period: str,
) -> tuple[Contributor, ...]:
    """Return a metric's contributors; `categories` None: of all, `regency` empty: of all places."""
    rows = connection.execute(
        "select m.contributor_id, m.regency_code, m.week_id from published.metric_contributor as m"  # noqa: S608
        " join published.edition as e using (edition_id)"
        " where m.edition_id = %s and m.metric_code = %s"
        " and coalesce(m.category_code = any(%s), true)"
        f" and starts_with(m.regency_code, %s) and {_PERIOD[period]}"
        " order by m.week_id, m.regency_code, m.contributor_id".encode(),
        (edition_id, code, categories, _prefix(regency)),
    ).fetchall()
    frozen = connection.execute(
        "select contributor_id, record_id from published.contributor_record where edition_id = %s",
        (edition_id,),
    ).fetchall()
    expected = connection.execute(
        "select record_hash from published.edition where edition_id = %s", (edition_id,)
    ).fetchone()
    if expected != (digest(frozen),):
        raise ChangedError(
            "the records of the edition are not those that were frozen",
            where=f"edition {edition_id}, published.contributor_record",
            remediation="find who wrote to schema published, and freeze a new revision",
        )
    wanted = {row[0] for row in rows}
    ids_of: dict[str, list[int]] = {}
    for contributor, record_id in sorted(frozen):
        if contributor in wanted:
            ids_of.setdefault(contributor, []).append(record_id)
    records = _records(connection, [i for ids in ids_of.values() for i in ids])
    return tuple(
        Contributor(row[0], row[1], row[2], tuple(records[i] for i in ids_of.get(row[0], ())))
        for row in rows
    )


def _records(connection: psycopg.Connection, ids: list[int]) -> dict[int, Record]:
    rows: list[tuple[Any, ...]] = connection.execute(
        "select r.record_id, r.channel, r.batch_id, b.run_key, b.landed_at, r.received_at,"
        " encode(r.evidence_sha256, 'hex'), r.locator,"
        " case when latest.record_id = r.record_id then 'current'"
        " when latest.is_tombstone then 'withdrawn' else 'edited' end"
        " from raw.record as r join raw.batch as b using (batch_id)"
        " cross join lateral (select v.record_id, v.is_tombstone from raw.record as v"
        " where v.source_key = r.source_key and v.channel = r.channel and v.source_id = r.source_id"
        " order by v.record_id desc limit 1) as latest"
        " where r.record_id = any(%s)",
        (ids,),
    ).fetchall()
    return {row[0]: Record(*row) for row in rows}


def _quarantined(connection: psycopg.Connection, ids: list[int]) -> dict[int, Record]:
    rows: list[tuple[Any, ...]] = connection.execute(
        "select q.quarantine_id, q.channel, q.batch_id, b.run_key, b.landed_at, q.received_at,"
        " encode(q.evidence_sha256, 'hex'), q.locator, 'quarantined'"
        " from quarantine.record as q join raw.batch as b using (batch_id)"
        " where q.quarantine_id = any(%s)",
        (ids,),
    ).fetchall()
    return {row[0]: Record(*row) for row in rows}
