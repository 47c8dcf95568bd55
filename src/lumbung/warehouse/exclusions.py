"""People's decisions to exclude a landed delivery from every metric, or to restore it."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, NamedTuple

from psycopg.rows import class_row

from lumbung import database
from lumbung.errors import ConfigurationError

Decision = Literal["excluded", "restored"]


class Excluded(NamedTuple):
    """A delivery that a person excluded and nobody restored.

    Attributes:
        record_id: the version that the decision named.

    """

    record_id: int
    channel: str
    decided_by: str
    decided_at: datetime
    reason: str
    decision_id: int


class NotCounted(NamedTuple):
    """How many deliveries of a channel no metric counts for one reason, by the last build."""

    channel: str
    reason: str
    record_count: int


def excluded(database_url: str) -> list[Excluded]:
    """Return what people excluded, the last decision first, also what no build has applied yet.

    Args:
        database_url: the warehouse, as a role that reads `ops`, such as `auditor`.

    """
    with database.connect(database_url, application="lumbung exclusions") as connection:
        return (
            connection.cursor(row_factory=class_row(Excluded))
            .execute(
                "select record_id, channel, decided_by, decided_at, reason, decision_id from ("
                "  select distinct on (channel, source_id) * from ops.exclusion_decision"
                "  order by channel, source_id, decision_id desc) as last_decision"
                " where decision_code = 'excluded' order by decision_id desc"
            )
            .fetchall()
        )


def not_counted(database_url: str) -> list[NotCounted]:
    """Return what no metric counts, by reason and channel, the largest number first.

    Nothing before the first build.

    Args:
        database_url: the warehouse, as a role that reads `reporting` of the whole province.

    """
    with database.connect(database_url, application="lumbung exclusions") as connection:
        built = connection.execute("select to_regclass('reporting.rpt_not_counted')").fetchone()
        if built == (None,):
            return []
        return (
            connection.cursor(row_factory=class_row(NotCounted))
            .execute(
                "select channel, reason, sum(record_count)::bigint as record_count"
                " from reporting.rpt_not_counted group by channel, reason"
                " order by record_count desc, reason, channel"
            )
            .fetchall()
        )


def decide(database_url: str, record_id: int, decision: Decision, *, by: str, reason: str) -> None:
    """Exclude the delivery that a record is a version of, or restore it, from the next build on.

    The decision is about the delivery (channel and source id). It also applies to every version
    that the source gives later, until the delivery is restored. An excluded delivery is in no
    metric; `reporting.rpt_not_counted` counts it with the reason `excluded_by_person`.

    Args:
        database_url: the warehouse.
        record_id: any version of the delivery, `raw.record.record_id`.
        decision: what the person decided.
        by: the account of the operating system that decides.
        reason: why, without the name of any person.

    Raises:
        ConfigurationError: when there is no such record, no reason, or the delivery is already in
            that state.

    """
    if not reason.strip():
        raise ConfigurationError(
            "a decision without a reason", where="--reason", remediation="say why, naming nobody"
        )
    with database.connect(database_url) as connection:
        found = connection.execute(
            "select channel, source_id from raw.record where record_id = %s", (record_id,)
        ).fetchone()
        if found is None:
            raise ConfigurationError(
                f"there is no record {record_id}",
                where="raw.record",
                remediation="take the record from 'lumbung review' or 'lumbung trace'",
            )
        connection.execute(
            "select pg_advisory_xact_lock(hashtext('lumbung.exclusion'), hashtext(%s))",
            ("/".join(found),),
        )
        # As for a batch: a build waits for this commit before it reads the last decision id.
        connection.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.watermark'))")
        last = connection.execute(
            "select decision_code from ops.exclusion_decision"
            " where channel = %s and source_id = %s order by decision_id desc limit 1",
            found,
        ).fetchone()
        is_excluded = last == ("excluded",)
        if is_excluded == (decision == "excluded"):
            raise ConfigurationError(
                f"the delivery of record {record_id} is {'already' if is_excluded else 'not'}"
                " excluded",
                where="ops.exclusion_decision",
                remediation="nothing needs to be done; otherwise give another record",
            )
        connection.execute(
            "insert into ops.exclusion_decision"
            " (channel, source_id, record_id, decision_code, decided_by, reason)"
            " values (%s, %s, %s, %s, %s, %s)",
            (*found, record_id, decision, by, reason.strip()),
        )
