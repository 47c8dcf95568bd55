"""The exceptions of Lumbung: one small tree, each message with what, where and what to do next."""

from __future__ import annotations


class LumbungError(Exception):
    """A failure that a person can act on.

    Args:
        what: what went wrong, as one sentence without a final period.
        where: the file and line, channel, table, address or stage it concerns.
        cure: what to do next, as one imperative sentence without a final period.

    """

    def __init__(self, what: str, *, where: str, cure: str) -> None:
        super().__init__(f"{what} [{where}]. {cure}.")
        self.what = what
        self.where = where
        self.cure = cure

    def __reduce__(self) -> tuple[object, ...]:
        """Pickle with the keyword arguments (Airflow and process pools send exceptions around)."""
        return (_rebuild, (type(self), self.what, self.where, self.cure))


def _rebuild(kind: type[LumbungError], what: str, where: str, cure: str) -> LumbungError:
    return kind(what, where=where, cure=cure)


class ConfigurationError(LumbungError):
    """A setting or a channel file is wrong: nothing was read or written."""


class ServiceError(LumbungError):
    """A part that Lumbung runs on (PostgreSQL, Airflow, the disk, a port) is not usable."""


class SourceError(LumbungError):
    """A channel's source could not be reached or did not speak as it should."""


class LandingError(LumbungError):
    """Deliveries could not be landed: nothing of the chunk was kept, the cursor has not moved."""


class BuildError(LumbungError):
    """A model or a test of the warehouse failed: readers keep seeing the previous build."""


class GateError(LumbungError):
    """A door's checks failed: nothing passed it."""


class PublicationError(LumbungError):
    """An edition could not be made, approved or published: the previous one stands."""
