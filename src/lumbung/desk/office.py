"""What the routes of every subject share.

Modules of routes do not import `annotations` from `__future__`: FastAPI reads the annotations of
functions within functions, which must be no strings.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Form, Request
from pydantic import BeforeValidator, StringConstraints

from lumbung.desk.access import Person
from lumbung.desk.airflow import Airflow
from lumbung.desk.guard import Tokens
from lumbung.desk.pages import Pages, texts
from lumbung.publication.checks.pii import personal_kinds
from lumbung.registry import LANGUAGES

NO_NUL = r"^[^\x00]*$"
"""The pattern of texts without the character NUL, which PostgreSQL does not store."""


@dataclass(frozen=True)
class Office:
    """What routes are made of.

    Attributes:
        who: a FastAPI dependency that returns the person who sent a request.
        tokens: verify the forms.
        pages: render the pages.
        airflow: returns Airflow as the person of a request may use it.

    """

    who: Callable[..., Person]
    tokens: Tokens
    pages: Pages
    airflow: Callable[[Request], Airflow]


class RefusedError(Exception):
    """A request that is answered by an error page.

    Args:
        status: the HTTP status.
        reason: a text's key without `error_`.

    """

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


Seen = Annotated[int, Form(ge=0, le=2**62)]
"""The id of the valid decision that a page showed, 0 where there was none."""
LINE_ENDS = BeforeValidator(
    # A file is left to the check that this is a text.
    lambda text: text.replace("\r\n", "\n") if isinstance(text, str) else text
)
"""Makes the end of a line one character: a browser counts it as one and sends two."""
Reason = Annotated[
    str,
    Form(),
    LINE_ENDS,
    StringConstraints(max_length=500, pattern=NO_NUL),
]
"""Why a person decides. A route asks `reason_problem` before it does anything."""


Why = Literal[
    "",
    # a word or place
    "same_meaning",
    "spelling",
    "spelled_so",
    "only_region",
    "asked",
    # what is undone
    "mistaken",
    "new_facts",
    # a pull, a pause and its end
    "new_data",
    "source_corrected",
    "source_wrong",
    "source_changing",
    "source_repaired",
    "test",
    # a file
    "regular_file",
    "corrected_file",
    "late_file",
]
"""A reason that a page offers; its text is `why_<reason>`."""
Chosen = Annotated[Why, Form(alias="why")]


def stated(why: str, reason: str) -> str:
    """Return the reason to record: the one that was chosen, in Indonesian, and what was added."""
    chosen = [texts(LANGUAGES[0])[f"why_{why}"]] if why else []
    return ". ".join([*chosen, *([reason.strip()] if reason.strip() else [])])


def is_conflict(valid: Sequence[object] | None, *given: object) -> bool:
    """Return whether the decision that is valid is not the one that was given.

    The same decision of the same person is a form that was sent twice, which is no conflict.

    Args:
        valid: what was decided, by whom, why: as much of it as is compared; None: nothing is valid.
        given: the same of the form.

    """
    return valid is not None and tuple(valid) != given


def reason_problem(reason: str, *, is_required: bool = True) -> str:
    """Return the key of the text that says why a reason is not taken; empty: it is."""
    if is_required and not reason.strip():
        return "quarantine_no_reason"
    return "error_reason_personal" if personal_kinds(reason) else ""
