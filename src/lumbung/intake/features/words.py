"""Words of Indonesian and Bangka Malay: how they are found in a text, spelled and stemmed."""

from __future__ import annotations

import re
from collections.abc import Iterator

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


def words_of(text: str) -> list[str]:
    """The words and numbers of a text, in lower case."""
    return _WORD.findall(text.lower())


def spelled(word: str) -> str:
    """A word in one spelling of several that are in use."""
    if not word[0].isdecimal():
        word = word.removesuffix("2")  # ibu2, bagi2
    for old, new in _SPELLING:
        if old in word:
            word = word.replace(old, new)
    return _DOUBLED.sub(r"\1", word)


def without_affixes(word: str) -> Iterator[str]:
    """Candidates for a word's root: the word, the word without affixes, last its root by rule."""
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
    """The root of a word that is not in the seed: at least four letters long."""
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
    # A nasal prefix replaces a root's k (mengirim), another prefix does not (dikirim). The k is
    # left out of both.
    return word[1:] if len(word) > 4 and word[0] == "k" and word[1] in _VOWELS else word
