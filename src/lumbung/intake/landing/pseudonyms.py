"""Pseudonyms: what may name a person is replaced before a delivery is stored.

Declared fields hold what people typed. Of their values `raw.record` keeps what names nobody: words
of the vocabularies, dates, codes, legal numbers, words of places, short numbers. Every other word
is replaced by a keyed hash of it, written in letters. What was replaced goes to the vault.

Equal words have equal pseudonyms. So a steward who has looked at one delivery decides on all of
them, and two versions of a narrative can still be compared. A narrative becomes a hash of its
beginning; its words are compared by their features (`lumbung.intake.features`).
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.landing.lexicon import (
    WORD,
    Lexicon,
    project_lexicon,
    term_key,
    words,
)
from lumbung.intake.parsers.characters import folded
from lumbung.intake.parsers.legal_numbers import LEGAL_NUMBER
from lumbung.intake.vault import Vault, associate
from lumbung.registry import canonical_fields
from lumbung.settings import Settings

ALGORITHM = 3
"""Raise this number with every change of this module or of `lexicon` that changes a pseudonym."""

LOCATOR = "lumbung:locator"
"""Key in the private part under which a delivery's place in its file is kept."""
MARK = "Tanda"
"""The label under which connectors of messages write what they recognised."""

COMPARED_CHARACTERS = 20
"""The beginning of a narrative that the raw checkpoint compares (expectations/raw.yaml)."""

SOURCE_ID = "lumbung:source_id"
"""Key in the private part under which the id that the source gives is kept."""

_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")  # a digit says a number
_MAX_CACHED = 10_000
_LONGEST_REMEMBERED = 60
_LONGEST_BLANK = 20
_TERM_LETTERS = 12
_LONGEST_NOTICE = 60
_HEAD_WORDS = 4
"""Words of the longest term for a kind of place."""
HASH_DIGITS = 12
"""Digits of the hash of a name of a file or sheet: the first ones of `Vault.content_hash`."""

_DIGITS = re.compile(r"\d+")
_TELEPHONE = re.compile(r"(?<!\d)(?:\+?62|0)[\s.-]?8\d{1,2}[\s.-]?\d{3,4}[\s.-]?\d{2,5}(?!\d)")
_COMPACT_DATE = re.compile(
    r"(?<!\d)(?:(?:0[1-9]|[12]\d|3[01])(?:0[1-9]|1[0-2])20\d\d"
    r"|20\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01]))(?!\d)"
)
_LONG_NUMBER = re.compile(r"\d{15}")  # a NIK has 16 digits, a NIP 18
_COUNT = re.compile(  # what the dbt macro whole_number reads, and nothing that names anybody
    r"(?:(?:sekitar|kurang lebih|lebih kurang|±|\+/-)\s*)?"
    r"(?:\d{1,3}(?:\.\d{3}){1,2}|\d{1,6})(?:[.,]0{1,2})?"
    r"(?:\s*(?:orang|org|peserta|jiwa|kegiatan|kali))?(?:\s*\.)?",
    re.IGNORECASE,
)
_SHORT_NUMBER = re.compile(r"\d{1,6}(?:[.,]0)?")
_CODE = re.compile(r"(?:0\d|[1-9]\d)(?:[.,\s]?\d\d){0,2}(?:[.,\s]?\d{3,4})?(?:[.,]0)?")
_DELETED = re.compile(
    "pesan ini (?:telah )?dihapus|anda (?:telah )?menghapus pesan ini"
    "|this message was deleted|you deleted this message"
)
_RECOGNISED = re.compile(r"[a-z ,()]{1,60}")  # what connectors write under MARK
_PLACE_IN_FILE = re.compile(
    r"(?:baris|submission|post|record|surat terlampir|halaman)? ?\d{1,12}(?: of the page)?"
)

_LONG_IN_ID = re.compile(r"[^\W\d_]{4}|\d{9}|@")
_ID_LETTERS = 20
_ID_WORDS = {"baris", "halaman", "kota", "post", "prov", "record", "submission", "surat", "uuid"}
# a number, a random id or a hash of a connector's, a legal number, what `of_id` has returned
_IMPERSONAL_ID = re.compile(
    r"\d{1,8}|(?:uuid:)?[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    r"|(?:\d{8}T\d{4}-)?[0-9a-f]{32,64}(?:-\d{1,6})?"
    rf"|{LEGAL_NUMBER.pattern}|~[a-p]{{{_ID_LETTERS}}}",
    re.IGNORECASE | re.ASCII,
)

