"""Copy a week from the warehouse into the schema `published`, as a new edition."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import fields
from datetime import date, datetime, timedelta
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from lumbung import database, lineage, registry
from lumbung.errors import PublicationError
from lumbung.publication.checks import disclosure
from lumbung.publication.checks.stored import require_known
from lumbung.publication.edition_id import of_revision
from lumbung.publication.editions.approver import is_in_person
from lumbung.publication.editions.queries import statement
from lumbung.publication.editions.review import is_as_reviewed
from lumbung.publication.editions.schedule import as_of, week_before
from lumbung.publication.formats import maps
from lumbung.publication.model import store
from lumbung.publication.model.edition import Need, Plan, Vulnerability
from lumbung.publication.model.store import Rows
from lumbung.publication.office import area, areas, country, load_office
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import point_in_time, prevention_effect
from lumbung.warehouse.build_lock import hold_builds_off
from lumbung.warehouse.roles import role_url

LANGUAGE = "id"
BUILD_WAIT = "10min"
"""How long a freeze waits for a running build."""

READ = (
    "metric", "trend", "submission", "deadline_contributor", "deadline_rule", "profile", "need",
    "plan", "not_counted", "repeated_district_metric", "repeated_district_contributor",
    "repeated_district_record", "district", "metric_contributor", "before_campaign",
    "profile_contributor", "need_contributor", "district_contributor", "detail_contributor",
    "contributor_record", "restatement", "vulnerability", "plan_contributor",
)  # fmt: skip
"""The statements whose rows make up an edition."""

OF_PROVINCES = (
    *("profile", "need", "plan", "district", "vulnerability"),
    *("profile_contributor", "need_contributor", "plan_contributor"),
    *("district_contributor", "detail_contributor"),
)
"""What only a province's edition has: regencies, and what is protected by the province's office."""

TABLE = re.compile(r"\b(?:marts|reporting|reference)\.\w+")
"""A table of the warehouse in a statement."""

NOT_COMPARED = (
    *("deadline", "profile", "prevention_need", "prevention_plan"),
    *("district", "detail", "before_campaign"),
)
"""Metrics with contributors that are not restated: states of a day, and uncounted records."""


def freeze(
    week_id: str,
    *,
    settings: Settings,
    database_url: str,
    as_known_at: Literal["now", "then"] = "now",
) -> str:
    """Copy a week's metrics, contributors, completeness and uncounted records into `published`.

    Freezing is idempotent by content. When the week's newest revision has the same content and was
    not rejected, that edition is returned. Otherwise a new revision is created, as a draft. A new
    revision is also created in two cases with the same content: when the newest revision is
    approved but not published, and now renders to other bytes than those that were reviewed; and
    when it is a draft that was compared with other published editions than there are now.

    Args:
        week_id: an ISO week such as `2024-W47`.
        settings: the office that publishes; the edition keeps the values of its `edition.yaml`.
        database_url: the warehouse; for `then` as `roles.role_url` takes it.
        as_known_at: `now`: all rows of the marts; `then`: only what had been landed by the Monday
            after the week, 06:00 WIB, read by today's rules. `then` builds a second copy of the
            marts in schemas of its own, as the role `transformer`.

    Returns:
        the edition's id, such as `2024-W47-r1`, or `76-2024-W47-r1` of another office than the
        installation's own.

    Raises:
        PublicationError: when the week has not ended, or the warehouse has no complete metrics of
            it.
        ServiceError: when a build has not finished; try again later.
        ConfigurationError: when `edition.yaml` cannot be read, or the office has no area.
        BuildError: when the copy for `then` cannot be built.

    """
    if as_of(week_id) > datetime.now(JAKARTA):
        raise PublicationError(
            f"the week has not ended: it is closed on {as_of(week_id):%Y-%m-%d %H:%M} WIB",
            where=f"week {week_id}",
            remediation="choose a week that has ended",
        )
    if as_known_at == "now":
        edition_id = _freeze(week_id, settings, database_url, None)
        read = {table for name in (*READ, "label") for table in TABLE.findall(statement(name))}
        lineage.emit(
            [
                lineage.Job(
                    "publication.freeze",
                    lineage.tables(database_url, *sorted(read)),
                    lineage.tables(database_url, "published.edition"),
                )
            ]
        )
        return edition_id
    with point_in_time.as_known_at(
        as_of(week_id), settings=settings, database_url=database_url
    ) as found:
        return _freeze(week_id, settings, role_url(database_url, "publisher"), found)


def _freeze(
    week_id: str, settings: Settings, database_url: str, then: point_in_time.PointInTime | None
) -> str:
    office, area_code = load_office(settings), area(settings)
    with database.session(database_url, application="lumbung publication") as connection:
        # Builds replace seeds before they publish marts.
        hold_builds_off(connection, BUILD_WAIT, command=f"freezing week {week_id}")
        connection.autocommit = False
        # One snapshot, taken while no build runs, so that marts and seeds are of one build.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("lock table published.edition in share row exclusive mode")
        require_known(connection, settings)
        _require_same_area(connection, settings, area_code)
        parameters, rows, label = _read(connection, week_id, settings, area_code, then)
        if not rows["metric"] or any(None in row[3:5] for row in rows["metric"]):
            raise PublicationError(
                "the warehouse has no complete metrics of this week",
                where=f"reporting.rpt_metric, week {week_id}",
                remediation="pull the channels and build the warehouse, or choose a week of the "
                "campaign",
            )
        _count_deadlines(rows, label)
        # A published period keeps its threshold: another one would change what is hidden.
        threshold = parameters["threshold"] or office.small_cell_threshold
        if threshold != office.small_cell_threshold:
            label["district_threshold"] = threshold
        _choose_districts(rows, label, threshold)
        _choose_details(rows, label, threshold, is_repeated=bool(parameters["repeated_details"]))
        if rows["profile"]:
            rows["metric_contributor"] += rows["profile_contributor"] + rows["need_contributor"]
            rows["metric_contributor"] += rows["plan_contributor"]
        label["need"] = _named(Need, rows["need"])
        label["plan"] = _named(Plan, rows["plan"])
        label["vulnerability"] = _named(Vulnerability, rows["vulnerability"])
        outlines = maps.outlines(settings, office)
        for regency in label["regency"]:
            regency["outline"] = outlines.get(regency["code"], [])
        label["office"] = office.frozen()
        label["known"] = "then" if then else "now"
        return _store(connection, parameters, rows, label, settings, database_url)


def _require_same_area(connection: psycopg.Connection, settings: Settings, area_code: str) -> None:
    """Refuse an office another area than before, and an area another office than before.

    Editions are compared within an office. The districts of one area in editions of two offices
    would give hidden counts away.
    """
    other = store.value(
        connection,
        "select edition_id from published.edition where state in ('approved', 'published')"
        " and (office_code = %(office)s) <> (area_code = %(area)s) limit 1",
        {"office": settings.office, "area": area_code},
    )
    if other:
        raise PublicationError(
            f"{other} was published by another office for this area, or by this office for another",
            where=f"the area {area_code} in {settings.config}",
            remediation="let each office go on with the area it has published for"
            " (docs/how-to/use-several-provinces.md)",
        )


def _named(kind: type[Need | Plan | Vulnerability], rows: Rows) -> list[dict[str, Any]]:
    """Return rows as a label holds them: values by the name of the field, days as ISO 8601."""
    names = [field.name for field in fields(kind)]
    return [
        {
            name: value.isoformat() if isinstance(value, date) else value
            for name, value in zip(names, row, strict=True)
        }
        for row in rows
    ]


def _read(
    connection: psycopg.Connection,
    week_id: str,
    settings: Settings,
    area_code: str,
    then: point_in_time.PointInTime | None,
) -> tuple[dict[str, Any], dict[str, Rows], dict[str, Any]]:
    """Return the parameters of the week's statements, the rows of `READ`, and the label."""
    suffix = then.schema_suffix if then else ""

    def query(name: str) -> str:
        """Return a statement that reads the schemas of this freeze."""
        return re.sub(r"\b(marts|reporting)\.", rf"\1{suffix}.", statement(name))

    closed = as_of(week_id)
    is_of_country = area_code == country(settings)
    parameters: dict[str, Any] = {
        "office": settings.office,
        "area": area_code,
        # None: all there are, also what has the code of none
        "provinces": [area_code] if len(areas(settings)) > 1 and not is_of_country else None,
        "code_length": len("19" if is_of_country else "19.01"),
        "week": week_id,
        "before": week_before(closed - timedelta(days=7)),
        "day": closed.date(),
        "watermark": then.max_batch_id
        if then
        else store.value(connection, statement("watermark"), {}),
        "data_at": closed if then else store.value(connection, statement("data_at"), {}),
        "not_compared": list(NOT_COMPARED),
        "details": [
            code
            for code, metric in registry.metrics().items()
            if code in registry.BESIDE_DETAILS or metric.is_detail
        ],
        "first": None,
        "last": None,
        "repeated": None,
        "repeated_details": None,
        "threshold": None,
    }
    try:
        weeks = connection.execute(query("week").encode(), parameters).fetchall()
        # Districts, and details of a regency's cases, are published by the province's own office.
        span = None if is_of_country else disclosure.period([week for (week,) in weeks])
        if span:
            parameters |= {"first": span[0], "last": span[1]}
            span = store.value(connection, statement("repeated_weeks"), parameters) or span
            parameters |= {"first": span[0], "last": span[1]}
            parameters["repeated"] = store.value(
                connection, statement("repeated_edition"), parameters
            )
            parameters["repeated_details"] = store.value(
                connection, statement("repeated_details"), parameters
            )
        rows: dict[str, Rows] = {
            name: []
            if is_of_country and name in OF_PROVINCES
            else connection.execute(query(name).encode(), parameters).fetchall()
            for name in READ
        }
        label: dict[str, Any] = store.value(connection, query("label"), parameters)
        if is_of_country:  # the codes of its places do not begin with its own
            label["area_code"] = area_code
            label["regency"] = store.value(connection, query("province"), parameters)
        elif (bps := store.value(connection, statement("bps_code"), parameters)) != area_code:
            label["area_bps_code"] = bps
        label["tip_outcomes"] = store.value(connection, query("tip_outcome"), parameters)
        label["prevention_rule"] = store.value(connection, query("prevention_rule"), parameters)
    except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
        raise PublicationError(
            f"the marts cannot be read: {str(error).splitlines()[0]}",
            where=f"week {week_id}",
            remediation="build the warehouse first: 'lumbung build'",
        ) from error
    if not is_of_country:
        found = prevention_effect.effects(
            connection, until=week_id, marts=f"marts{suffix}", province=area_code
        )
        label["effect"] = _effects(
            found, store.value(connection, statement("published_effect"), parameters) or []
        )
    label["district_weeks"] = span
    label["district_unit"] = "case"
    if rows["repeated_district_metric"]:  # an earlier release may have counted a case per theme
        label["district_unit"] = store.value(connection, statement("repeated_unit"), parameters)
        parameters["threshold"] = store.value(
            connection, statement("repeated_threshold"), parameters
        )
    return parameters, rows, label


