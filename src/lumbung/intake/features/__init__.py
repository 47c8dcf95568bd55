"""Text features: what a narrative is about, as keyed hashes, so that cases can be compared.

A feature is a concept of the seed `narrative_term` in any of its spellings, an amount or number, or
a word that is not in the seed, for instance a name. It is a 64-bit number: a keyed hash, the
concept's rarity and its kind. The villages that a narrative names are kept by their codes. Nobody
can read a feature back without the vault key.

A word is normalised by spelling rules (`oe` = `u`, single for doubled letters) and looked up in the
seed. If it is not there, its Indonesian affixes are stripped until the seed has it (`words`).

Features have a version. It changes with this package, the seeds, and the labels that a channel maps
to `FIELDS`. Features of two versions are never compared.
"""

from __future__ import annotations

from lumbung.intake.features.derive import (
    FIELDS,
    Features,
    TextFeatures,
    feature_labels,
    feature_version,
)
from lumbung.intake.features.vocabulary import ALGORITHM, KINDS, Vocabulary, project_vocabulary

__all__ = [
    "ALGORITHM",
    "FIELDS",
    "KINDS",
    "Features",
    "TextFeatures",
    "Vocabulary",
    "feature_labels",
    "feature_version",
    "project_vocabulary",
]