Rule = Callable[[str], str]
"""A text as it is stored: the same where it names nobody."""


class Pseudonyms:
    """Replaces what may name a person in the deliveries of one channel.

    Args:
        channel: the channel.
        vault: holds the key of the hashes.
        lexicon: the words that name nobody; by default those of this installation's project.
    """

    def __init__(self, channel: Channel, vault: Vault, lexicon: Lexicon | None = None) -> None:
        self._lexicon = lexicon or project_lexicon(Settings.load().dbt_project, channel.province)
        self._state = _state(vault)
        self._digest = vault.content_hash
        # a stored record may have labels that the channel file named once
        self._values = defaultdict(
            lambda: _Values(self._bounded(False, [self._other])),
            {label: _Values(rule) for label, rule in self._rules(channel)},
        )
        self._names = _Values(self._of_part)
        self._declared = frozenset(
            word.lower()
            for label in (*channel.public, *channel.private, *channel.technical)
            for word in WORD.findall(label)
        )

    def _rules(self, channel: Channel) -> Iterable[tuple[str, Rule]]:
        """The rule of every public label."""
        fields: dict[str, list[str]] = {}
        for field, each in channel.fields.items():
            for label in each.labels:
                fields.setdefault(label, []).append(field)
        for label in channel.public.values():
            mapped = fields.get(label, [])
            parsers = {canonical_fields()[field].parser for field in mapped}
            rules = [self._rule(channel, field) for field in mapped]
            if parsers >= {"date", "place"}:  # 'Waktu dan Tempat' of a form
                rules.insert(0, _on_folded(self._date_and_place))
            if normalise(label) == normalise(MARK) and not mapped:
                rules = [self._mark]
            yield label, self._bounded("narrative" in mapped, rules or [self._other])

    def _rule(self, channel: Channel, field: str) -> Rule:
        canonical = canonical_fields()[field]
        if canonical.vocabulary:
            known = self._lexicon.terms[canonical.vocabulary]
            if field == "venue":
                return lambda text: self._head(text, known)
            separator = channel.fields[field].separator
            return lambda text: self._terms(text, known, separator)
        rules: dict[str, Rule] = {
            "register_number": self._legal_number,
            "suspicion": self._suspicion,
            "narrative": self._narrative,
        }
        parsers: dict[str, Rule] = {
            **{"date": self._date, "place": self._place, "code": self._code},
            "text": self._count,
        }
        if field in rules and field != "register_number":
            return rules[field]
        return _on_folded(rules.get(field) or parsers[canonical.parser])

    def of_payload(self, public: Mapping[str, Any]) -> dict[str, Any]:
        """Label -> stored value, for the values of a payload that are not stored as they are."""
        values = self._values
        replaced = {}
        for label, value in public.items():
            if value.__class__ is str:
                stored = values[label][value]
                if stored != value:
                    replaced[label] = stored
            elif value is not None and value.__class__ is not bool:
                stored = self._of_value(label, value)
                if stored != value:
                    replaced[label] = stored
        return replaced

    def _of_value(self, label: str, value: Any) -> Any:
        if isinstance(value, str):
            return self._values[label][value]
        if isinstance(value, list):
            return [self._of_value(label, each) for each in value]
        if value is None or isinstance(value, bool):
            return value
        text = str(value)
        stored = self._values[label][text]
        return value if stored == text else stored

    def of_locator(self, locator: str) -> str:
        """A locator without names: each of its parts that is no number becomes a hash."""
        if _PLACE_IN_FILE.fullmatch(locator):
            return locator
        return " | ".join([self._names[part] for part in locator.split(" | ")])

    def of_id(self, source_id: str) -> str:
        """A source id without names: one that may hold a name or telephone number is replaced.

        An id that was replaced stays as it is.
        """
        if _IMPERSONAL_ID.fullmatch(source_id) or _is_short_id(source_id):
            return source_id
        known = WORD.sub(lambda word: "" if word[0].lower() in _ID_WORDS else word[0], source_id)
        if _is_legal_number(source_id) or (known != source_id and _is_short_id(known)):
            return source_id
        return f"~{_letters(self._state, source_id, _ID_LETTERS)}"

    def of_label(self, label: str) -> str:
        """A label that no channel file declares: the same where its words are those of headers."""
        if not _has_personal_number(label) and all(
            len(word) <= 2 or word in self._declared or self._lexicon.is_label_word(word)
            for word in map(str.lower, WORD.findall(label))
        ):
            return label
        return self._of_term(label)

    def _of_part(self, part: str) -> str:
        if not part or _PLACE_IN_FILE.fullmatch(part):
            return part
        return f"#{self._digest(part.encode(errors='surrogatepass')).hex()[:HASH_DIGITS]}"

    def _of_term(self, term: str) -> str:
        return _term_pseudonym(self._state, term)

    # -- rules -------------------------------------------------------------------------------------

    def _bounded(self, is_narrative: bool, rules: list[Rule]) -> Rule:
        """The rule that keeps most decides.

        A blank text is kept. One that is longer than the build reads stays too long: such a value
        is listed for review (`too_long_fields`).
        """
        lexicon = self._lexicon
        bound = lexicon.max_narrative_bytes if is_narrative else lexicon.max_value_bytes

        def rule(text: str) -> str:
            if not text.strip() or (
                len(text) <= _LONGEST_BLANK and term_key(text) in lexicon.blank
            ):
                return text
            if len(text) * 4 > bound and len(text.encode(errors="surrogatepass")) > bound:
                return self._of_term(text).ljust(bound + 1, "x")
            found = [each(text) for each in rules]
            return text if text in found else max(found, key=_kept_words)

        return rule

    def _terms(self, text: str, known: frozenset[str], separator: str | None) -> str:
        """Words of a vocabulary: those that a seed has are kept."""
        if separator is None:
            return text if term_key(text) in known else self._other(text)
        parts = text.split(separator)
        stored = [
            each if term_key(each) in known or not each.strip() else self._other(each)
            for each in parts
        ]
        return text if stored == parts else separator.join(stored)

    def _head(self, text: str, known: frozenset[str]) -> str:
        """Of a place the words with which it begins, if a seed has them: 'rumah' of 'Rumah Sari'.

        Else its first word, so that one decision maps all places that begin with that word.
        """
        if term_key(text) in known:
            return text
        written = text.split()
        heads = [term_key(" ".join(written[:count])) for count in range(_HEAD_WORDS, 0, -1)]
        return next((head for head in heads if head in known), self._other(written[0]))

    def _other(self, text: str) -> str:
        """Anything else: short and legal numbers are kept, and words that mark a test."""
        stripped = text.strip()
        if _SHORT_NUMBER.fullmatch(stripped) or _is_legal_number(stripped):
            return text
        lexicon = self._lexicon
        if lexicon.has_test_word(text):
            kept = self._words(text, lexicon.test_words.__contains__)
            return _DIGITS.sub(
                lambda found: found[0] if found[0] in lexicon.test_words else "0", kept
            )
        return self._of_term(text)

    def _legal_number(self, text: str) -> str:
        return text if _is_legal_number(text) else self._other(text)

    def _count(self, text: str) -> str:
        return text if _COUNT.fullmatch(text.strip()) else self._other(text)

    def _mark(self, text: str) -> str:
        return text if _RECOGNISED.fullmatch(text) else self._of_term(text)

    def _suspicion(self, text: str) -> str:
        return text if term_key(text) in ("ada", "tidak ada") else self._of_term(text)

    def _code(self, text: str) -> str:
        return text if _CODE.fullmatch(text.strip()) else self._of_term(text)

    def _date_and_place(self, text: str) -> str:
        lexicon = self._lexicon
        return self._without_numbers(
            self._words(
                text, lambda word: lexicon.is_date_word(word) or lexicon.is_place_word(word)
            )
        )

    def _date(self, text: str) -> str:
        if _has_personal_number(text) or not _DIGITS.search(text):
            return self._of_term(text)
        return self._words(text, self._lexicon.is_date_word)

    def _place(self, text: str) -> str:
        lexicon = self._lexicon
        written = words(text)
        # 'Tobo Ali' is Toboali
        split = {
            word for pair in pairwise(written) if lexicon.is_place("".join(pair)) for word in pair
        }
        return self._without_numbers(
            self._words(text, lambda word: word in split or lexicon.is_place_word(word))
        )

    def _without_numbers(self, text: str) -> str:
        """A text without its digits, if some of them are the number of a person or telephone."""
        return _DIGITS.sub("0", text) if _has_personal_number(text) else text

    def _narrative(self, text: str) -> str:
        if len(text) <= _LONGEST_NOTICE and _DELETED.fullmatch(term_key(text)):
            return text
        if self._lexicon.has_test_word(text):
            return self._other(text)
        beginning = text.strip()[:COMPARED_CHARACTERS].lower()
        return f"~{_letters(self._state, beginning, COMPARED_CHARACTERS - 1)}"

    def _words(self, text: str, is_known: Callable[[str], bool]) -> str:
        """A text in which the words that are not known are replaced by letters."""

        def stored(found: re.Match[str]) -> str:
            word = found[0].lower()
            return (
                found[0]
                if is_known(word)
                else _letters(self._state, word, min(max(len(word), 4), 12))
            )

        return WORD.sub(stored, text)