def _effects(
    found: Mapping[str, prevention_effect.Effect], published: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """Return the comparisons of before and after that an edition publishes.

    One case more changes a ratio, and so gives away whether its district had an activity. What was
    published is therefore repeated until `disclosure.MORE_ACTIVITIES` further activities are
    compared, each of which adds the cases of eight weeks in its district.

    Args:
        found: the comparison of each theme of the seed.
        published: those of the newest published edition; of a week that was published, its own.

    """
    result = {each["issue_code"]: each for each in published if each["issue_code"] in found}
    for issue, effect in found.items():
        least = result[issue]["activities"] + disclosure.MORE_ACTIVITIES if issue in result else 0
        if effect.ratio is not None and effect.activity_count >= least:
            result[issue] = {
                "issue_code": issue,
                "activities": effect.activity_count,
                **{name: f"{getattr(effect, name):.2f}" for name in ("ratio", "low", "high")},
            }
    return [result[issue] for issue in sorted(result)]


def _count_deadlines(rows: dict[str, Rows], label: dict[str, Any]) -> None:
    """Count the deadlines in each state, zeros included, and those of cases before the campaign.

    Adds `deadline` to the rows, `before_campaign` to the label, and the contributors of both.
    """
    states = Counter(
        (regency, *key.split("/")) for _, key, regency, _, _ in rows["deadline_contributor"]
    )
    rows["deadline"] = [
        (rule, place["code"], state, states[place["code"], rule, state])
        for (rule,) in rows["deadline_rule"]
        for place in label["regency"]
        for state in registry.deadline_states("running", "ended")
    ]
    label["before_campaign"] = _before_campaign(
        rows["before_campaign"], rows["deadline_contributor"]
    )
    rows["metric_contributor"] += [*rows["deadline_contributor"], *rows["before_campaign"]]


def _before_campaign(facts: Rows, deadlines: Rows) -> dict[str, list[dict[str, Any]]]:
    """Count the facts from before the campaign, which no metric counts, and their deadlines."""
    contributors = {contributor for *_, contributor in facts}
    counts = Counter((regency, kind) for _, kind, regency, _, _ in facts)
    states = Counter(
        (*key.split("/"), regency)
        for _, key, regency, _, contributor in deadlines
        if contributor in contributors
    )
    return {
        "fact": [
            {"regency": regency, "kind": kind, "count": count}
            for (regency, kind), count in sorted(counts.items())
        ],
        "deadline": [
            {"rule": rule, "regency": regency, "state": state, "count": count}
            for (rule, state, regency), count in sorted(states.items())
        ],
    }


def _choose_districts(rows: dict[str, Rows], label: dict[str, Any], threshold: int) -> None:
    """Add `district_metric` and its contributors: repeated as published, or counted now."""
    if rows["repeated_district_metric"]:  # repeated unchanged even if the cases have changed
        rows["district_metric"] = rows["repeated_district_metric"]
        rows["metric_contributor"] += rows["repeated_district_contributor"]
        known_contributors = {contributor for contributor, _ in rows["contributor_record"]}
        rows["contributor_record"] += [
            row for row in rows["repeated_district_record"] if row[0] not in known_contributors
        ]
        return
    rows["metric_contributor"] += rows["district_contributor"]
    rows["district_metric"] = []
    if label["district_weeks"]:
        rows["district_metric"] += disclosure.district_metrics(
            (
                (regency, *key.split("/"), case)
                for _, key, regency, _, case in rows["district_contributor"]
            ),
            rows["district"],
            threshold,
        )


def _choose_details(
    rows: dict[str, Rows], label: dict[str, Any], threshold: int, *, is_repeated: bool
) -> None:
    """Add the contributors of the details by regency: repeated as published, or those of now.

    Adds `few_cases` to the label: the regencies whose details are not published.
    """
    details = [row for row in rows["metric_contributor"] if row[0] == "detail"]
    if not is_repeated:  # nobody has published the period, or an earlier release did
        details = rows["detail_contributor"]
        rows["metric_contributor"] += details
    cases = Counter(
        regency for _, key, regency, _, _ in details if key.startswith("suspected_violation/")
    )
    label["few_cases"] = disclosure.few_cases(cases, threshold)


def _store(
    connection: psycopg.Connection,
    parameters: Mapping[str, Any],
    rows: Mapping[str, Rows],
    label: dict[str, Any],
    settings: Settings,
    database_url: str,
) -> str:
    """Return the week's newest revision if its content is the same, else store a new one."""
    contributors = store.digest(rows["metric_contributor"])
    content = store.content_hash(
        parameters["week"],
        LANGUAGE,
        label,
        contributors,
        {name: rows[name] for name in store.TABLES},
    )
    restated = store.restatement_hash(rows["restatement"])
    previous = store.value(connection, statement("previous_edition"), parameters)
    latest = connection.execute(statement("latest_revision").encode(), parameters).fetchone()
    if latest and latest[2] == content and latest[3] != "rejected":
        found = store.load(latest[0], database_url=database_url)
        # A draft was compared with the editions published when it was frozen. This is not checked
        # once it is published, because it would then be compared with itself.
        if (
            (found.state == "draft" and latest[4:] == (restated, previous))
            or found.state == "published"
            or (
                found.state == "approved"
                and is_as_reviewed(found)
                and is_in_person(found, settings=settings, database_url=database_url)
            )
        ):
            return found.edition_id
    revision = latest[1] + 1 if latest else 1
    edition_id = of_revision(parameters["office"], parameters["week"], revision)
    connection.execute(
        statement("insert_edition").encode(),
        {
            **parameters,
            "edition": edition_id,
            "revision": revision,
            "language": LANGUAGE,
            "as_of": as_of(parameters["week"]),
            "content": content,
            "contributors": contributors,
            "records": store.digest(rows["contributor_record"]),
            "restated": restated,
            "label": Jsonb(label),
            "previous": previous,
        },
    )
    for name, columns in store.FROZEN.items():
        with connection.cursor().copy(
            f"copy published.{name} (edition_id, {columns}) from stdin".encode()
        ) as copy:
            for row in rows[name]:
                copy.write_row((edition_id, *row))
    return edition_id
