"""The exceptions of Lumbung: each message names the error, its place and the next step."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import traceback
from collections.abc import Iterator
from pathlib import Path


class LumbungError(Exception):
    """A failure that a person can act on.

    Args:
        what: what went wrong, as one sentence without a final period.
        where: the file and line, channel, table, address or stage that it concerns.
        remediation: what to do next, as one imperative sentence without a final period.

    Attributes:
        exit_code: exit code of the command `lumbung`, one for each class of error. 2 means a wrong
            command line.

    """

    exit_code = 1

    def __init__(self, what: str, *, where: str, remediation: str) -> None:
        super().__init__(f"{what} [{where}]. {remediation}.")
        self.what = what
        self.where = where
        self.remediation = remediation

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments (Airflow and process pools send exceptions around)."""
        return (_rebuild, (type(self), self.what, self.where, self.remediation))


def _rebuild(kind: type[LumbungError], what: str, where: str, remediation: str) -> LumbungError:
    return kind(what, where=where, remediation=remediation)


class ConfigurationError(LumbungError):
    """A setting or a channel file is wrong: nothing was read or written."""

    exit_code = 4


class ServiceError(LumbungError):
    """A part that Lumbung runs on (PostgreSQL, Airflow, the disk, a port) is not usable."""

    exit_code = 3


class SourceError(LumbungError):
    """A channel's source could not be reached or did not speak as it should."""

    exit_code = 5


class LandingError(LumbungError):
    """Deliveries could not be landed: nothing of the chunk was kept, the cursor has not moved."""

    exit_code = 6


class BuildError(LumbungError):
    """A model or a test of the warehouse failed: readers keep seeing the previous build."""

    exit_code = 7


class CheckpointError(LumbungError):
    """A checkpoint failed: nothing passed it."""

    exit_code = 8


class PublicationError(LumbungError):
    """An edition could not be made, approved or published: the previous one stands."""

    exit_code = 9


class DestroyedKeyError(LumbungError):
    """A delivery does not open, because its key was destroyed: it was erased."""

    exit_code = 10


def without_path(error: Exception) -> str:
    """The class and text of an error; of an OSError without its path, which may name a person."""
    text = (error.strerror or "") if isinstance(error, OSError) else str(error)
    return f"{type(error).__name__} {text}".rstrip()


FULL = {errno.ENOSPC, errno.EDQUOT}
BARRED = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EMFILE}
MIN_FREE_BYTES = 32_000_000
"""Bytes; with less free space PostgreSQL cannot start another segment of its log (16 MiB)."""
DISK = "the disk is full"


def explained(error: Exception, home: Path) -> LumbungError:
    """Any exception as a LumbungError; a full disk is reported whichever operation failed.

    The traceback of an unexpected exception goes to a file that the message names.

    Args:
        error: the exception.
        home: the installation's folder; the free space of its disk is checked.

    """
    import psycopg

    causes = list(_causes(error))
    system = next((e for e in causes if isinstance(e, OSError) and e.errno in FULL | BARRED), None)
    if isinstance(error, LumbungError):
        if DISK in error.what:  # the demo has already explained it
            return error
        known = error
    elif system is not None:
        known = ServiceError(
            system.strerror or str(system),
            where=str(system.filename or home),
            remediation="let this account write there, then run the same again",
        )
    elif isinstance(error, psycopg.errors.LockNotAvailable):
        known = ServiceError(
            f"another session did not release a lock in time: {_first_line(error)}",
            where=" ".join(error.diag.context.split()) if error.diag.context else "PostgreSQL",
            remediation="find it ('select * from pg_stat_activity'), end it or wait for it, then"
            " run the same again",
        )
    elif isinstance(error, psycopg.errors.InsufficientPrivilege):
        known = ConfigurationError(
            f"the database's account may not do this: {_first_line(error)}",
            where=_saved_traceback(error),
            remediation="set LUMBUNG_DATABASE_URL to an account that may"
            " (docs/reference/rights.md#logins-of-commands), then run the same again; where it was"
            " not a person's own login, send that to whoever maintains Lumbung",
        )
    elif isinstance(error, psycopg.OperationalError):
        known = ServiceError(
            f"the database went away: {_first_line(error)}",
            where="PostgreSQL",
            remediation="start it with 'lumbung up' (or correct LUMBUNG_DATABASE_URL), then run the"
            " same again",
        )
    else:
        known = LumbungError(
            f"unexpected {type(error).__name__}: {_without_values(error) or _first_line(error)}",
            where=_saved_traceback(error),
            remediation="Run the same again; if it fails again, send that to whoever maintains "
            "Lumbung",
        )
    if (
        any(isinstance(e, OSError) and e.errno in FULL for e in causes)
        or any(isinstance(e, psycopg.errors.DiskFull) for e in causes)
        or any(map(_is_full, (home, Path(os.environ.get("TMPDIR", "/tmp")))))  # noqa: S108
    ):
        return ServiceError(
            f"{DISK} ({known.what})",
            where=known.where,
            remediation="free disk space, then run the same again",
        )
    return known


def _causes(error: BaseException) -> Iterator[BaseException]:
    """An exception, its causes and contexts, and the exceptions among its arguments."""
    pending, seen = [error], set[int]()
    while pending:
        current = pending.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        pending += [
            cause
            for cause in (current.__cause__, current.__context__, *current.args)
            if isinstance(cause, BaseException)
        ]


def _first_line(error: BaseException) -> str:
    return (str(error).strip().splitlines() or [""])[0]


def _without_values(error: BaseException) -> str | None:
    """What the database said without the values of a row; None for other errors.

    Details and contexts quote rows. So does the first line of a value that cannot be read.
    """
    import psycopg

    if not isinstance(error, psycopg.Error) or not error.sqlstate or not str(error):
        return None
    is_quoted = isinstance(error, psycopg.DataError)
    return f"SQLSTATE {error.sqlstate}" if is_quoted else _first_line(error)


def _is_full(folder: Path) -> bool:
    existing = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    return shutil.disk_usage(existing).free < MIN_FREE_BYTES


def _saved_traceback(error: BaseException) -> str:
    """The file that the traceback was written to, or its text if no file can be written.

    People send it to who maintains Lumbung, so it has nothing that PostgreSQL quotes of a row.
    """
    text = "".join(traceback.format_exception(error))
    for each in _causes(error):
        if without := _without_values(each):
            text = text.replace(str(each), without)
    try:
        with tempfile.NamedTemporaryFile(
            "w", prefix="lumbung-", suffix=".log", delete=False
        ) as log:
            log.write(text)
    except OSError:
        return text
    return log.name
