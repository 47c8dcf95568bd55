"""Unknown words, for stewards of the province: give each a code, which counts in every regency."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from lumbung.desk import review_list
from lumbung.desk.access import PROVINCE_ROLE, Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import NO_NUL, Office, Reason, RefusedError
from lumbung.errors import BuildError
from lumbung.intake import opening
from lumbung.settings import Settings
from lumbung.warehouse import mappings

CHECK = "word_unknown"
SHOWN = 40
"""Words of a page."""
Vocabulary = Annotated[str, Path(pattern=r"^[a-z_]{1,50}$")]
Term = Annotated[str, Query(min_length=1, max_length=200, pattern=NO_NUL)]
TermField = Annotated[str, Form(min_length=1, max_length=200, pattern=NO_NUL)]


@dataclass
class Word:
    """A word that no vocabulary has, or its pseudonym, in all channels and regencies.

    Attributes:
        record_id: a record that holds it.
        count: how many deliveries hold it.

    """

    vocabulary: str
    term: str
    record_id: int | None
    count: int
    since: date
    channels: set[str]

    @property
    def is_pseudonym(self) -> bool:
        """Whether it may be a name, so that the word itself lies in the vault."""
        return self.term.startswith("~")


def found(who: Person) -> dict[tuple[str, str], Word]:
    """Return the words that wait, or wait for a build, the most frequent first.

    Raises:
        RefusedError: when the person is no steward of the province.

    """
    if who.review_role != PROVINCE_ROLE:
        raise RefusedError(404, "not_found")
    try:
        items = review_list.items(who)
    except BuildError:
        return {}
    words: dict[tuple[str, str], Word] = {}
    for item in items:
        vocabulary, _, term = item.detail.partition(": ")
        # a word that may not be shown is not among the details
        if item.check_code != CHECK or not term or vocabulary not in mappings.vocabularies():
            continue
        word = words.setdefault(
            (vocabulary, term),
            Word(vocabulary, term, item.record_id, 0, item.since_date, set()),
        )
        word.count += item.record_count
        word.since = min(word.since, item.since_date)
        word.channels.add(item.channel)
    return dict(sorted(words.items(), key=lambda each: (-each[1].count, each[0])))


def routes(office: Office) -> APIRouter:
    """Return the routes of unknown words."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(
        request: Request, who: Person, word: Word, *, text: str | None = None, problem: str = ""
    ) -> Response:
        decided = mappings.mappings(database_url("auditor")).get((word.vocabulary, word.term))
        return office.pages.render(
            request,
            "word",
            who,
            status=422 if problem else 200,
            word=word,
            codes=mappings.codes(word.vocabulary),
            decided=decided,
            text=text,
            problem=problem,
        )

    @router.get("/tinjauan/kata")
    def listing(request: Request, who: Who) -> Response:
        words = found(who)
        decided = mappings.mappings(database_url("auditor"))
        waiting = [word for key, word in words.items() if key not in decided]
        return office.pages.render(
            request,
            "words",
            who,
            words=waiting[:SHOWN],
            count=len(waiting),
            decided=[mapping for key, mapping in decided.items() if key in words][:SHOWN],
        )

    @router.get("/tinjauan/kata/{vocabulary}")
    def one(request: Request, who: Who, vocabulary: Vocabulary, term: Term) -> Response:
        return show(request, who, _find(who, vocabulary, term))

    @router.post("/tinjauan/kata/{vocabulary}")
    def decide(
        request: Request,
        who: Who,
        vocabulary: Vocabulary,
        term: TermField,
        code: Annotated[str, Form(max_length=50, pattern=NO_NUL)] = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        word = _find(who, vocabulary, term)
        if code and code not in mappings.codes(vocabulary):
            raise RefusedError(422, "values")
        # The steward's own role has shown that the word waits.
        url = database_url("steward")
        mappings.decide(url, vocabulary, word.term, code or None, by=who.account)
        return RedirectResponse(f"{request.scope['root_path']}/tinjauan/kata", 303)

    @router.post("/tinjauan/kata/{vocabulary}/isi")
    def reveal(
        request: Request,
        who: Who,
        vocabulary: Vocabulary,
        term: TermField,
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        word = _find(who, vocabulary, term)
        if word.record_id is None or not word.is_pseudonym:
            raise RefusedError(404, "not_found")
        if not reason.strip():
            return show(request, who, word, problem="quarantine_no_reason")
        text = opening.open_word(
            database_url("custodian"),
            word.record_id,
            word.term,
            by=who.account,
            reason=reason,
            home=Settings.load().home,
        )
        return show(request, who, word, text=text or "")

    return router


def _find(who: Person, vocabulary: str, term: str) -> Word:
    """Return a word that waits; any other is as if it did not exist."""
    if word := found(who).get((vocabulary, term)):
        return word
    raise RefusedError(404, "not_found")