class _Values(dict[str, str]):
    """A text of a label -> how it is stored; short texts are remembered."""

    def __init__(self, rule: Rule) -> None:
        super().__init__()
        self._rule = rule

    def __missing__(self, text: str) -> str:
        stored = self._rule(text)
        if len(text) <= _LONGEST_REMEMBERED and len(self) < _MAX_CACHED:
            self[text] = stored
        return stored


def _on_folded(rule: Rule) -> Rule:
    """A rule that reads full-width letters and the like as the plain ones, and stores these."""

    def act(text: str) -> str:
        plain = text if text.isascii() else folded(text)
        return rule(text if plain == text.lower() else plain)

    return act


def _kept_words(stored: str) -> bool:
    return not stored.startswith("~")


def _has_personal_number(text: str) -> bool:
    return bool(_LONG_NUMBER.search(text) or _TELEPHONE.search(_COMPACT_DATE.sub(" ", text)))


def _is_short_id(text: str) -> bool:
    """Whether an id has only short words and numbers, and none that is a telephone's."""
    return not _LONG_IN_ID.search(text) and not _has_personal_number(text)


def _is_legal_number(text: str) -> bool:
    return LEGAL_NUMBER.fullmatch(re.sub(r"\s", "", text).upper()) is not None


def seal_label(vault: Vault, channel: str, label: str) -> bytes:
    """Encrypt a label of a channel's source."""
    return vault.seal(label.encode(), associate(channel, "label"))


