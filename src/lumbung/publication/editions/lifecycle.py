"""The life of an edition: frozen, reviewed as a draft, approved or rejected, published.

`freeze` copies one week out of the warehouse; from then on the edition depends on nothing else.
`write_draft` renders it for review, `approve` binds a decision to the bytes that were reviewed,
`publish` renders the approved edition, stores its bytes and shows them as a folder.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Any, Literal

import psycopg
from psycopg.types.json import Jsonb

from lumbung import database, registry
from lumbung.errors import GateError, PublicationError, ServiceError
from lumbung.publication import restatement
from lumbung.publication.checks import disclosure
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.formats import maps, render
from lumbung.publication.model.edition import (
    TABLES,
    Edition,
    Rows,
    content_hash,
    digest,
    load,
    week_start,
)
from lumbung.publication.office import load_office
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse import point_in_time

__all__ = [
    "approve",
    "drafted",
    "freeze",
    "is_due",
    "load",
    "newest",
    "publish",
    "reject",
    "week_before",
    "write_draft",
]

LANGUAGE = "id"
BUILD_WAIT = "10min"
"""How long a freeze waits for a build that runs."""

_READ = {
    "figure": """
        select figure_code, category_code, regency_code,
            max(value) filter (where week_id = %(week)s and period = 'week'),
            max(value) filter (where week_id = %(week)s and period = 'to_date'),
            max(value) filter (where week_id = %(before)s and period = 'week')
        from reporting.rpt_figure
        where week_id in (%(week)s, %(before)s)
        group by 1, 2, 3
        having bool_or(week_id = %(week)s)""",
    "trend": """
        select figure_code, category_code, week_id, value
        from reporting.rpt_figure
        where week_id <= %(week)s and period = 'week' and regency_code = %(province)s""",
    "submission": """
        select s.district_code, d.district_name, s.regency_code, s.is_submitted, s.row_count,
            (select max(p.week_id) from marts.fct_submission as p
                where p.district_code = s.district_code and p.week_id <= %(week)s
                    and p.is_submitted)
        from marts.fct_submission as s join marts.dim_district as d using (district_code)
        where s.week_id = %(week)s""",
    # Judged at the edition's day, on what is known now: what ended later ran then, and where that
    # day lies between the bounds of a start or an end (fct_deadline), it may have been open: its
    # last day may have passed as soon as the earliest one has. The extended limit counts. Members
    # of the figures `deadline/RULE/REGENCY/STATE`.
    "clock": """
        select 'deadline', rule_code || '/' || case
                when end_to_date <= least(%(day)s, surely_until) then 'MET'
                when end_to_date <= %(day)s and end_from_date > extended_due_date then 'MISSED'
                when end_to_date <= %(day)s then 'MAYBE_MISSED'
                when %(day)s > extended_due_date and is_surely_open then 'OVERDUE'
                when %(day)s > surely_until then 'MAYBE_OVERDUE'
                when not is_surely_open then 'MAYBE_OPEN'
                when surely_until - %(day)s < 3 then 'DAYS_' || surely_until - %(day)s
                when surely_until - %(day)s < 6 then 'DAYS_3'
                else 'DAYS_6'
            end,
            regency_code, %(week)s, report_id
        from (
            select *, extended_due_date - (start_to_date - start_from_date) as surely_until,
                start_to_date <= %(day)s
                    and (end_from_date is null or %(day)s < end_from_date) as is_surely_open
            from marts.fct_deadline
            where start_from_date <= %(day)s
        ) as clocks""",
    "rule": "select distinct rule_code from reference.deadline_rule",
    "profile": """
        select regency_code, issue_code, case_count, base_count, share_pct, province_share_pct,
            location_quotient, location_quotient_lower, location_quotient_upper, is_marked,
            last_4_weeks_count, previous_4_weeks_count, trend_code, prevention_count,
            last_4_weeks_prevention_count
        from marts.mart_issue_profile
        where week_id = %(week)s""",
    "not_counted": """
        select n.channel, n.reason_code, coalesce(max(c.title), n.channel),
            coalesce(max(c.owner_name), 'n/a'), max(n.reason),
            coalesce(sum(n.record_count) filter (where n.week_id = %(week)s), 0)::bigint,
            sum(n.record_count)::bigint
        from reporting.rpt_not_counted as n left join reference.channel as c using (channel)
        where n.week_id <= %(week)s or n.week_id is null
        group by 1, 2""",
    "district_told": """
        select regency_code, district_code, district_name, group_code, to_date_value
        from published.district_figure where edition_id = %(told)s""",
    "district_member_told": """
        select figure_code, category_code, regency_code, week_id, member_id
        from published.figure_member where edition_id = %(told)s and figure_code = 'district'""",
    "district_record_told": """
        select distinct r.member_id, r.record_id
        from published.member_record as r
        join published.figure_member as m using (edition_id, member_id)
        where edition_id = %(told)s and m.figure_code = 'district'""",
    "district": "select regency_code, district_code, district_name from marts.dim_district",
    "figure_member": """
        select figure_code, category_code, regency_code, week_id, member_id
        from reporting.rpt_figure_member
        where week_id <= %(week)s""",
    "before_campaign": """
        select 'before_campaign', record_kind, regency_code, week_id, member_id
        from reporting.rpt_before_campaign
        where week_id <= %(week)s""",
    # what the profile counts: cases of every kind that name the theme
    "profile_member": """
        select 'profile', i.issue_code, m.regency_code, m.week_id, m.member_id
        from reporting.rpt_figure_member as m
        join marts.bridge_report_issue as i on i.report_id = m.member_id
        where m.figure_code in ('suspected_violation', 'tip') and m.week_id <= %(week)s""",
    # a case once in each group of themes, however many of its themes it names
    "district_member": """
        select distinct 'district', coalesce(r.district_code, '') || '/'
                || coalesce(%(groups)s::jsonb ->> m.category_code, %(other)s),
            m.regency_code, m.week_id, m.member_id
        from reporting.rpt_figure_member as m
        left join marts.fct_report as r on r.report_id = m.member_id
        where m.figure_code = 'suspected_violation_by_issue'
            and m.week_id between %(first)s and %(last)s""",
    "member_record": """
        select member_id, record_id from reporting.rpt_member_record where week_id <= %(week)s""",
    "restatement": restatement.QUERY,
}

_HALF_BUILT = """
    -- a build that began after the last whole one and reached what is read here
    select b.state from ops.build as b inner join ops.model_run as r using (build_id)
    where b.build_id > (
            select coalesce(max(build_id), 0) from ops.build
            where state = 'success' and seeds_hash <> '')
        and b.state <> 'success' and r.resource_type = 'model' and r.state <> 'skipped'
        and r.node_name ~ '^(dim|fct|bridge|mart|rpt)_'
    order by b.build_id desc limit 1"""

_WEEKS = """
    select distinct week_id from reporting.rpt_figure where week_id <= %(week)s order by 1"""

_PROVINCE = "select left(min(regency_code), 2) from marts.dim_regency"

_TOLD = """
    -- the edition that told of the districts in these weeks first
    select edition_id from published.edition
    where state in ('approved', 'published')
        and label -> 'district_weeks' = to_jsonb(array[%(first)s::text, %(last)s::text])
    order by frozen_at limit 1"""

_TOLD_UNIT = """
    select coalesce(label ->> 'district_unit', 'theme') from published.edition
    where edition_id = %(told)s"""

_TOLD_SPAN = """
    -- the districts' weeks that an edition has told and that overlap others: they are told again,
    -- and not those (the first counted week has moved)
    select label -> 'district_weeks' from published.edition
    where state in ('approved', 'published')
        and label -> 'district_weeks' ->> 0 <= %(last)s
        and label -> 'district_weeks' ->> 1 >= %(first)s
    order by label -> 'district_weeks' ->> 1 desc, frozen_at limit 1"""

_TOLD_OTHERWISE = """
    with told as (
        select d.edition_id, md5(string_agg(
            concat_ws('/', d.regency_code, d.district_code, d.group_code, d.to_date_value), ' '
            order by d.regency_code, d.district_code, d.group_code)) as cells
        from published.district_figure as d group by 1
    )
    select exists (
        select from published.edition as other
        join published.edition as mine
            on other.label -> 'district_weeks' ->> 0 <= mine.label -> 'district_weeks' ->> 1
                and mine.label -> 'district_weeks' ->> 0 <= other.label -> 'district_weeks' ->> 1
        join told as theirs on theirs.edition_id = other.edition_id
        join told as ours on ours.edition_id = mine.edition_id
        where mine.edition_id = %s and other.state in ('approved', 'published')
            and (other.label -> 'district_weeks' <> mine.label -> 'district_weeks'
                or theirs.cells <> ours.cells))"""

_WATERMARK = """
    -- what the marts rest on; where no build is recorded, what has been landed
    select coalesce((select max_batch_id from ops.build where state = 'success'
        order by build_id desc limit 1), (select max(batch_id) from raw.batch), 0)"""

_DATA_AT = """
    -- when the reading of what the marts rest on began
    select coalesce((select started_at from ops.build where state = 'success' and seeds_hash <> ''
        order by build_id desc limit 1), (select max(landed_at) from raw.batch), now())"""

_LABEL = """
    select jsonb_build_object(
        'regency', (
            select jsonb_agg(jsonb_build_object(
                'code', regency_code, 'bps_code', bps_code, 'name', regency_name,
                'tile_row', tile_row, 'tile_col', tile_col, 'is_unknown', is_unknown,
                'voters', voter_count, 'stations', polling_station_count
            ) order by is_unknown, regency_code collate "C")
            from marts.dim_regency),
        'campaign_start', (
            select start_date from marts.dim_stage where stage_code = 'KAMPANYE'),
        'held', (
            select coalesce(jsonb_agg(jsonb_build_object(
                'channel', channel, 'after_batch_id', held_after_batch_id,
                'title', channel_name, 'count', held_record_count, 'since', held_since_date,
                'reason', reason, 'reason_en', reason_en
            ) order by channel collate "C"), '[]')
            from reporting.rpt_channel_completeness
            where is_held),
        'legal_source', (
            select jsonb_agg(distinct legal_source) from reference.deadline_rule
            where %(day)s between valid_from and valid_to),
        'name', (
            select jsonb_object_agg(kind, names) from (
                select kind, jsonb_agg(
                    jsonb_build_object('code', code, 'id', name, 'en', coalesce(name_en, name))
                    order by sort_order, code collate "C") as names
                from (
                    select 'issue' as kind, issue_code as code, issue_name as name,
                        issue_name_en as name_en, sort_order
                    from reference.issue
                    union all
                    select 'issue_label', issue_code, issue_label, issue_label_en, sort_order
                    from reference.issue
                    union all
                    select 'violation_type', violation_type_code, violation_type_name,
                        violation_type_name_en, sort_order
                    from reference.violation_type
                    union all
                    select 'reason', upper(reason_code), reason_name, reason_name_en, sort_order
                    from reference.non_registration_reason where reason_code <> 'unstated'
                    union all
                    select 'forwarding_target', forwarding_target_code, forwarding_target_name,
                        forwarding_target_name_en, sort_order
                    from reference.forwarding_target
                    union all
                    select 'prevention_type', prevention_type_code, prevention_type_name,
                        prevention_type_name_en, sort_order
                    from reference.prevention_type where prevention_type_code <> 'UNSTATED'
                    union all
                    select 'set_apart_reason', reason_code, reason, reason_en, 0
                    from reference.set_apart_reason
                    union all
                    select distinct 'deadline_rule', rule_code, rule_name, rule_name_en, sort_order
                    from reference.deadline_rule
                ) as named
                group by kind
            ) as kinds))"""


def week_before(moment: datetime) -> str:
    """The ISO week that had ended at a moment (aware, any zone), by the calendar of Jakarta."""
    last = moment.astimezone(JAKARTA).date() - timedelta(days=7)
    year, week, _ = last.isocalendar()
    return f"{year}-W{week:02}"


def as_of(week_id: str) -> datetime:
    """When a week is closed for publication: the Monday after it, 06:00 WIB."""
    return datetime.combine(week_start(week_id) + timedelta(days=7), time(6), JAKARTA)


def is_due(week_id: str, *, latest: str, database_url: str) -> bool:
    """Whether the clock's run for a week has something to publish.

    The week that has just ended always; an earlier one, whose Monday was missed, when editions
    began before it and it has none yet. So an office that starts late is not asked for old weeks.

    Args:
        week_id: the week the run is for.
        latest: the week that has ended last.
        database_url: the warehouse.

    Raises:
        ServiceError: when no whole build of the marts has begun since the week ended, or what had
            been landed by its Monday, 06:00 WIB, is in none; worth another try.

    """
    closed = as_of(week_id)
    with database.connect(database_url, application="lumbung publication") as connection:
        has_begun, is_published, is_built = connection.execute(
            "select exists (select from published.edition where state = 'published'"
            " and week_id < %(week)s), exists (select from published.edition"
            " where state = 'published' and week_id = %(week)s), exists (select from ops.build"
            " where state = 'success' and seeds_hash <> '' and started_at >= %(ended)s"
            " and max_batch_id >= (select coalesce(max(batch_id), 0) from raw.batch"
            " where landed_at <= %(closed)s and landed_count + tombstone_count > 0))",
            {"week": week_id, "ended": closed.replace(hour=0), "closed": closed},
        ).fetchone() or (False, False, False)
    if week_id < latest and (is_published or not has_begun):
        return False
    if not is_built:
        raise ServiceError(
            "the marts have not been built since the week ended, with all that had come by then",
            where=f"week {week_id}",
            cure="run the DAG 'warehouse', then clear this task",
        )
    return True


def freeze(
    week_id: str, *, settings: Settings, database_url: str, known: Literal["now", "then"] = "now"
) -> str:
    """Copy a week's figures, their members, completeness and what was not counted into `published`.

    Idempotent by content: while the week's newest revision says the same and was not rejected, it
    is that edition; otherwise the next revision begins, as a draft. So does it where that revision
    was approved, is not published, and renders to other bytes now than those that were reviewed,
    or is a draft that compares itself with other editions than those that are published now.

    Args:
        week_id: an ISO week such as `2024-W47`.
        settings: where `expectations/edition.yaml` is; the edition keeps what it says.
        database_url: the warehouse.
        known: `now`: with all that the marts know; `then`: only with what had been landed by the
            Monday after the week, 06:00 WIB, read by today's rules. That builds the warehouse a
            second time, beside the marts, and needs the rights of its owner.

    Returns:
        the edition, such as `2024-W47-r1`.

    Raises:
        PublicationError: when the week has not ended, the warehouse has no complete figures of it,
            or a build broke off in the middle of the marts.
        ServiceError: when a build has not finished; worth another try.
        ConfigurationError: when `expectations/edition.yaml` cannot be read.
        BuildError: when what was known then cannot be built.

    """
    if as_of(week_id) > datetime.now(JAKARTA):
        raise PublicationError(
            f"the week has not ended: it is closed on {as_of(week_id):%Y-%m-%d %H:%M} WIB",
            where=f"week {week_id}",
            cure="choose a week that has ended",
        )
    if known == "now":
        return _freeze(week_id, settings, database_url, None)
    with point_in_time.known_at(
        as_of(week_id), settings=settings, database_url=database_url
    ) as found:
        return _freeze(week_id, settings, database_url, found)


def _freeze(
    week_id: str, settings: Settings, database_url: str, then: point_in_time.Past | None
) -> str:
    suffix = then.schema_suffix if then else ""

    def here(query: str) -> bytes:
        return re.sub(r"\b(marts|reporting)\.", rf"\1{suffix}.", query).encode()

    office = load_office(settings)
    with database.connect(database_url, application="lumbung publication") as connection:
        _wait_for_build(connection, week_id)
        # One snapshot, taken when nobody builds: a build is wholly in the edition or not at all.
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        connection.execute("lock table published.edition in share row exclusive mode")
        parameters = {
            "week": week_id,
            "before": week_before(as_of(week_id) - timedelta(days=7)),
            "day": as_of(week_id).date(),
            "first": None,
            "last": None,
            "told": None,
            "watermark": then.max_batch_id if then else _one(connection.execute(_WATERMARK)),
            "states": ["deadline", "profile", "district", "before_campaign"],
            "groups": Jsonb(disclosure.groups_of_issues()),
            "other": disclosure.OTHER,
        }
        if then is None and (state := _one(connection.execute(_HALF_BUILT))):
            raise PublicationError(
                f"the last build is {state} and had begun to change the marts",
                where="ops.build",
                cure="correct its cause, build again ('lumbung build'), then freeze again",
            )
        try:
            parameters["province"] = _one(connection.execute(here(_PROVINCE)))
            counted = connection.execute(here(_WEEKS), parameters).fetchall()
            span = disclosure.period([week for (week,) in counted])
            if span:
                parameters |= {"first": span[0], "last": span[1]}
                if told := _one(connection.execute(_TOLD_SPAN, parameters)):
                    span = tuple(told)
                    parameters |= {"first": span[0], "last": span[1]}
                parameters["told"] = _one(connection.execute(_TOLD, parameters))
            rows: dict[str, Rows] = {
                name: connection.execute(here(query), parameters).fetchall()
                for name, query in _READ.items()
            }
            label = _one(connection.execute(here(_LABEL), parameters))
        except (psycopg.errors.UndefinedTable, psycopg.errors.UndefinedColumn) as error:
            raise PublicationError(
                f"the marts cannot be read: {str(error).splitlines()[0]}",
                where=f"week {week_id}",
                cure="build the warehouse first: 'lumbung build'",
            ) from error
        states = Counter((regency, *key.split("/")) for _, key, regency, _, _ in rows["clock"])
        rows["deadline"] = [
            (rule, place["code"], state, states[place["code"], rule, state])
            for (rule,) in rows["rule"]
            for place in label["regency"]
            for state in registry.deadline_states("running", "ended")
        ]
        label["before_campaign"] = _before_campaign(rows["before_campaign"], rows["clock"])
        rows["figure_member"] += [*rows["clock"], *rows["before_campaign"]]
        if rows["profile"]:
            rows["figure_member"] += rows["profile_member"]
        if rows["district_told"]:  # repeated unchanged, whatever has become of the cases
            rows["figure_member"] += rows["district_member_told"]
            known_members = {member for member, _ in rows["member_record"]}
            rows["member_record"] += [
                row for row in rows["district_record_told"] if row[0] not in known_members
            ]
        else:
            rows["figure_member"] += rows["district_member"]
        label["known"] = "then" if then else "now"
        if not rows["figure"] or any(None in row[3:5] for row in rows["figure"]):
            raise PublicationError(
                "the warehouse has no complete figures of this week",
                where=f"reporting.rpt_figure, week {week_id}",
                cure="pull the channels and build the warehouse, or choose a week of the campaign",
            )
        label["office"] = office.model_dump(mode="json")
        outlines = maps.outlines(settings, office)
        for regency in label["regency"]:
            regency["outline"] = outlines.get(regency["code"], [])
        label["district_weeks"] = span
        label["district_unit"] = "case"
        if rows["district_told"]:  # by an earlier release once for each theme, and repeated so
            label["district_unit"] = _one(connection.execute(_TOLD_UNIT, parameters))
        rows["district_figure"] = []
        if span:
            rows["district_figure"] = rows["district_told"] or list(
                disclosure.district_figures(
                    (
                        (regency, *key.split("/"), case)
                        for _, key, regency, _, case in rows["district_member"]
                    ),
                    rows["district"],
                    office.small_cell_threshold,
                )
            )
        members = digest(rows["figure_member"])
        content = content_hash(
            week_id, LANGUAGE, label, members, {name: rows[name] for name in TABLES}
        )
        restated = digest(rows["restatement"])
        previous = _one(
            connection.execute(
                "select edition_id from published.edition where state = 'published'"
                " and week_id < %(week)s and batch_watermark <= %(watermark)s"
                " order by week_id desc, revision desc limit 1",
                parameters,
            )
        )
        latest = connection.execute(
            "select edition_id, revision, content_hash, state, restatement_hash,"
            " previous_edition_id from published.edition"
            " where week_id = %s order by revision desc limit 1",
            (week_id,),
        ).fetchone()
        if latest and latest[2] == content and latest[3] != "rejected":
            found = load(latest[0], database_url=database_url)
            # A draft compares with what was published when it was frozen; once it is published
            # itself, its own revision would be among that.
            if (
                (found.state == "draft" and latest[4:] == (restated, previous))
                or found.state == "published"
                or (found.state == "approved" and _is_as_reviewed(found))
            ):
                return found.edition_id
        revision = latest[1] + 1 if latest else 1
        edition_id = f"{week_id}-r{revision}"
        connection.execute(
            "insert into published.edition (edition_id, week_id, revision, language, as_of,"
            " content_hash, member_hash, record_hash, restatement_hash, label,"
            " previous_edition_id, batch_watermark, data_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
            (
                edition_id,
                week_id,
                revision,
                LANGUAGE,
                as_of(week_id),
                content,
                members,
                digest(rows["member_record"]),
                restated,
                Jsonb(label),
                previous,
                parameters["watermark"],
                as_of(week_id) if then else _one(connection.execute(_DATA_AT)),
            ),
        )
        columns = TABLES | {
            "figure_member": "figure_code, category_code, regency_code, week_id, member_id",
            "member_record": "member_id, record_id",
            "restatement": restatement.COLUMNS,
        }
        for name, names in columns.items():
            with connection.cursor().copy(
                f"copy published.{name} (edition_id, {names}) from stdin".encode()
            ) as copy:
                for row in rows[name]:
                    copy.write_row((edition_id, *row))
    return edition_id


def _before_campaign(facts: Rows, clocks: Rows) -> dict[str, list[dict[str, Any]]]:
    """How many facts from before the campaign no figure counts, and which deadlines are theirs."""
    members = {member for *_, member in facts}
    counts = Counter((regency, kind) for _, kind, regency, _, _ in facts)
    states = Counter(
        (*key.split("/"), regency) for _, key, regency, _, member in clocks if member in members
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


def _wait_for_build(connection: psycopg.Connection, week_id: str) -> None:
    """Keep builds out until the connection is closed: dbt commits them model by model."""
    connection.autocommit = True
    try:
        connection.execute(f"set lock_timeout = '{BUILD_WAIT}'".encode())
        connection.execute("select pg_advisory_lock_shared(hashtext('lumbung.build'))")
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            f"a build has not finished within {BUILD_WAIT}",
            where=f"week {week_id}",
            cure="wait for it, or end its process, then freeze again",
        ) from error
    connection.autocommit = False


def write_draft(edition_id: str, *, settings: Settings, database_url: str) -> dict[str, str]:
    """Render a draft for review into `LUMBUNG_HOME/drafts/<edition_id>/`.

    Returns:
        the path of each file and its sha256: what `approve` takes as `reviewed`.

    Raises:
        PublicationError: when the edition is no draft.
        ServiceError: when the files cannot be written.

    """
    edition = _in_state(load(edition_id, database_url=database_url), "draft")
    artefacts = render.render(edition)
    folder = settings.home / "drafts" / edition_id
    _reveal(_set_aside(folder, artefacts), folder)
    return {str(folder / name): _sha256(content) for name, content in artefacts.items()}


def newest(week_id: str, *, database_url: str) -> str:
    """The newest revision of a week, in whatever state.

    Raises:
        PublicationError: when the week has none.

    """
    with database.connect(database_url, application="lumbung publication") as connection:
        found = _one(
            connection.execute(
                "select edition_id from published.edition where week_id = %s"
                " order by revision desc limit 1",
                (week_id,),
            )
        )
    if found is None:
        raise PublicationError(
            "the week has no edition yet",
            where=f"week {week_id}",
            cure=f"draft it first: 'lumbung publish {week_id}'",
        )
    return str(found)


def drafted(edition_id: str, *, settings: Settings) -> dict[str, str]:
    """The files of a draft as they lie there for review, with their sha256, as `write_draft`.

    Raises:
        PublicationError: when there are none: nobody can have reviewed them.

    """
    folder = settings.home / "drafts" / edition_id
    files = sorted(f for f in folder.rglob("*") if f.is_file())
    if not files:
        raise PublicationError(
            "no draft of this edition lies here, so nobody has reviewed it",
            where=str(folder),
            cure=f"draft it first: 'lumbung publish {edition_id.partition('-r')[0]}'",
        )
    return {str(file): _sha256(file.read_bytes()) for file in files}


def approve(
    edition_id: str,
    *,
    by: str,
    database_url: str,
    how: Literal["person", "demo"] = "person",
    comment: str = "",
    reviewed: Mapping[str, str] | None = None,
) -> None:
    """Approve a draft; the decision names the sha256 of the files it was taken on.

    The same decision told again changes nothing: a task that was killed after it may be retried.

    Args:
        edition_id: the newest revision of its week.
        by: who decides, as it will be printed.
        database_url: the warehouse.
        how: `demo` when the demo approves by itself; the edition says so.
        comment: kept with the decision, not printed.
        reviewed: what `write_draft` returned. When given, it must be what the draft renders to
            now: nobody signs bytes that will not be published.

    Raises:
        PublicationError: when it is no draft, has not passed the gate, is not the newest of its
            week, or was reviewed in another form.

    """
    _decide(edition_id, "approved", by, how, comment, reviewed, database_url)


def reject(
    edition_id: str,
    *,
    by: str,
    database_url: str,
    how: Literal["person", "demo"] = "person",
    comment: str = "",
    reviewed: Mapping[str, str] | None = None,
) -> None:
    """Reject a draft; the next freeze of the week begins a new revision. Arguments as `approve`.

    Raises:
        PublicationError: as `approve`.

    """
    _decide(edition_id, "rejected", by, how, comment, reviewed, database_url)


def publish(edition_id: str, *, settings: Settings, database_url: str) -> list[str]:
    """Publish an approved edition: its bytes into `published.artefact`, then as a folder.

    The database decides: one transaction holds the bytes and the new state, and the folder
    `LUMBUNG_HOME/editions/<edition_id>/`, complete before that transaction, appears by one rename
    after it. Killed in between, the next call restores the folder from the stored bytes; called
    on a published edition it changes nothing else.

    Returns:
        the paths of the artefacts.

    Raises:
        PublicationError: when the edition is not approved, or its draft does not render to the
            bytes any more that were reviewed (Lumbung itself has changed meanwhile).
        GateError: when personal data is found in the bytes to be published.
        ServiceError: when the folder cannot be written.

    """
    folder = settings.editions / edition_id
    edition = load(edition_id, database_url=database_url)
    if edition.state != "published":
        _in_state(edition, "approved")
        if not _is_as_reviewed(edition):
            raise PublicationError(
                "the draft does not render to the files any more that were reviewed: templates or"
                " code are others now",
                where=f"edition {edition_id}",
                cure="freeze the week again: a new revision begins, to be reviewed in its new form",
            )
        artefacts = render.render(edition)
        for name, content in artefacts.items():
            for found in find_personal_data(name, content):
                raise GateError(
                    f"{name} holds {found}",
                    where=f"edition {edition_id}",
                    cure="find the name or reason that carries it, correct it at its source, "
                    "build and freeze again",
                )
        aside = _set_aside(folder, artefacts)
        with database.connect(database_url, application="lumbung publication") as connection:
            state = _one(
                connection.execute(
                    "select state from published.edition where edition_id = %s for update",
                    (edition_id,),
                )
            )
            if state == "approved":
                connection.cursor().executemany(
                    "insert into published.artefact (edition_id, name, sha256, byte_count, content)"
                    " values (%s, %s, %s, %s, %s)",
                    [
                        (edition_id, name, _sha256(content), len(content), content)
                        for name, content in artefacts.items()
                    ],
                )
                _move(connection, edition_id, "published")
        if state == "approved":
            _reveal(aside, folder)
        else:  # another process was faster
            shutil.rmtree(aside, ignore_errors=True)
    with database.connect(database_url, application="lumbung publication") as connection:
        stored: dict[str, bytes] = dict(
            connection.execute(
                "select name, content from published.artefact where edition_id = %s order by name",
                (edition_id,),
            ).fetchall()
        )
    if _read(folder) != stored:
        _reveal(_set_aside(folder, stored), folder)
    return [str(folder / name) for name in stored]


def _decide(
    edition_id: str,
    decision: str,
    by: str,
    how: str,
    comment: str,
    reviewed: Mapping[str, str] | None,
    database_url: str,
) -> None:
    edition = load(edition_id, database_url=database_url)
    # `.../drafts/2024-W47-r1/data/angka.csv` is the file `data/angka.csv`
    wanted = reviewed and {k.rpartition(f"/{edition_id}/")[2]: v for k, v in reviewed.items()}
    taken = edition.decision
    if (
        taken
        and (taken.decision, taken.how, taken.decided_by) == (decision, how, by)
        and wanted in (None, dict(taken.reviewed))
    ):
        return
    _in_state(edition, "draft")
    rendered = _hashes(edition)
    if wanted not in (None, rendered):
        raise PublicationError(
            "the files that were reviewed are not what the draft renders to now",
            where=f"edition {edition_id}",
            cure="render the draft again and review that one",
        )
    with database.connect(database_url, application="lumbung publication") as connection:
        # One decision at a time: two drafts may tell of the same districts.
        connection.execute("lock table published.edition in share row exclusive mode")
        state, newest, is_checked = connection.execute(
            "select state, (select max(revision) from published.edition where week_id = %s),"
            " exists (select from published.gate_pass where edition_id = e.edition_id"
            " and coalesce(until_date, 'infinity') >= (now() at time zone 'Asia/Jakarta')::date)"
            " from published.edition as e where edition_id = %s for update",
            (edition.week_id, edition_id),
        ).fetchone() or ("missing", 0, False)
        _in_state(edition, "draft", found=state)
        if decision == "approved" and not is_checked:
            raise PublicationError(
                "the edition has not passed the publication gate, or its waiver has ended",
                where=f"edition {edition_id}",
                cure="run the gate on it first",
            )
        if decision == "approved" and newest != edition.revision:
            raise PublicationError(
                f"the week has a newer draft, revision {newest}",
                where=f"edition {edition_id}",
                cure=f"review {edition.week_id}-r{newest} instead",
            )
        if decision == "approved" and _one(connection.execute(_TOLD_OTHERWISE, (edition_id,))):
            raise PublicationError(
                "another edition has told of the districts in some of those weeks, and otherwise:"
                " between the two, hidden counts would come to light",
                where=f"edition {edition_id}",
                cure="freeze the week again; it will repeat what was published",
            )
        connection.execute(
            "insert into published.approval (edition_id, decision, how, decided_by, comment,"
            " reviewed) values (%s, %s, %s, %s, %s, %s)",
            (edition_id, decision, how, by, comment, Jsonb(rendered)),
        )
        _move(connection, edition_id, decision)


def _hashes(edition: Edition) -> dict[str, str]:
    """The sha256 of each file as which it is, or was, reviewed."""
    draft = replace(edition, state="draft", decision=None)
    return {name: _sha256(content) for name, content in render.render(draft).items()}


def _is_as_reviewed(edition: Edition) -> bool:
    """Whether what a decided edition was reviewed as is what it renders to now."""
    return edition.decision is not None and dict(edition.decision.reviewed) == _hashes(edition)


def _in_state(edition: Edition, wanted: str, *, found: str | None = None) -> Edition:
    """The edition, when its state is the wanted one."""
    state = found or edition.state
    if state != wanted:
        raise PublicationError(
            f"the edition is {state}, not {wanted}",
            where=f"edition {edition.edition_id}",
            cure="approve it first"
            if state == "draft"
            else "freeze the week again: what changed becomes a new revision",
        )
    return edition


def _move(connection: psycopg.Connection, edition_id: str, state: str) -> None:
    connection.execute(
        "update published.edition set state = %s where edition_id = %s", (state, edition_id)
    )


def _one(cursor: psycopg.Cursor) -> Any:
    row = cursor.fetchone()
    return row[0] if row else None


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(folder: Path) -> dict[str, bytes] | None:
    """The files of a folder by name, None where they cannot be read."""
    try:
        files = [file for file in folder.rglob("*") if file.is_file()]
        return {file.relative_to(folder).as_posix(): file.read_bytes() for file in files}
    except OSError:
        return None


def _set_aside(folder: Path, files: Mapping[str, bytes]) -> Path:
    """Write the files, safely on disk, beside the folder they will become."""
    aside = folder.with_name(f".{folder.name}.{os.getpid()}")
    try:
        shutil.rmtree(aside, ignore_errors=True)
        aside.mkdir(parents=True)
        for name, content in files.items():
            (aside / name).parent.mkdir(exist_ok=True)
            with (aside / name).open("wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
    except OSError as error:
        raise _unwritable(aside, error) from error
    return aside


def _reveal(aside: Path, folder: Path) -> None:
    """Give the files their place: by one rename, or file by file where the folder exists.

    What else lies in that folder is removed: it holds what was rendered and nothing more.
    """
    try:
        if folder.exists():
            wanted = {f.relative_to(aside) for f in aside.rglob("*") if f.is_file()}
            for file in [f for f in folder.rglob("*") if not f.is_dir()]:
                if file.relative_to(folder) not in wanted:
                    file.unlink()
            for name in sorted(wanted):
                (folder / name).parent.mkdir(exist_ok=True)
                (aside / name).replace(folder / name)
            shutil.rmtree(aside)
        else:
            aside.rename(folder)
        for left in folder.parent.glob(f".{folder.name}.*"):  # of a publication that was killed
            shutil.rmtree(left, ignore_errors=True)
        descriptor = os.open(folder.parent, os.O_RDONLY)
        os.fsync(descriptor)
        os.close(descriptor)
    except OSError as error:
        raise _unwritable(folder, error) from error


def _unwritable(path: Path, error: OSError) -> ServiceError:
    return ServiceError(
        f"the edition's files cannot be written: {error.strerror}",
        where=str(path),
        cure="free space or correct the permissions, then run it again",
    )
