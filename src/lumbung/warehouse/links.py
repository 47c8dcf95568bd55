"""Pairs of cases that may describe one event (`marts.fct_report_pair`): read and decide on them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from decimal import Decimal
from typing import Literal, NamedTuple

import psycopg
from psycopg.rows import class_row

from lumbung import database
from lumbung.errors import ConfigurationError

Decision = Literal["same_event", "different", "undone"]


class Case(NamedTuple):
    """A case as `marts.fct_report` describes it; None where a value is not known.

    Attributes:
        record_id: its current version in `raw.record`.
        themes: names of its themes, one per line.

    """

    report_id: str
    record_id: int
    channel: str
    record_kind: str
    register_number: str | None
    received_date: date
    occurred_date: date | None
    regency: str
    district: str | None
    village: str | None
    themes: str | None
    status: str | None


class Pair(NamedTuple):
    """Two cases and the evidence that they describe one event.

    Attributes:
        cases: the two cases, in the order of the arguments.
        state: `candidate`, what a person decided, or None where the pair is not listed.
        weight: sum of the evidence in bits; None where the two were not compared.
        evidence: one line per field.

    """

    cases: tuple[Case, Case]
    state: str | None
    weight: Decimal | None
    evidence: list[str]


def read(database_url: str, report_id: str, other_id: str) -> Pair:
    """Two cases as the account of the URL may see them, and the evidence for one event.

    An account sees the rows of its own regencies. Narratives are in the vault.

    Args:
        database_url: the warehouse, for instance of `roles.role_url`.
        report_id: a case, `marts.fct_report.report_id`.
        other_id: another case.

    Raises:
        ConfigurationError: when the account sees no such case, or both are the same.

    """
    with database.connect(database_url, application="lumbung link show") as connection:
        cases = {
            case.report_id: case
            for case in connection.cursor(row_factory=class_row(Case)).execute(
                "select r.report_id, r.record_id, r.channel, r.record_kind, r.register_number,"
                " r.received_date, r.occurred_date, g.short_name as regency,"
                " d.district_name as district, v.village_name as village,"
                " (select string_agg(i.issue_name, E'\n' order by i.issue_name)"
                "  from marts.bridge_report_issue as b inner join marts.dim_issue as i"
                "  using (issue_code) where b.report_id = r.report_id) as themes,"
                " s.status_name as status from marts.fct_report as r"
                " inner join marts.dim_regency as g using (regency_code)"
                " left join marts.dim_district as d using (district_code)"
                " left join marts.dim_village as v using (village_code)"
                " left join marts.dim_status as s using (status_code)"
                " where r.report_id in (%(one)s, %(other)s)",
                {"one": report_id, "other": other_id},
            )
        }
        if cases.keys() != {report_id, other_id} or len(cases) != 2:
            raise ConfigurationError(
                f"{report_id} and {other_id} are not two different cases that this account may see",
                where="marts.fct_report",
                remediation="take both ids from an item of 'lumbung review'",
            )
        row = connection.execute(
            "select state_code, weight, evidence from marts.fct_report_pair"
            " where report_id_a = least(%(one)s, %(other)s)"
            " and report_id_b = greatest(%(one)s, %(other)s)",
            {"one": report_id, "other": other_id},
        ).fetchone()
    state, weight, evidence = row or (None, None, [])
    return Pair((cases[report_id], cases[other_id]), state, weight, evidence)


class Standing(NamedTuple):
    """The decision on a pair that is valid, who took it, its id, and why where that was given."""

    decision: Decision
    by: str
    decision_id: int
    note: str | None


def decisions(database_url: str) -> dict[tuple[str, str], Standing]:
    """Return the decision on each pair that has one, also where no build has applied it yet.

    Args:
        database_url: the warehouse, as a role that reads `ops`, such as `auditor`.

    Returns:
        pair, the smaller id first -> decision.

    """
    with database.connect(database_url, application="lumbung link") as connection:
        return {
            (one, other): Standing(*last)
            for one, other, *last in connection.execute(
                "select distinct on (report_id_a, report_id_b) report_id_a, report_id_b,"
                " decision_code, decided_by, decision_id, note from ops.link_decision"
                " order by report_id_a, report_id_b, decision_id desc"
            )
            if last[0] != "undone"
        }


def seen_by(database_url: str, report_ids: Collection[str]) -> set[str]:
    """Return the cases that the account of the URL sees, of these.

    Args:
        database_url: the warehouse, for instance of `roles.role_url`.
        report_ids: cases.

    """
    with database.connect(database_url, application="lumbung link") as connection:
        found = connection.execute(
            "select report_id from marts.fct_report where report_id = any(%s)", (list(report_ids),)
        )
        return {report_id for (report_id,) in found}


def standing(database_url: str, report_id: str, other_id: str) -> Standing | None:
    """Return the decision on a pair that is valid; None: there is none.

    Args:
        database_url: the warehouse, as a role that reads `ops`, such as `auditor`.
        report_id: a case.
        other_id: another case; the order of the two does not matter.

    """
    with database.connect(database_url, application="lumbung link") as connection:
        return _standing(connection, sorted((report_id, other_id)))


def _standing(connection: psycopg.Connection, pair: list[str]) -> Standing | None:
    last = connection.execute(
        "select decision_code, decided_by, decision_id, note from ops.link_decision"
        " where report_id_a = %s and report_id_b = %s order by decision_id desc limit 1",
        pair,
    ).fetchone()
    return None if last is None or last[0] == "undone" else Standing(*last)


def decide(
    database_url: str,
    report_id: str,
    other_id: str,
    decision: Decision,
    *,
    by: str,
    note: str = "",
    seen: int | None = None,
) -> Standing | None:
    """Record a decision on a pair; the next build and every later one apply it.

    The last decision on a pair is valid; `undone` withdraws the earlier ones. Cases are never
    merged: every laporan keeps its legal number.

    Args:
        database_url: the warehouse.
        report_id: a case, `marts.fct_report.report_id`.
        other_id: another case; the order of the two does not matter.
        decision: what the person found.
        by: who decided, as the office names its people.
        note: why, without the names of reporters or accused persons.
        seen: id of the valid decision that the person saw, 0 where there was none; another one,
            however shortly before it came, is left as it is. None: whichever is valid is replaced.

    Returns:
        the decision that was left as it is; None: this one was recorded.

    Raises:
        ConfigurationError: when a case does not exist, or both are the same.

    """
    pair = sorted({report_id, other_id})
    with database.connect(database_url) as connection:
        found = {
            str(known)
            for (known,) in connection.execute(
                "select report_id from marts.fct_report where report_id = any(%s)", (pair,)
            )
        }
        if len(pair) != 2 or found != set(pair):
            raise ConfigurationError(
                f"a link needs two different cases that exist, not {report_id} and {other_id}",
                where="marts.fct_report",
                remediation="take both ids from a row of marts.fct_report_pair",
            )
        if seen is not None:
            connection.execute(
                "select pg_advisory_xact_lock(hashtext('lumbung.link'), hashtext(%s))",
                ("/".join(pair),),
            )
            found_before = _standing(connection, pair)
            if found_before and found_before.decision_id != seen:
                return found_before
        # As for a batch: a build waits for this commit before it reads the last decision id.
        connection.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.watermark'))")
        connection.execute(
            "insert into ops.link_decision (report_id_a, report_id_b, decision_code, decided_by,"
            " note) values (%s, %s, %s, %s, nullif(%s, ''))",
            (*pair, decision, by, note),
        )
    return None
