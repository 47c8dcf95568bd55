"""Editions in the schema `published`: load them, verify their hashes, change their state.

Loading does not depend on the current time: two loads of an edition in the same state are equal.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from lumbung import database, registry
from lumbung.errors import PublicationError
from lumbung.publication.edition_id import office_of
from lumbung.publication.model.edition import (
    Deadline,
    Decision,
    DistrictMetric,
    Edition,
    Effect,
    HeldChannel,
    MetricValue,
    Need,
    NotCounted,
    Plan,
    Profile,
    Regency,
    Restatement,
    Submission,
    Vulnerability,
    Waiver,
)
from lumbung.publication.office import Office
from lumbung.registry import LANGUAGES

TABLES = {
    "metric": (
        "metric_code, category_code, regency_code, week_value, to_date_value, previous_week_value"
    ),
    "trend": "metric_code, category_code, week_id, value",
    "submission": (
        "district_code, district_name, regency_code, is_submitted, row_count, last_week_id"
    ),
    "district_metric": "regency_code, district_code, district_name, group_code, to_date_value",
    "deadline": "rule_code, regency_code, state_code, deadline_count",
    "profile": (
        "regency_code, issue_code, case_count, base_count, share_pct, province_share_pct,"
        " location_quotient, location_quotient_lower, location_quotient_upper, is_marked,"
        " last_4_weeks_count, previous_4_weeks_count, trend_code, prevention_count,"
        " last_4_weeks_prevention_count"
    ),
    "not_counted": (
        "channel, reason_code, channel_title, owner_name, reason, week_count, to_date_count"
    ),
}
"""The frozen tables and their columns: what `content_hash` covers, besides labels and
contributors."""

_HASHED_AS = {"metric": "figure", "district_metric": "district_figure"}
"""Former names of tables, still used in `content_hash`: the hash of an edition never changes."""

_NAMES_BEFORE_0_2 = {"set_apart_reason": "exclusion_reason", "reason": "non_registration_reason"}
"""Vocabularies whose names were frozen under another key before version 0.2."""

Rows = list[tuple[Any, ...]]

RESTATEMENT = (
    "of_edition_id, metric_code, category_code, regency_code, period, old_value, new_value,"
    " late_count, edited_count, withdrawn_count, recoded_count, is_published, progressed_count,"
    " published_value, excluded_count"
)
"""The columns of `published.restatement`, which has a hash of its own."""

FROZEN = TABLES | {
    "metric_contributor": "metric_code, category_code, regency_code, week_id, contributor_id",
    "contributor_record": "contributor_id, record_id",
    "restatement": RESTATEMENT,
}
"""The tables that a freeze fills, with their columns."""


_ROW = json.JSONEncoder(ensure_ascii=False, default=str)
"""A row as JSON: a day as ISO 8601, a numeric with its decimals."""


def digest(rows: Iterable[tuple[Any, ...]]) -> str:
    """Return the sha256 of the sorted rows."""
    result = hashlib.sha256()
    for row in sorted(rows):
        result.update(_ROW.encode(row).encode() + b"\n")
    return result.hexdigest()


def restatement_hash(rows: Rows) -> str:
    """Return the sha256 of an edition's restatements.

    `excluded_count` is left out where it is 0: editions were frozen before it existed, and the hash
    of an edition never changes.
    """
    return digest(row if row[-1] else row[:-1] for row in rows)


def content_hash(
    week_id: str, language: str, label: dict[str, Any], contributors: str, tables: dict[str, Rows]
) -> str:
    """Return the sha256 of an edition's content; freezes with equal hashes are the same edition.

    Args:
        week_id: the ISO week.
        language: the edition's first language.
        label: the names and other data stored with the edition.
        contributors: the `digest` of the metrics' contributors.
        tables: the rows of `TABLES`, columns in that order.

    """
    parts = {_HASHED_AS.get(name, name): digest(rows) for name, rows in tables.items()}
    return hashlib.sha256(
        json.dumps([week_id, language, label, contributors, parts], sort_keys=True).encode()
    ).hexdigest()


def require(connection: psycopg.Connection, edition_id: str) -> None:
    """Raise an error unless there is such an edition, whatever its state.

    Raises:
        PublicationError: when there is none.

    """
    found = connection.execute(
        "select from published.edition where edition_id = %s", (edition_id,)
    ).fetchone()
    if found is None:
        raise _no_edition(edition_id)


def load(edition_id: str, *, database_url: str) -> Edition:
    """Load an edition from the schema `published` and verify its hashes.

    Raises:
        PublicationError: when there is no such edition, or its rows were changed after the freeze.

    """
    with database.connect(database_url, application="lumbung publication") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        head = connection.execute(
            "select week_id, revision, language, as_of, frozen_at, content_hash, state, label,"
            " contributor_hash, restatement_hash, previous_edition_id, data_at, area_code"
            " from published.edition where edition_id = %s",
            (edition_id,),
        ).fetchone()
        if head is None:
            raise _no_edition(edition_id)
        tables: dict[str, Rows] = {
            name: connection.execute(
                f"select {columns} from published.{name} where edition_id = %s".encode(),  # noqa: S608
                (edition_id,),
            ).fetchall()
            for name, columns in TABLES.items()
        }
        restatements: Rows = connection.execute(
            f"select {RESTATEMENT} from published.restatement where edition_id = %s".encode(),  # noqa: S608
            (edition_id,),
        ).fetchall()
        details: Rows = connection.execute(
            "select category_code, regency_code, count(*) from published.metric_contributor"
            " where edition_id = %s and metric_code = 'detail' group by 1, 2",
            (edition_id,),
        ).fetchall()
        themes: Rows = connection.execute(
            "select regency_code, category_code, week_id, count(*)"
            " from published.metric_contributor"
            " where edition_id = %s and metric_code = %s group by 1, 2, 3",
            (edition_id, registry.BY_THEME),
        ).fetchall()
        previous: Rows = connection.execute(
            "select metric_code, category_code, regency_code, to_date_value"
            " from published.metric where edition_id = %s",
            (head[10],),
        ).fetchall()
        superseded = connection.execute(
            "select label -> 'need' from published.edition"
            " where office_code = %s and week_id = %s and revision < %s and state = 'published'"
            " order by revision desc limit 1",
            (office_of(edition_id), *head[:2]),
        ).fetchone()
        waivers = connection.execute(
            "select check_name, waived_by, reason, granted_at, until_date from published.waiver"
            " where edition_id = %s order by check_name, granted_at",
            (edition_id,),
        ).fetchall()
        decision = connection.execute(
            "select decision, how, decided_by, decided_at, reviewed"
            " from published.approval where edition_id = %s",
            (edition_id,),
        ).fetchone()
    (
        week_id,
        revision,
        language,
        as_of,
        frozen_at,
        expected,
        state,
        label,
        contributors,
        restated,
    ) = head[:10]
    if (
        content_hash(week_id, language, label, contributors, tables) != expected
        or restatement_hash(restatements) != restated
    ):
        raise PublicationError(
            "the rows of the edition are not those that were frozen",
            where=f"edition {edition_id}, schema published",
            remediation="find who wrote to schema published, and freeze a new revision",
        )
    names = label["name"]
    for old, new in _NAMES_BEFORE_0_2.items():
        if old in names:
            names[new] = names.pop(old)
    before = label.get("before_campaign")
    of_before: Counter[tuple[str, str]] = Counter()
    for row in (before or {}).get("deadline", []):
        of_before[row["rule"], row["state"]] += row["count"]
    facts: Counter[str] = Counter()
    for row in (before or {}).get("fact", []):
        facts[row["kind"]] += row["count"]
    deadlines: Counter[tuple[str, str]] = Counter()
    for rule, _, deadline_state, count in tables["deadline"]:
        deadlines[rule, deadline_state] += count
    metrics = {row[:3]: MetricValue(*row[3:]) for row in sorted(tables["metric"])}
    public = _Public(metrics, themes, sorted({row[2] for row in tables["trend"]}))
    trend: dict[tuple[str, str], list[tuple[str, int]]] = {}
    for metric, category, week, value in sorted(tables["trend"]):
        trend.setdefault((metric, category), []).append((week, value))
    return Edition(
        edition_id=edition_id,
        week_id=week_id,
        revision=revision,
        language=language,
        as_of=as_of,
        data_at=head[11],
        as_known_at=label.get("known", "now"),
        frozen_at=frozen_at,
        content_hash=expected,
        state=state,
        office=Office.model_validate(label["office"]),
        area_code=head[12],
        area_bps_code=None if "area_code" in label else label.get("area_bps_code", head[12]),
        regencies=tuple(_regency(**row) for row in label["regency"]),
        names={
            language: {
                kind: {row["code"]: row[language] for row in rows} for kind, rows in names.items()
            }
            for language in LANGUAGES
        },
        legal_sources=tuple(label["legal_source"]),
        campaign_start=_day(label.get("campaign_start")),
        before_campaign=dict(sorted(facts.items())) if before else None,
        metrics={key: value for key, value in metrics.items() if _is_public(key[0], key[2])},
        trend={key: tuple(values) for key, values in trend.items()},
        submissions=tuple(Submission(*r) for r in sorted(tables["submission"])),
        district_metrics=tuple(DistrictMetric(*r) for r in sorted(tables["district_metric"])),
        district_weeks=tuple(label["district_weeks"]) if label.get("district_weeks") else None,
        district_unit=label.get("district_unit", "theme"),
        district_threshold=label.get("district_threshold", label["office"]["small_cell_threshold"]),
        deadlines=tuple(
            Deadline(*key, count, of_before[key] if before else None)
            for key, count in sorted(deadlines.items())
        ),
        profiles=tuple(public.profile(row) for row in sorted(tables["profile"])),
        previous_id=head[10],
        previous={row[:3]: row[3] for row in sorted(previous)},
        restatements=tuple(
            Restatement(*row) for row in sorted(restatements) if _is_public(row[1], row[3])
        ),
        not_counted=tuple(NotCounted(*row) for row in sorted(tables["not_counted"])),
        held=tuple(
            HeldChannel(**row | {"since": date.fromisoformat(row["since"])})
            for row in label.get("held", [])
        ),
        waivers=tuple(Waiver(*row) for row in waivers),
        decision=_decision(*decision) if decision else None,
        needs=tuple(filter(None, (public.need(**row) for row in label.get("need", [])))),
        superseded_needs=tuple(
            filter(None, (public.need(**row) for row in (superseded or [None])[0] or []))
        ),
        plans=tuple(_plan(**row) for row in label.get("plan", [])),
        tip_outcomes=label.get("tip_outcomes"),
        vulnerability=tuple(_vulnerability(**row) for row in label.get("vulnerability", [])),
        campaign_end=_day(label.get("campaign_end")),
        effects=tuple(_effect(**row) for row in label["effect"]) if "effect" in label else None,
        prevention_rules=tuple(label.get("prevention_rule") or []),
        details=_details([*metrics], details, label["few_cases"])
        if label.get("district_weeks") and "few_cases" in label
        else {},
    )


def _no_edition(edition_id: str) -> PublicationError:
    return PublicationError(
        f"there is no edition {edition_id}",
        where="published.edition",
        remediation="freeze the week first: 'lumbung publish WEEK'",
    )


def _is_detail(code: str) -> bool:
    metric = registry.metrics().get(code)
    return metric is not None and metric.is_detail


def _is_public(code: str, regency: str) -> bool:
    """Return whether a metric is published by week: of a province and the country all are."""
    return len(regency) == 2 or not _is_detail(code)


def _details(
    metrics: list[tuple[str, str, str]], counted: Rows, few: list[str]
) -> dict[tuple[str, str, str], int | None]:
    """Return the details by metric, category and regency; the province's add up all of them.

    Args:
        metrics: the keys of every frozen metric.
        counted: `code/category`, regency and how many cases, without zeros.
        few: the regencies whose details are not published.

    """
    found: dict[tuple[str, str, str], int] = {}
    for key, regency, count in counted:
        code, _, category = key.partition("/")
        for place in (regency, regency[:2]):
            found[code, category, place] = found.get((code, category, place), 0) + count
    return {
        (code, category, place): None
        if place in few and _is_detail(code)
        else found.get((code, category, place), 0)
        for code, category, place in metrics
        if code in registry.BESIDE_DETAILS or _is_detail(code)
    }


class _Public:
    """Profiles and needs as they are published: with the numbers of reports and findings.

    The frozen rows count tips too. Of a regency, tips are published by week and not by theme.
    """

    def __init__(
        self, metrics: Mapping[tuple[str, str, str], MetricValue], themes: Rows, weeks: list[str]
    ) -> None:
        """Keep the edition's metrics, its weeks, and regency, theme, week and count of themes."""
        self._to_date = {key: metric.to_date for key, metric in metrics.items()}
        self._weeks = weeks
        self._cases: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
        for regency, issue, week, count in themes:
            self._cases[regency, issue][week] += count

    def profile(self, row: tuple[Any, ...]) -> Profile:
        """Return the profile of a frozen row."""
        regency, issue, *_, is_marked, _, previous_4, trend_code, to_date, last_4 = row
        share, base = self._share(regency, issue)
        province_share, _ = self._share(regency[:2], issue)
        return Profile(
            *(regency, issue, self._count(regency, issue), base, share, province_share),
            None if share is None or not province_share else share / province_share,
            *(is_marked, *self._last_weeks(regency, issue, previous_4)),
            *(trend_code, to_date, last_4),
        )

    def need(
        self, *, regency_code: str, issue_code: str, previous_4: int | None, **row: Any
    ) -> Need | None:
        """Return the need of a frozen row; None where tips alone name the theme."""
        cases = self._count(regency_code, issue_code)
        if not cases and not any(
            row[name] for name in ("done", "planned", "is_marked", "rule_code")
        ):
            return None
        last_4, previous_4 = self._last_weeks(regency_code, issue_code, previous_4)
        numbers = {"cases": cases, "last_4": last_4, "previous_4": previous_4}
        return Need(regency_code=regency_code, issue_code=issue_code, **row | numbers)

    def _count(self, place: str, issue: str) -> int:
        return self._to_date.get((registry.BY_THEME, issue, place), 0)

    def _share(self, place: str, issue: str) -> tuple[Fraction | None, int]:
        """Return the theme's share in per cent, and of how many reports and findings."""
        base = self._to_date.get(("suspected_violation", "ALL", place), 0)
        return (Fraction(100 * self._count(place, issue), base) if base else None), base

    def _last_weeks(
        self, regency: str, issue: str, previous_4: int | None
    ) -> tuple[int, int | None]:
        """Count the last four weeks, and those before them where they were frozen."""
        weeks = self._cases[regency, issue]
        last, before = (
            sum(weeks[week] for week in span) for span in (self._weeks[-4:], self._weeks[-8:-4])
        )
        return last, None if previous_4 is None else before