def open_label(vault: Vault, channel: str, sealed: bytes) -> str:
    """Decrypt what `seal_label` returned."""
    return vault.unseal(sealed, associate(channel, "label")).decode()


def term_pseudonym(vault: Vault, term: str) -> str:
    """The pseudonym of a word of a vocabulary, in any of its spellings."""
    return _term_pseudonym(_state(vault), term)


def pseudonym_version(channel: Channel) -> int:
    """Identifies the rules that a channel's values are stored by, a positive number of 63 bits.

    It does not change with the seeds: words that are mapped later are found by their pseudonyms.
    """
    fields = {
        name: [each.labels, each.separator, canonical_fields()[name].vocabulary]
        for name, each in channel.fields.items()
    }
    labels = [sorted(fields.items()), sorted(channel.public.items())]
    state = blake2b(repr([ALGORITHM, labels]).encode(), digest_size=8)
    return int.from_bytes(state.digest()) >> 1


def _state(vault: Vault) -> blake2b:
    return blake2b(digest_size=10, key=vault.pseudonym_key)


def _term_pseudonym(state: blake2b, term: str) -> str:
    return f"~{_letters(state, term_key(term), _TERM_LETTERS)}"


def _letters(state: blake2b, text: str, count: int) -> str:
    """The keyed hash of a text, in letters."""
    copy = state.copy()
    copy.update(text.encode(errors="surrogatepass"))
    return copy.hexdigest().translate(_LETTERS)[:count]
