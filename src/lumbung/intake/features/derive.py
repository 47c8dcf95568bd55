"""Deriving the features of a record's texts."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from hashlib import blake2b
from itertools import chain, pairwise
from typing import Any, NamedTuple

from lumbung.intake import pgcopy
from lumbung.intake.channel.models import Channel
from lumbung.intake.features.numerals import DIGITS, POWERS, TENS, is_numeral, parse_number
from lumbung.intake.features.vocabulary import KINDS, Concept, Vocabulary, project_vocabulary
from lumbung.intake.features.words import words_of
from lumbung.settings import Settings

FIELDS = ("narrative", "accused_role")
"""Canonical fields that are read; a channel that does not map the first one has no features."""

KIND_BITS = 4
RARITY_BITS = 8
RARITY_SCALE = 16
"""The rarity of a concept is the negative logarithm of its share, times this."""

MAX_CHARACTERS = 5_000
"""Characters of a text that are compared, from its beginning."""
MAX_FEATURES = 200
"""Features of a record that are kept, from its beginning."""

_MAX_CACHED = 100_000  # words, and roots
_NOTHING = 0
_UNKNOWN_SHARE = 0.004
_AMOUNT_SHARE = 0.02
_NUMBER_SHARE = 0.06
_COUNTED_SHARE = 0.01
_MONTHS = frozenset((
    "januari", "jan", "februari", "feb", "maret", "mar", "april", "apr", "mei", "juni", "jun",
    "juli", "jul", "agustus", "agu", "agt", "september", "sept", "sep", "oktober", "okt",
    "november", "nov", "nopember", "desember", "des",
))  # fmt: skip
_BEFORE_A_DATE = frozenset(("tanggal", "tgl", "tahun", "thn"))


class Features(NamedTuple):
    """The features of a record's texts.

    Attributes:
        tokens: the features, each as an array element in binary COPY format.
        villages: codes of the villages whose names are in the texts, sorted.
    """

    tokens: tuple[bytes, ...]
    villages: tuple[str, ...]


class _Words(dict[str, tuple[int, ...]]):
    """A piece of text between white space -> the numbers of the roots in it."""

    def __init__(self, learn: Callable[[str], int]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, word: str) -> tuple[int, ...]:
        numbers = tuple(self._learn(part) for part in words_of(word))
        if len(self) < _MAX_CACHED:
            self[word] = numbers
        return numbers


class TextFeatures:
    """Derives the features of one channel's records.

    Every record has a narrative, so this must be fast. Each root has a number, and a text is split,
    looked up and joined by C functions that loop over its words (`map`, `chain`, `dict`).

    Args:
        channel: the channel.
        key: of the keyed hashes (`Vault.feature_key`).
        vocabulary: from the seeds; by default those of this installation's project.
    """

    def __init__(self, channel: Channel, key: bytes, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or project_vocabulary(
            Settings.load().dbt_project / "seeds", channel.province
        )
        self._labels = feature_labels(channel)
        self._state = blake2b(digest_size=8, key=key)
        self.version = feature_version(channel, self._vocabulary)
        self._reset()

    def _reset(self) -> None:
        """Forget all words but those of the seeds."""
        self._words = _Words(self._learn)
        self._numbers: dict[str, int] = {"": _NOTHING}
        """Root -> its number."""
        self._tokens: dict[int, tuple[bytes, ...]] = {_NOTHING: ()}
        """Number of a root -> its features."""
        self._numerals: dict[int, str] = {}
        """Number of a numeral, or of a part of one -> its word."""
        self._numeral_features: dict[tuple[int, int, int], tuple[bytes, ...]] = {}
        """Numbers of a numeral's neighbour before, itself and after -> its features."""
        self._villages: dict[int, tuple[str, ...]] = {}
        number = self._number
        for word in (*DIGITS, *TENS, *POWERS):
            self._learn(word)
        for month in _MONTHS:
            self._tokens[number(self._vocabulary.root(month))] = ()
        self._phrases = {
            (number(first), number(second)): ()
            if concept.kind == "stop"
            else self._features_of_concept(concept)
            for (first, second), concept in self._vocabulary.phrases.items()
        }
        self._places: dict[tuple[int, int], tuple[str, ...]] = {}
        for name, codes in self._vocabulary.places.items():
            if len(name) == 1:
                self._tokens[number(name[0])] = ()
                self._villages[number(name[0])] = codes
            else:
                self._places[number(name[0]), number(name[1])] = codes
        self._pairs = {*self._phrases, *self._places}
        self._months = {number(self._vocabulary.root(word)) for word in _MONTHS}
        self._date_words = self._months | {
            number(self._vocabulary.root(word)) for word in _BEFORE_A_DATE
        }

    def of_payload(self, payload: Mapping[str, Any]) -> Features | None:
        """The features of a record; None if it has no narrative.

        Args:
            payload: label -> value, as in `raw.record`.
        """
        texts = []
        for labels in self._labels:
            for label in labels:
                if text := _text(payload.get(label)):
                    texts.append(text)
                    break
            else:
                if not texts:
                    return None
        return self.of_texts(texts)

    def of_texts(self, texts: Sequence[str]) -> Features:
        """The features of some texts of one record."""
        if len(self._numbers) > _MAX_CACHED:
            self._reset()
        text = " . ".join([each[:MAX_CHARACTERS] for each in texts]).lower()
        numbers = [*chain.from_iterable(map(self._words.__getitem__, text.split()))]
        tokens = dict.fromkeys(chain.from_iterable(map(self._tokens.__getitem__, numbers)))
        villages: set[str] = set()
        named = self._villages.keys() & numbers
        if found := self._pairs.intersection(pairwise(numbers)):
            pairs = [pair for pair in pairwise(numbers) if pair in found]
            for pair in pairs:
                for token in chain(self._tokens[pair[0]], self._tokens[pair[1]]):
                    tokens.pop(token, None)  # a "kepala desa" is no "kepala" (head)
            for pair in pairs:
                tokens |= dict.fromkeys(self._phrases.get(pair, ()))
                if codes := self._places.get(pair):
                    villages.update(codes)
                    named -= set(pair)  # the village Kace Timur is not the village Kace
        for number in named:
            villages.update(self._villages[number])
        if not self._numerals.keys().isdisjoint(numbers):
            tokens |= dict.fromkeys(self._features_of_numerals(numbers))
        return Features(tuple(tokens)[:MAX_FEATURES], tuple(sorted(villages)))

    def _learn(self, word: str) -> int:
        """The number of a word's root, or of a numeral."""
        if is_numeral(word):
            number = self._numbers.setdefault(word, len(self._numbers))
            self._tokens[number] = ()
            self._numerals[number] = word
            return number
        return self._number(self._vocabulary.root(word))

    def _number(self, root: str) -> int:
        number = self._numbers.get(root)
        if number is None:
            number = self._numbers[root] = len(self._numbers)
            concept = self._vocabulary.words.get(root)
            if concept is None and len(root) > 2:
                concept = Concept(root, "word", _UNKNOWN_SHARE, "")
            is_compared = concept is not None and concept.kind != "stop"
            self._tokens[number] = (
                self._features_of_concept(concept) if concept and is_compared else ()
            )
        return number

    def _features_of_numerals(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Features of the amounts and numbers in a text."""
        end = 0
        framed = [_NOTHING, *numbers, _NOTHING]
        for place in [place for place, number in enumerate(framed) if number in self._numerals]:
            if place < end:
                continue
            if framed[place + 1] in self._numerals:
                words = [self._numerals.get(number, "") for number in framed[place : place + 8]]
                value, step = parse_number(words)
                end = place + step
                yield from self._features_of_value(framed[place - 1], words[0], value, framed[end])
                continue
            key = framed[place - 1], framed[place], framed[place + 1]
            found = self._numeral_features.get(key)
            if found is None:
                word = self._numerals[framed[place]]
                value, _ = parse_number([word])
                found = tuple(self._features_of_value(key[0], word, value, key[2]))
                if len(self._numeral_features) < _MAX_CACHED:
                    self._numeral_features[key] = found
            yield from found

    def _features_of_value(self, before: int, word: str, value: int, after: int) -> Iterator[bytes]:
        """Features of a number; none for a date, because dates are compared as dates."""
        if not value or before in self._date_words or after in self._months:
            return
        if value >= 1000:
            yield self._packed(Concept(str(value), "number", _AMOUNT_SHARE, ""))
        elif word != "satu":  # often no number: "salah satu" is "one of"
            yield self._packed(Concept(str(value), "number", _NUMBER_SHARE, ""))
            for near in (before, after):  # "RT 5" and "5 kg" are rarer than 5
                for what in self._tokens[near][:1]:
                    name = f"{value} {what.hex()}"
                    yield self._packed(Concept(name, "number", _COUNTED_SHARE, ""))

    def _features_of_concept(self, concept: Concept) -> tuple[bytes, ...]:
        """The feature of a concept, and the one of its parent."""
        parent = self._vocabulary.concepts.get(concept.parent)
        return tuple(self._packed(each) for each in (concept, parent) if each)

    def _packed(self, concept: Concept) -> bytes:
        low = KIND_BITS + RARITY_BITS
        rarity = min(round(-math.log(concept.share) * RARITY_SCALE), (1 << RARITY_BITS) - 1)
        token = self._hash(f"{concept.kind}\0{concept.name}") >> low << low
        token |= rarity << KIND_BITS | KINDS[concept.kind]
        return pgcopy.int8(token - (1 << 63))  # bigint is signed

    def _hash(self, name: str) -> int:
        state = self._state.copy()
        state.update(name.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest())


def feature_labels(channel: Channel) -> list[tuple[str, ...]]:
    """A channel's labels of each of `FIELDS`; the first label that has a value counts."""
    return [
        tuple(channel.fields[field].labels) if field in channel.fields else () for field in FIELDS
    ]


def feature_version(channel: Channel, vocabulary: Vocabulary) -> int:
    """The version of a channel's features, a positive number of 63 bits."""
    state = blake2b(vocabulary.digest, digest_size=8)
    state.update(repr(feature_labels(channel)).encode())
    return int.from_bytes(state.digest()) >> 1


def _text(value: object) -> str:
    """A value of a payload as text; empty if there is none."""
    return "" if value is None else value.strip() if isinstance(value, str) else str(value)
