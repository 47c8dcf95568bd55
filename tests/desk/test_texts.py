"""The desk's texts: the same keys in both languages, all of them used, none missing."""

from __future__ import annotations

import re
import string

import pytest
import yaml

from lumbung import registry
from lumbung.desk.pages import FOLDER, texts
from lumbung.publication.checks.waiver import NEVER
from lumbung.publication.translations.formatting import INDONESIAN
from tests.desk.conftest import ROOT
from tests.support.edition_sample import seed

FAMILIES = (
    "state_",
    "decided_next_",
    "decided_",
    "read_",
    "error_",
    "problem_",
    "nav_",
    "pair_",
    "event_",
    "vocabulary_",
    "place_method_",
    "quarantine_state_",
    "channel_count_",
    "channel_done_",
    "channel_drift_",
    "why_",
    "column_",
    "value_",
    "owner_",
    "kind_",
    "data_check_",
    "evidence_",
    "level_",
    "detail_",
)
"""Beginnings of keys that the code completes."""
SOURCES = [
    *FOLDER.glob("*.py"),
    *FOLDER.glob("templates/*.j2"),
    FOLDER.parent / "intake" / "quarantine.py",
    FOLDER.parent / "intake" / "inbox.py",
    FOLDER.parent / "warehouse" / "channels.py",
    FOLDER.parent / "warehouse" / "places.py",
]
ITEMS = ROOT / "dbt_project/models/intermediate/review/int_review_items__listed.sql"
"""Writes the details of the review list's items."""


def written() -> str:
    return "\n".join(file.read_text() for file in SOURCES)


def test_both_languages_have_the_same_texts() -> None:
    found = [texts(language) for language in ("id", "en")]
    assert [*found[0]] == [*found[1]]
    for key, text in found[0].items():
        other = found[1][key]
        names = [
            {field for _, field, _, _ in string.Formatter().parse(each) if field}
            for each in (text, other)
        ]
        assert names[0] == names[1], key
        assert text.strip() == text
        assert text


def test_no_text_is_missing_or_unused() -> None:
    source = "\n".join(file.read_text() for file in SOURCES)
    named = set(re.findall(r"\bt\.(\w+)", source))
    quoted = set(re.findall(r'"(\w+)"', source)) | {"html", "pdf", "xlsx", "txt", "published"}
    quoted |= {field.vocabulary for field in registry.canonical_fields().values()}
    quoted |= {*registry.canonical_fields()}
    for row in registry.seed("link_weight"):
        quoted |= {row["field"], row["level"]}
    quoted |= set(re.findall(r"\w+", ITEMS.read_text()))
    # migrations, and the program, name the events that the audit log holds
    for file in [*(FOLDER.parent / "migrations").glob("*.sql"), *SOURCES]:
        events = re.findall(r"[a-z]+\.[a-z_]+", file.read_text())
        quoted |= {name.replace(".", "_") for name in events}
    # the audit log holds columns of tables; checks that stop a draft may be waived
    for file in (FOLDER.parent / "migrations").glob("*.sql"):
        quoted |= set(re.findall(r"\w+", file.read_text()))
    suite = yaml.safe_load((ROOT / "expectations" / "publication.yaml").read_text())
    checks = [check for batch in suite["batches"] for check in batch["checks"]]
    quoted |= {
        each.replace(" ", "_")
        for check in checks
        for each in check.values()
        if isinstance(each, str)
    }
    completed = {f"{family}{ending}" for family in FAMILIES for ending in quoted}
    keys = texts("id").keys()
    assert named <= keys
    assert keys <= named | quoted | completed


def test_every_check_that_may_be_waived_has_words_for_approvers() -> None:
    suite = yaml.safe_load((ROOT / "expectations" / "publication.yaml").read_text())
    fatal = [c for batch in suite["batches"] for c in batch["checks"] if c["severity"] == "fail"]
    offered = [check for check in fatal if check["name"] not in NEVER]
    assert len(offered) > 15
    for check in offered:
        assert f"failed.{check['name']}" in INDONESIAN.text
        assert f"owner_{check['owner'].replace(' ', '_')}" in texts("id")


@pytest.mark.parametrize("name", ["for-leadership", "for-stewards", "for-channel-owners"])
def test_a_guide_of_the_office_names_what_is_shown_and_no_command(name: str) -> None:
    page = (ROOT / "docs" / "how-to" / f"{name}.md").read_text()
    checks = [str(row["check_name"]) for row in seed("review_check")]
    shown = [*texts("id").values(), *INDONESIAN.text.values(), *checks]
    labels = [" ".join(each.split()) for each in re.findall(r"(?<!\*)\*([^*]+)\*", page)]
    assert len(labels) > 10
    assert [each for each in labels if not any(text.startswith(each) for text in shown)] == []
    assert "```" not in page
    assert not re.search(r"\b(lumbung \w+`|sudo|ssh|psql)\b", page)
