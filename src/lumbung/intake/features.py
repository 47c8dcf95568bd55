"""Text features: what a narrative tells, as keyed hashes, so that cases are compared without it.

A feature is a concept of the seed `narrative_term` in any of its spellings, an amount or number, or
a word that the seed does not have, a name for instance. It is a 64-bit number: a keyed hash, the
concept's rarity, and its kind. Villages that the narrative names are kept by their codes. Without
the vault key no feature can be read back.

A word is normalised by spelling rules (`oe` = `u`, doubled letters) and looked up in the seed; then
Indonesian affixes are stripped until the seed has it. Whatever changes a feature (this module, the
seeds, the labels of a channel) changes its version. Features of two versions are never compared;
`complete` derives those of the present version where they are missing.
"""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from itertools import chain, pairwise
from pathlib import Path
from struct import Struct
from typing import Any, NamedTuple

import psycopg

from lumbung.intake.channel.models import Channel
from lumbung.settings import Settings

FIELDS = ("narrative", "accused_role")
"""Canonical fields that are read; only channels that map the first one have features."""

KINDS = {
    "word": 0,
    "actor": 1,
    "action": 2,
    "object": 3,
    "venue": 4,
    "time": 5,
    "topic": 6,
    "unit": 7,
    "number": 8,
}
"""Kind of a concept -> the lowest four bits of its feature."""

KIND_BITS = 4
RARITY_BITS = 8
RARITY_SCALE = 16
"""Of the rarity: the negative logarithm of the share of narratives that hold the concept."""

MAX_CHARACTERS = 5_000
"""Of a text; what comes after them is not compared."""
MAX_FEATURES = 200
"""Of a record, the first of them."""

TABLE = "raw.text_feature (record_id, version, tokens, villages)"

ALGORITHM = 1
"""Raise it with every change of this module that changes a feature."""
_MAX_CACHED = 100_000  # words, and roots
_NOTHING = 0
_CHUNK = 5_000
_UNKNOWN_SHARE = 0.004
_AMOUNT_SHARE = 0.02
_NUMBER_SHARE = 0.06
_COUNTED_SHARE = 0.01

_WORD = re.compile(r"\d+(?:[.,]\d+)*|[^\W\d_]+(?:2(?!\d))?")
_DOUBLED = re.compile(r"(.)\1+")
_SPELLING = (("oe", "u"), ("dj", "j"), ("tj", "c"), ("sj", "sy"), ("ph", "f"), ("v", "f"),
             ("kh", "h"), ("q", "k"), ("x", "ks"))  # fmt: skip
_VOWELS = "aiueo"
_PARTICLES = ("lah", "kah", "pun", "nya", "nye", "ku", "mu", "e")
_SUFFIXES = ("kan", "ken", "an", "i")
_PREFIXES = ("memper", "diper", "member", "keber", "peng", "meng", "ber", "bel", "ter", "per",
             "pel", "me", "di", "ke", "se", "be", "pe", "te", "nge", "ng", "ny", "n",
             "m")  # fmt: skip
_NASALS = {"meny": "s", "peny": "s", "ny": "s", "mem": "p", "pem": "p", "men": "t", "pen": "t",
           "meng": "k", "peng": "k", "ng": "k", "n": "t", "m": "p"}  # fmt: skip
_SURE_PREFIXES = ("memper", "diper", "meny", "peny", "meng", "peng", "mem", "pem", "men", "pen",
                  "ber", "ter", "per", "me", "ny", "ng", "di", "ke", "se")  # fmt: skip
_DIGITS = {"nol": 0, "satu": 1, "dua": 2, "due": 2, "tiga": 3, "tige": 3, "empat": 4, "lima": 5,
           "lime": 5, "enam": 6, "tujuh": 7, "delapan": 8, "lapan": 8, "sembilan": 9,
           "sepuluh": 10, "sebelas": 11, "seratus": 100, "seribu": 1000, "setengah": 0,
           "cepek": 100_000, "goban": 50_000, "gocap": 50_000, "ceban": 10_000,
           "noban": 20_000}  # fmt: skip
