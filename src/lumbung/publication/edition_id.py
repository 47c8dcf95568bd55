"""The ids of editions: `2024-W47-r1`, or of another office of the installation `76-2024-W47-r1`."""

from __future__ import annotations

from lumbung.settings import OFFICE

PATTERN = rf"(?:(?:{OFFICE.pattern})-)?\d{{4}}-W\d\d-r\d{{1,4}}"
"""A regular expression that an id matches as a whole."""


def of_revision(office: str, week_id: str, revision: int) -> str:
    """Return the id of an edition; an empty office is the installation's own."""
    return f"{office}-" * bool(office) + f"{week_id}-r{revision}"


def office_of(edition_id: str) -> str:
    """Return the code of the office that publishes an edition; empty: the installation's own."""
    code, dash, _ = edition_id.partition("-")
    return code if dash and OFFICE.fullmatch(code) else ""


def week_of(edition_id: str) -> str:
    """Return the ISO week of an edition."""
    return edition_id.removeprefix(f"{office_of(edition_id)}-").partition("-r")[0]
