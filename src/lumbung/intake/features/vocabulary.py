"""The seeds `narrative_term`, `village` and `district`, arranged to look up the words of a text."""

from __future__ import annotations

import csv
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from lumbung.intake.features.words import spelled, without_affixes, words_of

ALGORITHM = 1
"""Raise this number with every change of this package that changes a feature."""

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
"""Kind of a concept -> its code, the lowest four bits of a feature."""

_BEFORE_A_PLACE = frozenset((
    "desa", "ds", "kelurahan", "kel", "kampung", "kampong", "dusun", "kades", "lurah", "sekdes",
    "bpd", "pps", "kadus", "di", "babinsa", "bhabinkamtibmas",
))  # fmt: skip


class Concept(NamedTuple):
    """The meaning of a word or phrase.

    Attributes:
        name: of the concept; the word's root if the word is not in the seed.
        kind: one of `KINDS`, or `stop` for words that are never compared.
        share: about how many narratives hold it, between 0 and 1.
        parent: the name of the more general concept; empty if there is none.
    """

    name: str
    kind: str
    share: float
    parent: str


class Vocabulary:
    """Concepts and places by the words that name them.

    Args:
        seeds: the folder of the three CSV files.
        province: the province whose places are known; None: all of the seeds.
    """

    def __init__(self, seeds: Path, province: str | None = None) -> None:
        digest = blake2b(str(ALGORITHM).encode(), digest_size=32)
        tables = {}
        for name in ("narrative_term", "village", "district"):
            content = (seeds / f"{name}.csv").read_bytes()
            if province and name != "narrative_term":
                header, *rows = content.splitlines(keepends=True)
                content = header + b"".join(r for r in rows if r.startswith(province.encode()))
            digest.update(content)
            tables[name] = list(csv.DictReader(content.decode("utf-8").splitlines()))
        self.digest = digest.digest()
        """Identifies what was read of the seeds and the version of this package."""
        self.concepts = {
            row["concept"]: Concept(row["concept"], row["kind"], float(row["share"]), row["parent"])
            for row in tables["narrative_term"]
        }
        spellings = [
            (tuple(spelled(word) for word in words_of(term)), self.concepts[row["concept"]])
            for row in tables["narrative_term"]
            for term in row["terms"].split(";")
        ]
        self.words = {words[0]: concept for words, concept in spellings if len(words) == 1}
        """Spelling of one word -> its concept."""
        self.phrases = {
            (self.root(words[0]), self.root(words[1])): concept
            for words, concept in spellings
            if len(words) > 1
        }
        """Roots of two words -> the concept that they name together."""
        self.places: dict[tuple[str, ...], tuple[str, ...]] = {}
        """One or two roots of a place's name -> the codes of the villages with this name."""
        for row in tables["district"]:
            self._add_place(row["district_name"], ())
        for row in tables["village"]:
            self._add_place(row["village_name"], (row["village_code"],))

    def _add_place(self, name: str, codes: tuple[str, ...]) -> None:
        """Add a place under its first two words, or its only one.

        Tua Tunu Indah is found as Tua Tunu. Parit is also an ordinary word, so the village is found
        only as desa Parit.
        """
        words = [self.root(word) for word in words_of(name)]
        names: list[tuple[str, ...]] = [tuple(words[:2])]
        if len(words) > 1:
            names.append((self.root("".join(words)),))
        elif words[0] in self.words:
            names = [(self.root(before), words[0]) for before in _BEFORE_A_PLACE]
        for each in names:
            self.places[each] = tuple(sorted({*self.places.get(each, ()), *codes}))

    def root(self, word: str) -> str:
        """A word's root in the seed; by rule if the seed has none."""
        root = ""
        for root in without_affixes(spelled(word)):
            if root in self.words:
                break
        return root


@lru_cache
def project_vocabulary(seeds: Path, province: str | None = None) -> Vocabulary:
    """The vocabulary of a folder of seeds and a province, read once in a process."""
    return Vocabulary(seeds, province)