_TENS = {"belas": 10, "puluh": 10, "puluhan": 10, "lusin": 12, "ratus": 100, "ratusan": 100}
_POWERS = {"ribu": 1000, "rb": 1000, "rebu": 1000, "k": 1000, "ribuan": 1000, "juta": 1_000_000,
           "jt": 1_000_000, "jutaan": 1_000_000, "miliar": 1_000_000_000}  # fmt: skip
_MONTHS = frozenset((
    "januari", "jan", "februari", "feb", "maret", "mar", "april", "apr", "mei", "juni", "jun",
    "juli", "jul", "agustus", "agu", "agt", "september", "sept", "sep", "oktober", "okt",
    "november", "nov", "nopember", "desember", "des",
))  # fmt: skip
_BEFORE_A_DATE = frozenset(("tanggal", "tgl", "tahun", "thn"))
_BEFORE_A_PLACE = frozenset((
    "desa", "ds", "kelurahan", "kel", "kampung", "kampong", "dusun", "kades", "lurah", "sekdes",
    "bpd", "pps", "kadus", "di", "babinsa", "bhabinkamtibmas",
))  # fmt: skip


class Concept(NamedTuple):
    """What a word or phrase means.

    Attributes:
        name: of the concept; the word's root where the seed does not have it.
        kind: one of `KINDS`; `stop` for what is never compared.
        share: of narratives that hold it, about.
        parent: the more general concept, or nothing.
    """

    name: str
    kind: str
    share: float
    parent: str


class Features(NamedTuple):
    """What is compared of a record's texts.

    Attributes:
        tokens: the features, each as an element of an array in the binary COPY format.
        villages: codes of the villages that bear a name in it, sorted.
    """

    tokens: tuple[bytes, ...]
    villages: tuple[str, ...]


class Vocabulary:
    """The seeds `narrative_term`, `village` and `district`, as the words of a text are looked up.

    Args:
        seeds: the folder of the three CSV files.
    """

    def __init__(self, seeds: Path) -> None:
        digest = blake2b(str(ALGORITHM).encode(), digest_size=32)
        tables = {}
        for name in ("narrative_term", "village", "district"):
            content = (seeds / f"{name}.csv").read_bytes()
            digest.update(content)
            tables[name] = list(csv.DictReader(content.decode("utf-8").splitlines()))
        self.digest = digest.digest()
        """Tells one state of the seeds, and of this module, from another."""
        self.concepts = {
            row["concept"]: Concept(row["concept"], row["kind"], float(row["share"]), row["parent"])
            for row in tables["narrative_term"]
        }
        spelled = [
            (tuple(_spelled(word) for word in _words(term)), self.concepts[row["concept"]])
            for row in tables["narrative_term"]
            for term in row["terms"].split(";")
        ]
        self.words = {words[0]: concept for words, concept in spelled if len(words) == 1}
        """Spelling of one word -> its concept."""
        self.phrases = {
            (self.root(words[0]), self.root(words[1])): concept
            for words, concept in spelled
            if len(words) > 1
        }
        """The same of two words, as roots."""
        self.places: dict[tuple[str, ...], tuple[str, ...]] = {}
        """One or two roots of a place's name -> the codes of the villages of this name."""
        for row in tables["district"]:
            self._add_place(row["district_name"], ())
        for row in tables["village"]:
            self._add_place(row["village_name"], (row["village_code"],))

    def _add_place(self, name: str, codes: tuple[str, ...]) -> None:
        """Tua Tunu Indah is found as Tua Tunu; Parit, an ordinary word, as desa Parit."""
        words = [self.root(word) for word in _words(name)]
        names: list[tuple[str, ...]] = [tuple(words[:2])]
        if len(words) > 1:
            names.append((self.root("".join(words)),))
        elif words[0] in self.words:
            names = [(self.root(before), words[0]) for before in _BEFORE_A_PLACE]
        for each in names:
            self.places[each] = tuple(sorted({*self.places.get(each, ()), *codes}))

    def root(self, word: str) -> str:
        """A word as the seed spells it, else without its affixes."""
        root = ""
        for root in _stripped(_spelled(word)):
            if root in self.words:
                break
        return root


