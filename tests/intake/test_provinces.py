"""The places of another province are no words of this one's channels."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lumbung.intake.features import Vocabulary
from lumbung.intake.landing.lexicon import Lexicon

PROJECT = Path(__file__).parents[2]


@pytest.fixture
def dbt_project(tmp_path: Path) -> Path:
    """The project's dictionary of places with a village of another province called Budi."""
    folder = tmp_path / "dbt_project"
    folder.mkdir()
    shutil.copy(PROJECT / "dbt_project/dbt_project.yml", folder)
    shutil.copytree(PROJECT / "dbt_project/seeds", folder / "seeds")
    with (folder / "seeds/village.csv").open("a", encoding="utf-8") as file:
        file.write("76.01.01.2001,76.01.01,Budi,desa\n")
    with (folder / "seeds/outside_region.csv").open("a", encoding="utf-8") as file:
        file.write("Gunawan,76\n")
    return folder


def test_a_name_is_a_place_only_where_it_is_one(dbt_project: Path) -> None:
    for name in ("budi", "gunawan"):
        assert not Lexicon(dbt_project, "19").is_label_word(name)
        assert Lexicon(dbt_project, "76").is_label_word(name)
        assert Lexicon(dbt_project).is_label_word(name)
    assert Lexicon(dbt_project, "19").is_label_word("toboali")
    assert not Lexicon(dbt_project, "76").is_label_word("toboali")


def test_another_provinces_villages_change_no_feature(dbt_project: Path) -> None:
    seeds = dbt_project / "seeds"
    own = Vocabulary(PROJECT / "dbt_project/seeds")
    assert Vocabulary(seeds, "19").digest == own.digest
    assert Vocabulary(seeds, "19").places == own.places
    assert Vocabulary(seeds).digest != own.digest
    assert ("76.01.01.2001",) in Vocabulary(seeds, "76").places.values()