def _plan(*, start: str, end: str, **row: Any) -> Plan:
    lists = ("issue_codes", "groups", "groups_en")
    return Plan(
        start=date.fromisoformat(start),
        end=date.fromisoformat(end),
        **row | {name: tuple(row[name] or ()) for name in lists},
    )


def _vulnerability(*, score: str, release_date: str | None, **row: Any) -> Vulnerability:
    return Vulnerability(score=Decimal(score), release_date=_day(release_date), **row)


def _effect(*, ratio: str, low: str, high: str, **row: Any) -> Effect:
    return Effect(ratio=Decimal(ratio), low=Decimal(low), high=Decimal(high), **row)


def _day(value: str | None) -> date | None:
    return date.fromisoformat(value) if value else None


def _regency(*, outline: list[list[list[float]]], **row: Any) -> Regency:
    return Regency(**row, outline=tuple(tuple((x, y) for x, y in ring) for ring in outline))


def _decision(decision: str, how: str, by: str, at: datetime, reviewed: dict[str, str]) -> Decision:
    return Decision(decision, how, by, at, tuple(sorted(reviewed.items())))


class Listed(NamedTuple):
    """An edition in a list.

    Attributes:
        state: `draft`, `approved`, `rejected` or `published`.
        is_checked: whether it has passed the publication checkpoint, with no waiver that has ended.
        is_newest: whether the week has no later revision.
        decision: `approved` or `rejected`; None before a decision, as the three that follow.

    """

    edition_id: str
    week_id: str
    revision: int
    state: str
    frozen_at: datetime
    is_checked: bool
    is_newest: bool
    decision: str | None
    decided_by: str | None
    decided_at: datetime | None
    comment: str | None

    @property
    def is_waiting(self) -> bool:
        """Whether somebody can decide on it now."""
        return self.state == "draft" and self.is_checked and self.is_newest


