"""People's decisions on pairs of cases that may tell of one event (`marts.mart_report_pair`)."""

from __future__ import annotations

from typing import Literal

from lumbung import database
from lumbung.errors import ConfigurationError

Decision = Literal["same_event", "different", "undone"]


def decide(
    database_url: str, report_id: str, other_id: str, decision: Decision, *, by: str, note: str = ""
) -> None:
    """Write down a decision; the next build shows it, every rebuild keeps it.

    The last decision on a pair stands; `undone` takes it back. Neither case changes: a link
    never merges, every laporan keeps its legal number.

    Args:
        database_url: the warehouse.
        report_id: a case, `marts.fct_report.report_id`.
        other_id: another case; the order of the two does not matter.
        decision: what the person found.
        by: who, as the office names its people.
        note: why, without names of reporters or accused.

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
                cure="take both ids from a row of marts.mart_report_pair",
            )
        # As for a batch: no build takes a later decision for the last before this commits.
        connection.execute("select pg_advisory_xact_lock_shared(hashtext('lumbung.watermark'))")
        connection.execute(
            "insert into ops.link_decision (report_id_a, report_id_b, decision_code, decided_by,"
            " note) values (%s, %s, %s, %s, nullif(%s, ''))",
            (*pair, decision, by, note),
        )
