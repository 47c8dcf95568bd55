"""Unknown words, for stewards of the province: give each a code, which counts in every regency."""

from dataclasses import dataclass
from datetime import date
from typing import Annotated

from fastapi import APIRouter, Depends, Form, Path, Query, Request
from starlette.responses import RedirectResponse, Response

from lumbung import stewardship
from lumbung.desk import review_list
from lumbung.desk.access import Person, database_url
from lumbung.desk.guard import Token
from lumbung.desk.office import (
    NO_NUL,
    Chosen,
    Office,
    Reason,
    RefusedError,
    Seen,
    is_conflict,
    reason_problem,
    stated,
)
from lumbung.desk.paging import After, page
from lumbung.desk.scope import titles
from lumbung.errors import BuildError
from lumbung.intake import opening
from lumbung.registry import Pair
from lumbung.settings import Settings
from lumbung.warehouse import mappings
from lumbung.warehouse.mappings import Mapping

Vocabulary = Annotated[str, Path(pattern=r"^[a-z_]{1,50}$")]
Term = Annotated[str, Query(min_length=1, max_length=200, pattern=NO_NUL)]
TermField = Annotated[str, Form(min_length=1, max_length=200, pattern=NO_NUL)]


@dataclass
class Word:
    """A word that no vocabulary has, or its pseudonym, in all channels and regencies.

    Attributes:
        term: empty for all words of the vocabulary that may not be shown.
        record_id: a record that holds it.
        count: how many deliveries hold it; 0: not known, because the last build has applied a
            decision on it.
        since: the day of the first one; None: not known.

    """

    vocabulary: str
    term: str
    record_id: int | None
    count: int
    since: date | None
    channels: set[str]

    @property
    def is_pseudonym(self) -> bool:
        """Whether it may be a name, so that the word itself lies in the vault."""
        return self.term.startswith("~")


def found(who: Person) -> dict[tuple[str, str], Word]:
    """Return the words that wait, or wait for a build, also to take a decision back.

    Raises:
        RefusedError: when the person is no steward of the whole warehouse.

    """
    if not who.is_steward_of_warehouse:
        raise RefusedError(404, "not_found")
    try:
        listed = stewardship.words(review_list.warehouse(who))
    except BuildError:
        return {}
    words: dict[tuple[str, str], Word] = {}
    vocabularies = mappings.vocabularies()
    for each in listed:
        vocabulary, _, term = each.detail.partition(": ")
        if vocabulary in vocabularies:
            words[vocabulary, term] = Word(
                *(vocabulary, term, each.record_id, each.record_count, each.since_date),
                set(each.channels),
            )
    for vocabulary, term in mappings.undone(database_url("auditor")):
        if vocabulary in vocabularies:  # neither a place nor one that the seeds no longer have
            words.setdefault((vocabulary, term), Word(vocabulary, term, None, 0, None, set()))
    return words


def routes(office: Office) -> APIRouter:
    """Return the routes of unknown words."""
    router = APIRouter()
    Who = Annotated[Person, Depends(office.who)]  # noqa: N806

    def show(
        request: Request, who: Person, word: Word, *, text: str | None = None, problem: str = ""
    ) -> Response:
        return office.pages.render(
            request,
            "word",
            who,
            status=422 if problem else 200,
            word=word,
            codes=mappings.codes(word.vocabulary),
            decided=_decided().get((word.vocabulary, word.term)),
            text=text,
            problem=problem,
            titles=titles(),
        )

    @router.get("/tinjauan/kata")
    def listing(
        request: Request, who: Who, after: After = "", after_decided: After = ""
    ) -> Response:
        words, decided = found(who), _decided()
        return office.pages.render(
            request,
            "words",
            who,
            waiting=page(
                (word for key, word in words.items() if key not in decided),
                lambda word: (-word.count, f"{word.vocabulary}: {word.term}"),
                after,
                lambda word: word.term,
            ),
            decided=page(
                decided.values(),
                lambda each: (-each.decision_id, ""),
                after_decided,
                lambda each: each.term,
            ),
            unapplied=words,
            titles=titles(),
            names=_names({vocabulary for vocabulary, _ in decided}),
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
        seen: Seen = 0,
        why: Chosen = "",
        reason: Reason = "",
        csrf: Token = "",
    ) -> Response:
        office.tokens.verify(request, who.account, csrf)
        word = _find(who, vocabulary, term)
        if code and code not in mappings.codes(vocabulary):
            raise RefusedError(422, "values")
        reason = stated(why, reason)
        if problem := reason_problem(reason):
            return show(request, who, word, problem=problem)
        # The steward's own role has shown that the word waits.
        url = database_url("steward")
        valid = mappings.decide(
            url, vocabulary, word.term, code or None, by=who.account, reason=reason, seen=seen
        )
        if is_conflict(valid and (valid.code, valid.decided_by), code, who.account):
            return show(request, who, word, problem="mapping_taken")
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
        if problem := reason_problem(reason):
            return show(request, who, word, problem=problem)
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


def _decided() -> dict[tuple[str, str], Mapping]:
    """Return the words that have a code by a decision, also those that a build has applied."""
    decided = mappings.mappings(database_url("auditor"))
    return {key: each for key, each in decided.items() if each.vocabulary != mappings.PLACE}


def _names(vocabularies: set[str]) -> dict[str, dict[str, Pair]]:
    """Return the names of the codes of vocabularies; an old decision may be of one that is gone."""
    return {each: mappings.codes(each) for each in vocabularies & mappings.vocabularies()}


def _find(who: Person, vocabulary: str, term: str) -> Word:
    """Return a word that waits or was decided; any other is as if it did not exist."""
    if word := found(who).get((vocabulary, term)):
        return word
    if (vocabulary, term) in _decided():
        return Word(vocabulary, term, None, 0, None, set())
    raise RefusedError(404, "not_found")