def listed(*, office: str | None, database_url: str) -> list[Listed]:
    """Return the editions of an office, None: of every office, the newest week and revision first.

    An empty code is that of the installation's own office.
    """
    with database.connect(database_url, application="lumbung publication") as connection:
        return (
            connection.cursor(row_factory=class_row(Listed))
            .execute(
                "select e.edition_id, e.week_id, e.revision, e.state, e.frozen_at,"
                " exists (select from published.checkpoint_pass as c"
                "  where c.edition_id = e.edition_id and coalesce(c.until_date, 'infinity')"
                "  >= (now() at time zone 'Asia/Jakarta')::date) as is_checked,"
                " not exists (select from published.edition as n"
                "  where n.office_code = e.office_code and n.week_id = e.week_id"
                "  and n.revision > e.revision) as is_newest,"
                " a.decision, a.decided_by, a.decided_at, a.comment"
                " from published.edition as e left join published.approval as a using (edition_id)"
                " where %(office)s::text is null or e.office_code = %(office)s"
                " order by e.week_id desc, e.office_code, e.revision desc",
                {"office": office},
            )
            .fetchall()
        )


def newest(week_id: str, *, office: str, database_url: str) -> str:
    """Return the newest revision of a week of an office, in whatever state.

    Raises:
        PublicationError: when the week has none.

    """
    with database.connect(database_url, application="lumbung publication") as connection:
        found = value(
            connection,
            "select edition_id from published.edition"
            " where office_code = %(office)s and week_id = %(week)s"
            " order by revision desc limit 1",
            {"office": office, "week": week_id},
        )
    if found is None:
        raise PublicationError(
            "the week has no edition yet",
            where=f"week {week_id}",
            remediation=f"draft it first: 'lumbung publish {week_id}"
            f"{f' --office {office}' if office else ''}'",
        )
    return str(found)


