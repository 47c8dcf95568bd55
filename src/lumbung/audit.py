"""The audit log: what people decided, one line each, chained by hash (migration 0073).

A line's hash is the SHA-256 of the hash before it, a line feed and the line. Each signed edition
carries the newest line's number and hash, so a chain that was rewritten or cut no longer fits.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from datetime import date, datetime
from pathlib import Path
from typing import NamedTuple

import psycopg

from lumbung import database
from lumbung.errors import ConfigurationError, LumbungError
from lumbung.files import write_private
from lumbung.publication.checks.stored import require_proven
from lumbung.publication.proof.manifest import MANIFEST, Manifest
from lumbung.settings import Settings

FIRST = "0" * 64
"""The hash before the first line."""


class Head(NamedTuple):
    """The newest line: its number (0: the log is empty) and its hash."""

    entry_id: int
    entry_hash: str


class Entry(NamedTuple):
    """A line of the log, read.

    Attributes:
        at: when it was written.
        login: the account that opened the database session.
        event: the table in which the decision was recorded, such as `published.approval`.
        person: who decided, as the program named them; None: the program itself.
        is_proved: whether a one-time code proved it.
        content: the decision's columns.

    """

    entry_id: int
    at: datetime
    login: str
    event: str
    person: str | None
    is_proved: bool
    content: dict[str, object]


def entries(database_url: str, *, before: int | None = None, limit: int = 100) -> list[Entry]:
    """Return lines of the log, the newest first.

    Args:
        database_url: the warehouse, as a role that reads `ops`, such as `auditor`.
        before: only lines with a smaller number; None: from the newest on.
        limit: how many at most.

    """
    with database.connect(database_url, application="lumbung audit") as connection:
        rows = connection.execute(
            "select line::jsonb from ops.audit_log where entry_id < coalesce(%s, entry_id + 1)"
            " order by entry_id desc limit %s",
            (before, limit),
        ).fetchall()
    return [
        Entry(
            line["entry"],
            datetime.fromisoformat(line["at"]),
            line["login"],
            line["event"],
            line["person"],
            line["is_proved"],
            line["content"] or {},
        )
        for (line,) in rows
    ]


ANCHORS = "anchors"
"""Folder in the home of the heads of each day."""


def anchor(today: date, *, settings: Settings, database_url: str) -> Path:
    """Write the head of the log to the day's file, for an office to keep outside the machine.

    Args:
        today: names the file, `LUMBUNG_HOME/anchors/2026-11-27.txt`.
        settings: the installation.
        database_url: the warehouse, as a role that reads the log, such as `auditor`.

    """
    with database.connect(database_url, application="lumbung audit") as connection:
        row = connection.execute(
            "select entry_id, entry_hash from ops.audit_log order by entry_id desc limit 1"
        ).fetchone()
    entry_id, entry_hash = row or (0, FIRST)
    file = settings.home / ANCHORS / f"{today}.txt"
    file.parent.mkdir(mode=0o700, exist_ok=True)
    write_private(file, f"lumbung audit log {today}: {entry_id} {entry_hash}\n")
    return file


def verify(*, settings: Settings, database_url: str, kept: Sequence[Path] = ()) -> Head:
    """Verify every line of the audit log, and the heads that editions and days carry.

    Args:
        settings: the installation; the files of `anchor` in its home are compared.
        database_url: the warehouse.
        kept: such files that an office kept elsewhere.

    Raises:
        LumbungError: when a line was changed, removed or inserted.
        ConfigurationError: when a file of `kept` holds no head.
        PublicationError: when a published edition, which carries a head, is not the signed one.

    """
    with database.connect(database_url, application="lumbung audit") as connection:
        connection.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        require_proven(connection, settings)
        files = [*sorted((settings.home / ANCHORS).glob("*.txt")), *kept]
        heads = {FIRST: ""} | _carried(connection) | {_head_in(file): str(file) for file in files}
        head = Head(0, FIRST)
        seen = {FIRST}
        for entry_id, line, previous_hash, entry_hash in connection.execute(
            "select entry_id, line, previous_hash, entry_hash from ops.audit_log order by entry_id"
        ):
            expected = head.entry_id + 1
            if entry_id != expected:
                raise _broken(f"line {expected} is missing")
            if previous_hash != head.entry_hash:
                raise _broken(f"line {entry_id} does not follow line {head.entry_id}: one of them"
                              " was changed, or another was inserted or removed")  # fmt: skip
            if entry_hash != line_hash(previous_hash, line):
                raise _broken(f"line {entry_id} was changed")
            if json.loads(line)["entry"] != entry_id:
                raise _broken(f"line {entry_id} stood at another place")
            head = Head(entry_id, entry_hash)
            seen.add(entry_hash)
    for entry_hash in heads.keys() - seen:
        raise _broken(
            f"the head {entry_hash} that {heads[entry_hash]} carries is missing: lines were removed"
            " at the end, or the log was written again"
        )
    return head


def _head_in(file: Path) -> str:
    try:
        found = re.search(r" ([0-9a-f]{64})\s*\Z", file.read_text(encoding="utf-8"))
    except (OSError, UnicodeError):
        found = None
    if found is None:
        raise ConfigurationError(
            "the file holds no head of the audit log",
            where=str(file),
            remediation="give a file that was kept of 'anchors' in the home",
        )
    return found[1]


def line_hash(previous_hash: str, line: str) -> str:
    """Return the hash of a line."""
    return hashlib.sha256(f"{previous_hash}\n{line}".encode()).hexdigest()


def _carried(connection: psycopg.Connection) -> dict[str, str]:
    """Return the edition that carries each head."""
    found = {}
    for edition_id, content in connection.execute(
        "select edition_id, content from published.artefact join published.edition"
        " using (edition_id) where state = 'published' and name = %s",
        (MANIFEST,),
    ):
        if head := Manifest(content, f"edition {edition_id}").value("audit"):
            found[head.partition(" ")[2]] = edition_id
    return found


def _broken(what: str) -> LumbungError:
    return LumbungError(
        f"the audit log does not hold: {what}",
        where="ops.audit_log",
        remediation="find who wrote to schema ops, and compare with a backup of the database",
    )
