"""What analysts read is true: the dictionary is complete, each question's SQL answers."""

from __future__ import annotations

import re
from typing import Any

import psycopg
import pytest

from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import PROJECT, query

Demo = tuple[str, Settings, dict[str, Any]]
OWNERS = {
    "analyst", "channel owner", "data engineer", "head of case handling", "head of supervision",
    "publication lead",
}  # fmt: skip
QUESTIONS = re.findall(
    r"^### (\d+)\. (.+?)$.*?^```sql\n(.+?)^```$",
    (PROJECT / "docs" / "how-to" / "query-the-marts.md").read_text(encoding="utf-8"),
    re.MULTILINE | re.DOTALL,
)


def test_every_check_has_an_owner_and_an_action() -> None:
    written = (PROJECT / "docs" / "reference" / "checks.md").read_text(encoding="utf-8")
    rows = re.findall(r"^- (`\w+`) \((.+)\): ((?:.+\n)+?)(?=- |\n|\Z)", written, re.MULTILINE)
    assert len(rows) == written.count("\n- `") > 40
    assert {row[1].split("; ")[0] for row in rows} == {"fail", "warn", "review"}
    for name, about, action in rows:
        assert about.split("; ")[2] in OWNERS, name
        assert len(action) > 15, name


def test_the_dictionary_names_every_table_and_column_of_the_database(demo: Demo) -> None:
    written = (PROJECT / "docs" / "reference" / "dictionary.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^### (\S+)$(.*?)(?=^##|\Z)", written, re.MULTILINE | re.DOTALL))
    columns = query(
        demo[0],
        "select table_schema || '.' || table_name, column_name from information_schema.columns"
        " where table_schema in ('marts', 'reporting', 'editions')",
    )
    assert set(sections) == {table for table, _ in columns}
    assert len(columns) > 150
    for table, column in columns:
        described = f"\n- `{column}`: " if table.startswith("editions.") else f"\n- `{column}` ("
        assert described in sections[table], (table, column)


def test_there_are_twenty_questions() -> None:
    assert [int(number) for number, *_ in QUESTIONS] == list(range(1, 21))


@pytest.mark.parametrize("number", range(1, 21))
def test_each_question_is_answered(demo: Demo, number: int) -> None:
    statement = QUESTIONS[number - 1][2]
    with psycopg.connect(role_url(demo[0], "analyst_province")) as connection:
        rows = connection.execute(statement.encode()).fetchall()
    assert len(rows) >= 1
    with psycopg.connect(role_url(demo[0], "analyst_19_02")) as connection:
        connection.execute(statement.encode())


def test_answers_equal_the_truth(demo: Demo) -> None:
    url, _, truth = demo
    cases = [report for report in truth["reports"] if report["record_kind"] != "IA"]
    # metrics count from the campaign's first day, facts from the first that was recorded
    counted = [case for case in cases if case["received_date"] >= "2024-09-25"]
    assert len(counted) < len(cases)

    def answer(number: int) -> list[tuple[Any, ...]]:
        return query(role_url(url, "analyst_province"), QUESTIONS[number - 1][2])

    assert sum(count for _, count in answer(1)) == len(counted)
    assert sum(row[1] for row in answer(2)) == len(cases)
    assert sum(row[2] for row in answer(6)) == len(counted)
    assert len(answer(8)) == sum("PU" in case["issues"] for case in cases)
    assert sum(row[1] for row in answer(9)) == sum(len(case["violation_types"]) for case in counted)
    assert sum(row[2] for row in answer(17)) == len(truth["supervisions"])
    assert sum(row[1] for row in answer(18)) == len(cases)
    marked = {(place, issue) for place, issue, *_ in answer(3)}
    assert {
        ("Belitung", "Politisasi SARA"),
        ("Belitung", "Kampanye hitam, hoaks, dan fitnah"),
        ("Pangkalpinang", "Politik uang"),
        ("Bateng", "Netralitas ASN"),
    } <= marked