def in_state(edition: Edition, wanted: str, *, found: str | None = None) -> Edition:
    """Return the edition if its state is the wanted one.

    Args:
        edition: the edition.
        wanted: the state.
        found: a state that was read later than `edition`; None: the state of `edition`.

    Raises:
        PublicationError: when the state is another one.

    """
    state = found or edition.state
    if state != wanted:
        raise PublicationError(
            f"the edition is {state}, not {wanted}",
            where=f"edition {edition.edition_id}",
            remediation="approve it first"
            if state == "draft"
            else "freeze the week again: what changed becomes a new revision",
        )
    return edition


def set_state(connection: psycopg.Connection, edition_id: str, state: str) -> None:
    """Change an edition's state; the database refuses a transition that is not allowed."""
    connection.execute(
        "update published.edition set state = %s where edition_id = %s", (state, edition_id)
    )


def artefacts(edition_id: str, *, database_url: str) -> dict[str, bytes]:
    """Return the files of a published edition by name, as they were stored."""
    with database.connect(database_url, application="lumbung publication") as connection:
        return dict(
            connection.execute(
                "select name, content from published.artefact where edition_id = %s order by name",
                (edition_id,),
            ).fetchall()
        )


def draft_files(edition_id: str, *, database_url: str) -> dict[str, bytes]:
    """Return the files of a draft by name; none before it is rendered and after it is published."""
    with database.connect(database_url, application="lumbung publication") as connection:
        return dict(
            connection.execute(
                "select name, content from ops.draft_file where edition_id = %s order by name",
                (edition_id,),
            ).fetchall()
        )


