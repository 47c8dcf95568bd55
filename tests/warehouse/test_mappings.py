"""What stewards decide that words mean is an input of builds, and is exported to the seeds."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest

from lumbung import audit
from lumbung.errors import ConfigurationError
from lumbung.settings import Settings
from lumbung.warehouse import mappings
from lumbung.warehouse.build import _Run
from tests.warehouse.conftest import PROJECT

HIDDEN = "~kdmfabcgehij"


def test_every_vocabulary_has_codes_with_names() -> None:
    assert len(mappings.vocabularies()) == 19
    for vocabulary in mappings.vocabularies():
        assert all(all(names) for names in mappings.codes(vocabulary).values())
    assert mappings.codes("issue")["PU"] == ("Politik uang", "Money politics")
    assert mappings.codes("method")["TATAP_MUKA"][0] == "Tatap muka dan dialog"
    assert mappings.codes("non_registration_reason")["FORMAL"][0].startswith("Syarat formal")
    assert list(mappings.codes("follow_up")) == ["closed", "open"]
    with pytest.raises(ConfigurationError, match="no vocabulary"):
        mappings.codes("../x")


def test_the_last_decision_stands_and_changes_what_builds_read(
    database_url: str, tmp_path: Path
) -> None:
    settings = Settings(tmp_path, PROJECT, None)

    def inputs() -> str:
        with psycopg.connect(database_url) as connection:
            return _Run(connection, settings, database_url, None)._inputs_hash(0)

    before = inputs()
    mappings.decide(database_url, "issue", HIDDEN, "PU", by="ani")
    mappings.decide(database_url, "issue", " Amplop_Fajar.", "PU", by="ani")
    mappings.decide(database_url, "issue", HIDDEN, "ASN", by="budi")
    found = mappings.mappings(database_url)
    assert {key: (each.code, each.decided_by) for key, each in found.items()} == {
        ("issue", HIDDEN): ("ASN", "budi"),
        ("issue", "amplop fajar"): ("PU", "ani"),
    }
    assert inputs() != before
    with pytest.raises(ConfigurationError, match="no code 'XX'"):
        mappings.decide(database_url, "issue", HIDDEN, "XX", by="ani")
    for term in (HIDDEN, "amplop fajar"):
        mappings.decide(database_url, "issue", term, None, by="ani")
    assert mappings.mappings(database_url) == {}
    assert inputs() == before
    entry = audit.entries(database_url, limit=10)[1]
    assert (entry.event, entry.person) == ("ops.mapping_decision", "ani")
    assert set(entry.content) == {"decision_id", "vocabulary", "term", "code"}


def test_of_many_who_decide_at_once_one_is_recorded(database_url: str) -> None:
    def decide(code: str) -> mappings.Mapping | None:
        return mappings.decide(database_url, "issue", HIDDEN, code, by=code, seen=0)

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(decide, ["PU", "ASN"] * 3))
    (found,) = mappings.mappings(database_url).values()
    assert answers.count(None) == 1
    assert {each for each in answers if each} == {found}
    # an undo withdraws the decision that was seen, and no other
    for seen, code in ((found.decision_id + 1, found.code), (found.decision_id, None)):
        mappings.decide(database_url, "issue", HIDDEN, None, by="x", seen=seen)
        left = mappings.mappings(database_url).get(("issue", HIDDEN))
        assert (left and left.code) == code


def test_decisions_are_written_into_the_seeds_once(database_url: str, tmp_path: Path) -> None:
    for name in ("map_issue", "map_status", "map_role"):
        shutil.copy(PROJECT / "dbt_project" / "seeds" / f"{name}.csv", tmp_path)
    before = {file.name: file.read_text() for file in tmp_path.iterdir()}
    mappings.decide(database_url, "issue", 'kata, dengan "kutip"', "PU", by="ani")
    mappings.decide(database_url, "issue", HIDDEN, "ASN", by="ani")
    mappings.decide(database_url, "issue", "bagi uang", "ASN", by="ani")  # the seed has it
    mappings.decide(database_url, "status", "sudah masuk", "diterima", by="ani")
    assert mappings.export(database_url, tmp_path) == {"map_issue.csv": 2, "map_status.csv": 1}
    after = {file.name: file.read_text() for file in tmp_path.iterdir()}
    assert after == {
        "map_role.csv": before["map_role.csv"],
        "map_issue.csv": before["map_issue.csv"]
        + '"kata, dengan ""kutip""",PU\n'
        + f"{HIDDEN},ASN\n",
        "map_status.csv": before["map_status.csv"] + "sudah masuk,diterima,\n",
    }
    assert mappings.export(database_url, tmp_path) == {}