class _Words(dict[str, tuple[int, ...]]):
    """Words of a text, as white space parts them -> the numbers of the roots in each."""

    def __init__(self, learn: Callable[[str], int]) -> None:
        super().__init__()
        self._learn = learn

    def __missing__(self, word: str) -> tuple[int, ...]:
        numbers = tuple(self._learn(part) for part in _words(word))
        if len(self) < _MAX_CACHED:
            self[word] = numbers
        return numbers


class TextFeatures:
    """Derives the features of one channel's records.

    There are as many narratives as records: a text is split, looked up and joined without a loop
    over its words.

    Args:
        channel: the channel.
        key: of the keyed hashes (`Vault.feature_key`).
        vocabulary: the seeds; by default those of this installation's project.
    """

    def __init__(self, channel: Channel, key: bytes, vocabulary: Vocabulary | None = None) -> None:
        self._vocabulary = vocabulary or of_project(Settings.load().dbt_project / "seeds")
        self._labels = labels_of(channel)
        self._state = blake2b(digest_size=8, key=key)
        self.version = version_of(channel, self._vocabulary)
        self._forget()

    def _forget(self) -> None:
        """Begin with the words of the seeds alone."""
        self._words = _Words(self._learn)
        self._numbers: dict[str, int] = {"": _NOTHING}
        """Root -> its number."""
        self._tokens: dict[int, tuple[bytes, ...]] = {_NOTHING: ()}
        """Number of a root -> its features."""
        self._figures: dict[int, str] = {}
        """Number of what is a figure, or part of one -> its word."""
        self._counted: dict[tuple[int, int, int], tuple[bytes, ...]] = {}
        """A figure of one word, that before and that after it -> its features."""
        self._villages: dict[int, tuple[str, ...]] = {}
        number = self._number
        for word in (*_DIGITS, *_TENS, *_POWERS):
            self._learn(word)
        for month in _MONTHS:
            self._tokens[number(self._vocabulary.root(month))] = ()
        self._phrases = {
            (number(first), number(second)): () if concept.kind == "stop" else self._of(concept)
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
        """The features of a record, or nothing where it has no narrative.

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
            self._forget()
        text = " . ".join([each[:MAX_CHARACTERS] for each in texts]).lower()
        numbers = [*chain.from_iterable(map(self._words.__getitem__, text.split()))]
        tokens = dict.fromkeys(chain.from_iterable(map(self._tokens.__getitem__, numbers)))
        villages: set[str] = set()
        named = self._villages.keys() & numbers
        if found := self._pairs.intersection(pairwise(numbers)):
            pairs = [pair for pair in pairwise(numbers) if pair in found]
            for pair in pairs:
                for token in chain(self._tokens[pair[0]], self._tokens[pair[1]]):
                    tokens.pop(token, None)  # the head of a village is not its body
            for pair in pairs:
                tokens |= dict.fromkeys(self._phrases.get(pair, ()))
                if codes := self._places.get(pair):
                    villages.update(codes)
                    named -= set(pair)  # Kace Timur is not Kace
        for number in named:
            villages.update(self._villages[number])
        if not self._figures.keys().isdisjoint(numbers):
            tokens |= dict.fromkeys(self._count(numbers))
        return Features(tuple(tokens)[:MAX_FEATURES], tuple(sorted(villages)))

    def _learn(self, word: str) -> int:
        """The number of a word's root."""
        if word[0].isdecimal() or word in _DIGITS or word in _TENS or word in _POWERS:
            number = self._numbers.setdefault(word, len(self._numbers))
            self._tokens[number] = ()
            self._figures[number] = word
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
            self._tokens[number] = self._of(concept) if concept and is_compared else ()
        return number

    def _count(self, numbers: Sequence[int]) -> Iterator[bytes]:
        """Features of the amounts and numbers in a text."""
        end = 0
        framed = [_NOTHING, *numbers, _NOTHING]
        for place in [place for place, number in enumerate(framed) if number in self._figures]:
            if place < end:
                continue
            if framed[place + 1] in self._figures:
                words = [self._figures.get(number, "") for number in framed[place : place + 8]]
                value, step = _value(words)
                end = place + step
                yield from self._counts(framed[place - 1], words[0], value, framed[end])
                continue
            key = framed[place - 1], framed[place], framed[place + 1]
            found = self._counted.get(key)
            if found is None:
                word = self._figures[framed[place]]
                value, _ = _value([word])
                found = tuple(self._counts(key[0], word, value, key[2]))
                if len(self._counted) < _MAX_CACHED:
                    self._counted[key] = found
            yield from found

    def _counts(self, before: int, word: str, value: int, after: int) -> Iterator[bytes]:
        """Features of a number; a day of a month is none: dates are compared as dates."""
        if not value or before in self._date_words or after in self._months:
            return
        if value >= 1000:
            yield self._packed(Concept(str(value), "number", _AMOUNT_SHARE, ""))
        elif word != "satu":  # "salah satu", "satu orang"
            yield self._packed(Concept(str(value), "number", _NUMBER_SHARE, ""))
            for near in (before, after):  # RT 5 and 5 kg say more than a 5
                for what in self._tokens[near][:1]:
                    name = f"{value} {what.hex()}"
                    yield self._packed(Concept(name, "number", _COUNTED_SHARE, ""))

    def _of(self, concept: Concept) -> tuple[bytes, ...]:
        """The feature of a concept, and that of its parent."""
        parent = self._vocabulary.concepts.get(concept.parent)
        return tuple(self._packed(each) for each in (concept, parent) if each)

    def _packed(self, concept: Concept) -> bytes:
        low = KIND_BITS + RARITY_BITS
        rarity = min(round(-math.log(concept.share) * RARITY_SCALE), (1 << RARITY_BITS) - 1)
        token = self._hash(f"{concept.kind}\0{concept.name}") >> low << low
        token |= rarity << KIND_BITS | KINDS[concept.kind]
        return _LONG.pack(8, token - (1 << 63))  # signed, as PostgreSQL's bigint

    def _hash(self, name: str) -> int:
        state = self._state.copy()
        state.update(name.encode("utf-8", "surrogatepass"))
        return int.from_bytes(state.digest())


def labels_of(channel: Channel) -> list[tuple[str, ...]]:
    """Labels of each of `FIELDS`, the preferred first; the first one that is filled counts."""
    return [
        tuple(channel.fields[field].labels) if field in channel.fields else () for field in FIELDS
    ]


def version_of(channel: Channel, vocabulary: Vocabulary) -> int:
    """A positive 63-bit number: what the features of a channel's records are derived by."""
    state = blake2b(vocabulary.digest, digest_size=8)
    state.update(repr(labels_of(channel)).encode())
    return int.from_bytes(state.digest()) >> 1


@lru_cache
def of_project(seeds: Path) -> Vocabulary:
    """The vocabulary of a folder of seeds, read once a process."""
    return Vocabulary(seeds)


# -- PostgreSQL's binary COPY format -----------------------------------------------------------

_HEAD = Struct("!hiqiq")
_ARRAY = Struct("!iiiIii")
_EMPTY = Struct("!iiiI")
_LONG = Struct("!iq")
_LENGTH = Struct("!i")
_INT8, _TEXT = 20, 25  # oids


def copied(record_id: int, version: int, features: Features) -> bytes:
    """A row of `TABLE` in the binary format."""
    return b"".join((
        _HEAD.pack(4, 8, record_id, 8, version),
        _array(_INT8, len(features.tokens), b"".join(features.tokens)),
        _array(
            _TEXT,
            len(features.villages),
            b"".join([_LENGTH.pack(len(code)) + code.encode() for code in features.villages]),
        ),
    ))  # fmt: skip


def _array(oid: int, count: int, elements: bytes) -> bytes:
    if not count:
        return _EMPTY.pack(12, 0, 0, oid)
    return _ARRAY.pack(20 + len(elements), 1, 0, oid, count, 1) + elements


# -- what is missing ------------------------------------------------------------------------------


def complete(
    connection: psycopg.Connection, channels: Mapping[str, Channel], settings: Settings
) -> None:
    """Derive, from `raw.record`, the features of the present version that are missing.

    That is all of a channel whose map, or the seeds, have changed; and what was landed without
    features. `ops.text_feature` says up to which batch nothing is missing.

    Args:
        connection: to the warehouse, not inside a transaction.
        channels: the channels that are built.
        settings: where the seeds and the vault key are.

    Raises:
        ConfigurationError: when some are missing and this vault key is not the warehouse's.
    """
    from lumbung.intake.vault import Vault, hold_to_one_key

    row = connection.execute("select coalesce(max(batch_id), 0) from raw.batch").fetchone()
    assert row is not None  # noqa: S101 - an aggregate gives one row
    to_batch = int(row[0])
    known = {
        name: (int(version), int(batch))
        for name, version, batch in connection.execute(
            "select channel, version, max_batch_id from ops.text_feature"
        )
    }
    vocabulary = of_project(settings.dbt_project / "seeds")
    key: bytes | None = None
    for name, channel in channels.items():
        if FIELDS[0] not in channel.fields:
            continue
        version = version_of(channel, vocabulary)
        known_version, batch = known.get(name, (None, 0))
        from_batch = batch if known_version == version else 0
        labels = sorted(chain.from_iterable(labels_of(channel)))
        bounds = (name, from_batch, to_batch, version)
        is_missing = connection.execute(
            f"select exists (select {_MISSING})",
            bounds,
        ).fetchone()
        if is_missing == (True,):
            if key is None:
                vault = Vault.load(settings.home)
                hold_to_one_key(connection, vault)
                key = vault.feature_key
            _derive(connection, TextFeatures(channel, key, vocabulary), labels, bounds)
        connection.execute(
            "insert into ops.text_feature (channel, version, max_batch_id) values (%s, %s, %s)"
            " on conflict (channel) do update set version = excluded.version,"
            " max_batch_id = excluded.max_batch_id",
            (name, version, to_batch),
        )


_MISSING = (
    "from raw.record as r where channel = %s and not is_tombstone"
    " and record_id >= (%s::bigint + 1) << 20 and record_id < (%s::bigint + 1) << 20"
    " and not exists (select from raw.text_feature as f"
    "   where f.record_id = r.record_id and f.version = %s)"
)


def _derive(
    connection: psycopg.Connection,
    features: TextFeatures,
    labels: list[str],
    bounds: tuple[object, ...],
) -> None:
    with connection.transaction(), connection.cursor(name="narratives") as records:
        records.execute(
            "select record_id, (select jsonb_object_agg(label, payload -> label)"  # noqa: S608
            f"   from unnest(%s::text[]) as label) {_MISSING}",
            (labels, *bounds),
        )
        while rows := records.fetchmany(_CHUNK):
            copy_features(
                connection.cursor(),
                (
                    copied(record_id, features.version, found)
                    for record_id, payload in rows
                    if (found := features.of_payload(payload)) is not None
                ),
            )


def copy_features(db: psycopg.Cursor[Any], rows: Iterable[bytes]) -> None:
    """COPY rows that `copied` gave."""
    content = b"".join(rows)
    if content:
        with db.copy(f"copy {TABLE} from stdin (format binary)") as copy:
            copy.write(b"PGCOPY\n\xff\r\n\0" + bytes(8) + content + b"\xff\xff")


# -- words ----------------------------------------------------------------------------------------


def _text(value: object) -> str:
    """A value of a payload as text; nothing where there is none."""
    return "" if value is None else value.strip() if isinstance(value, str) else str(value)


def _words(text: str) -> list[str]:
    return _WORD.findall(text.lower())


def _value(words: Sequence[str]) -> tuple[int, int]:
    """The number that some words begin with, and how many of them it has; at least one.

    `50.000`, `50 ribu`, `50rb` and `lima puluh ribu` are one.
    """
    total = group = step = 0
    for word in words:
        if word[:1].isdecimal():
            if step:
                break
            group = _figure(word)
        elif word in _DIGITS:
            group += _DIGITS[word]
        elif word in _TENS and step:
            group = group + 10 if word == "belas" else max(group, 1) * _TENS[word]
        elif word in _POWERS and step:
            # "cepek" alone is 100.000, and "cepek ribu" is no more
            total += group if group >= 10_000 else max(group, 1) * _POWERS[word]
            group = 0
        else:
            break
        step += 1
    return min(total + group, 10**15), max(step, 1)


def _figure(word: str) -> int:
    """`1.500.000` and `1500000` are one; of `19.30`, a time, the hour is kept."""
    parts = re.split("[.,]", word)
    if len(parts) > 1 and all(len(part) == 3 for part in parts[1:]):
        return int("".join(parts)[:15])
    return int(parts[0][:15])


def _spelled(word: str) -> str:
    """A word without what its spelling varies in."""
    if not word[0].isdecimal():
        word = word.removesuffix("2")  # ibu2, bagi2
    for old, new in _SPELLING:
        if old in word:
            word = word.replace(old, new)
    return _DOUBLED.sub(r"\1", word)


def _stripped(word: str) -> Iterator[str]:
    """A word, what may be left of it without its affixes, and last its root by rule alone."""
    yield word
    if word.endswith("e") and len(word) > 3:  # Bangka Malay: ade, ape, lime
        yield word[:-1] + "a"
    if len(word) > 4 and word[-2] == "e":  # malem, dapet
        yield word[:-2] + "a" + word[-1]
    bases = [word]
    for particle in _PARTICLES:
        if word.endswith(particle) and len(word) - len(particle) >= 3:
            bases.append(word[: -len(particle)])
            break
    for base in tuple(bases):
        bases += [
            base[: -len(suffix)]
            for suffix in _SUFFIXES
            if base.endswith(suffix) and len(base) - len(suffix) >= 3
        ]
    yield from bases[1:]
    for base in bases:
        for prefix in _PREFIXES:
            if base.startswith(prefix) and len(base) - len(prefix) >= 3:
                yield base[len(prefix) :]
        for nasal, initial in _NASALS.items():
            rest = base[len(nasal) :]
            if base.startswith(nasal) and len(rest) >= 3 and rest[0] in _VOWELS:
                yield initial + rest
    yield _root(word)


def _root(word: str) -> str:
    """The root of a word that the seed does not have: never shorter than four letters."""
    for endings in (_PARTICLES[:-1], _SUFFIXES):
        for ending in endings:
            if word.endswith(ending) and len(word) - len(ending) >= 4:
                word = word[: -len(ending)]
                break
    for prefix in _SURE_PREFIXES:
        rest = word[len(prefix) :]
        if word.startswith(prefix) and len(rest) >= 4:
            if prefix in ("ny", "ng") and rest[0] not in _VOWELS:
                continue
            word = _NASALS.get(prefix, "") + rest if rest[0] in _VOWELS else rest
            break
    # mengirim and dikirim: behind a nasal a root's k is lost, so it is left out everywhere
    return word[1:] if len(word) > 4 and word[0] == "k" and word[1] in _VOWELS else word