def file(edition: Listed, name: str, *, database_url: str) -> bytes | None:
    """Return a file of an edition, as it was published, else of the draft; None: there is none."""
    table = "published.artefact" if edition.state == "published" else "ops.draft_file"
    with database.connect(database_url, application="lumbung publication") as connection:
        found: bytes | None = value(
            connection,
            f"select content from {table} where edition_id = %(edition)s and name = %(name)s",  # noqa: S608
            {"edition": edition.edition_id, "name": name},
        )
    return found


def version(edition_id: str, *, database_url: str) -> str:
    """Return what changes with the waivers and the files of an edition; the rest is frozen."""
    with database.connect(database_url, application="lumbung publication") as connection:
        return str(
            value(
                connection,
                # a file that is written again is another row
                "select concat(e.content_hash, e.restatement_hash, (select count(*) from"
                " published.waiver as w where w.edition_id = e.edition_id), (select"
                " string_agg(concat(d.name, d.xmin, d.ctid), ' ' order by d.name) from"
                " ops.draft_file as d where d.edition_id = e.edition_id))"
                " from published.edition as e where e.edition_id = %(edition)s",
                {"edition": edition_id},
            )
        )


def value(connection: psycopg.Connection, query: str, parameters: Mapping[str, Any]) -> Any:
    """Return the first column of the first row of a query, None without a row."""
    row = connection.execute(query.encode(), parameters).fetchone()
    return row[0] if row else None
