"""The life of a channel: it is renamed, retired, removed and restored.

Records stay where they are, under the channel's name when they were landed: their ids, evidence,
cursor and what is in the vault belong to it. A new name is one of the channel's file, which keeps
the first one as its `id`. The file of a channel that is retired or removed is kept in
`ops.channel_decision`, so that nobody has to keep it; `restore` writes it again.

Each change is one commit or one rename of a file, behind the lock that pulls of the channel hold.
Killed in between, the next pull refuses the channel or goes on as before, and the same command
completes the change.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal, NamedTuple

import psycopg

from lumbung import database
from lumbung.errors import ConfigurationError
from lumbung.intake.channel.load import load_channel, read_channels
from lumbung.intake.channel.models import NAME
from lumbung.intake.channel.sync import sync
from lumbung.intake.run import ended, lock
from lumbung.settings import Settings

State = Literal["retired", "removed"]


class _Found(NamedTuple):
    """A channel.

    Attributes:
        channel: the name of its records.
        name: that of its file.
        path: its file.
        text: what the file says; None: there is no file.
        kept: what the file said when the channel was retired or removed.
        is_entry: whether the channel is an entry of a file's matrix.
    """

    channel: str
    name: str
    path: Path
    text: str | None
    kept: str | None
    is_entry: bool


def rename(old: str, new: str, *, settings: Settings, database_url: str) -> Path:
    """Give a channel another name; its records, its inbox and its cursor stay where they are.

    Args:
        old: its name.
        new: what its file, its DAG and the commands call it from now on.
        settings: where the channel files are.
        database_url: the warehouse.

    Returns:
        its file.

    Raises:
        ConfigurationError: when there is no such channel, its file has mistakes, or the new name is
            taken, also by records.
        ServiceError: when the channel is being pulled.
    """
    if not re.fullmatch(NAME, new):
        raise ConfigurationError(
            f"{new!r} cannot be a channel's name",
            where="lumbung channel rename",
            remediation="use small letters, digits and _, beginning with a letter",
        )
    channel = load_channel(settings.channels, old).name
    with _alone(database_url, channel) as db:
        channels, _ = read_channels(settings.channels)
        name = next((n for n, each in channels.items() if each.name == channel), None)
        target = settings.channels / f"{new}.yaml"
        taken = db.execute(
            "select exists (select from raw.batch where channel = %(new)s)"
            " or exists (select from ops.channel_state where channel = %(new)s)",
            {"new": new},
        ).fetchone()
        others = {each.name for each in channels.values()} - {channel}
        if (
            name is None
            or target.exists()
            or new in others
            or (new != channel and taken == (True,))
        ):
            raise ConfigurationError(
                f"there is a channel {new!r}, or there was one whose records are kept",
                where=str(target),
                remediation="use another name",
            )
        path = settings.channels / f"{name}.yaml"
        if not path.exists():
            raise _of_a_matrix(name, path, f"rename its entry, and write 'id: {channel}' in it")
        text = path.read_text(encoding="utf-8")
        if not re.search(r"^id:", text, re.MULTILINE):
            first = re.search(r"^(?!#|\s|---)", text, re.MULTILINE)
            at = first.start() if first else 0
            line = f"id: {channel} # its records are kept under this name; do not change it\n"
            _write(path, text[:at] + line + text[at:])
        return path.rename(target)


def end(
    name: str, state: State, *, by: str, reason: str, settings: Settings, database_url: str
) -> None:
    """Retire a channel, or remove it: it is pulled no more, and needs no file.

    The records of a retired channel count as before. Those of a removed one are excluded by the
    next build (`excluded_by_person`), until the channel is restored.

    Args:
        name: the channel, which may be without a file, or retired already.
        state: what becomes of it.
        by: who decides.
        reason: why, without anybody's name.
        settings: where the channel files are.
        database_url: the warehouse.

    Raises:
        ConfigurationError: when there is no such channel, it is in that state already, or the
            reason is missing.
        ServiceError: when the channel is being pulled.
    """
    _hold_to_reason(by, reason)
    with database.connect(database_url, application="lumbung channel") as db:
        channel = _found(db, settings, name).channel
    with _alone(database_url, channel) as db:
        found = _found(db, settings, name)
        if ended(db, channel) == state and found.text is None:
            raise ConfigurationError(
                f"channel {name} is {state} already",
                where="ops.channel_decision",
                remediation="nothing is to be done",
            )
        if found.is_entry:
            raise _of_a_matrix(name, found.path, "delete its entry, then run the same again")
        row = db.execute("select from reference.channel where channel = %s", (channel,))
        if not row.rowcount:
            sync(db, *read_channels(settings.channels))
        _decide(db, found, state, by, reason)
        if found.text is not None:
            found.path.unlink()


def restore(name: str, *, by: str, reason: str, settings: Settings, database_url: str) -> Path:
    """Take a retirement or a removal back: the channel's file is written as it was.

    Args:
        name: the channel.
        by: who decides.
        reason: why, without anybody's name.
        settings: where the channel files are.
        database_url: the warehouse.

    Returns:
        its file.

    Raises:
        ConfigurationError: when the channel is neither retired nor removed, its file is not known,
            or the reason is missing.
    """
    _hold_to_reason(by, reason)
    with database.connect(database_url, application="lumbung channel") as db:
        channel = _found(db, settings, name).channel
    with _alone(database_url, channel) as db:
        found = _found(db, settings, name)
        if ended(db, channel) is None:
            raise ConfigurationError(
                f"channel {name} is neither retired nor removed",
                where="ops.channel_decision",
                remediation="nothing is to be done",
            )
        if found.text is None and found.kept is None and not found.is_entry:
            raise ConfigurationError(
                f"channel {name} had no file when it was ended",
                where=str(found.path),
                remediation="write its file, then run the same command again",
            )
        if found.path.exists() and found.kept not in (None, found.text):
            raise ConfigurationError(
                "there is another file of that name",
                where=str(found.path),
                remediation="move or rename it, then run the same command again",
            )
        if found.text is None and found.kept is not None:
            _write(found.path, found.kept)
        _decide(db, found, "restored", by, reason)
        return found.path


def require_unended(name: str, *, database_url: str) -> None:
    """Require that no retired or removed channel has a name: its records are kept under it.

    Raises:
        ConfigurationError: when one has, as its file was called or as its records are.
    """
    with database.connect(database_url, application="lumbung channel") as db:
        row = db.execute(
            "select file_name, state from ops.channel_state"
            " where state <> 'active' and %s in (channel, file_name)",
            (name,),
        ).fetchone()
    if row is not None:
        raise ConfigurationError(
            f"there was a channel {name!r}, which is {row[1]}; its records are kept",
            where="ops.channel_state",
            remediation=f"undo that with 'lumbung channel restore {row[0]}', or use another name",
        )


@contextmanager
def _alone(database_url: str, channel: str) -> Iterator[psycopg.Connection]:
    """A connection that holds off other changes of channels, and pulls of this one."""
    with database.session(database_url, application="lumbung channel") as db:
        db.execute("select pg_advisory_lock(hashtext('lumbung.channels'))")
        lock(db, channel)
        yield db


def _found(db: psycopg.Connection, settings: Settings, name: str) -> _Found:
    """A channel by its file's name or by that of its records, whether it has a file or not.

    Raises:
        ConfigurationError: when there is no such channel.
    """
    channels, mistakes = read_channels(settings.channels)
    rows = db.execute(
        "select coalesce(s.channel, c.channel), coalesce(s.file_name, c.file_name), s.file_text"
        " from ops.channel_state as s full join reference.channel as c on s.channel = c.channel"
    ).fetchall()
    known = {row[0]: (row[1] or row[0], row[2]) for row in rows}
    called = {file_name: channel for channel, (file_name, _) in known.items()}
    files = {file_name: each.name for file_name, each in channels.items()}
    files |= {file_name: called.get(file_name, file_name) for file_name in mistakes}
    channel = files.get(name, called.get(name, name))
    names = {each: file_name for file_name, each in files.items()}
    if channel not in names and channel not in known:
        raise ConfigurationError(
            f"there is no channel {name!r}",
            where=str(settings.channels),
            remediation="use one that 'lumbung channel list' shows",
        )
    kept = known[channel][1] if channel in known else None
    file_name = names[channel] if channel in names else known[channel][0]
    path = settings.channels / f"{file_name}.yaml"
    is_there = channel in names and path.exists()
    text = None
    if is_there:  # PostgreSQL's text holds no NUL
        text = path.read_text(encoding="utf-8", errors="replace").replace("\0", "\ufffd")
    is_entry = file_name in channels and not path.exists()
    return _Found(channel, file_name, path, text, kept, is_entry)


def _of_a_matrix(name: str, path: Path, remediation: str) -> ConfigurationError:
    return ConfigurationError(
        f"channel {name} has no file of its own: it is an entry of a matrix",
        where=str(path.parent),
        remediation=remediation,
    )


def _decide(db: psycopg.Connection, found: _Found, decision: str, by: str, reason: str) -> None:
    db.execute(
        "insert into ops.channel_decision"
        " (channel, decision_code, file_name, file_text, decided_by, reason)"
        " values (%s, %s, %s, %s, %s, %s)",
        (
            *(found.channel, decision, found.name),
            *(found.kept if found.text is None else found.text, by.strip(), reason.strip()),
        ),
    )


def _hold_to_reason(by: str, reason: str) -> None:
    if not by.strip() or not reason.strip():
        raise ConfigurationError(
            "a decision without an author or a reason",
            where="--by, --reason",
            remediation="say who decides, and why, naming nobody in the reason",
        )


def _write(path: Path, text: str) -> None:
    """Write a channel file aside and rename it: it is never half-written."""
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
