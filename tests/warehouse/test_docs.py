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
        " where table_schema in ('marts', 'reporting', 'editions', 'reference')"
        " and has_table_privilege('analyst_province', table_schema || '.' || table_name, 'select')",
    )
    assert set(sections) == {table for table, _ in columns}
    assert len(columns) > 900
    for table, column in columns:
        untyped = table.startswith(("editions.", "reference."))
        described = f"\n- `{column}`: " if untyped else f"\n- `{column}` ("
        assert described in sections[table], (table, column)


def test_the_keys_of_the_dictionary_identify_rows(demo: Demo) -> None:
    written = (PROJECT / "docs" / "reference" / "dictionary.md").read_text(encoding="utf-8")
    sections = re.findall(r"^### ((?:marts|reporting)\.\S+)$(.*?)(?=^##|\Z)", written, re.M | re.S)
    keyless = {name for name, text in sections if not re.search(r"^Key: ", text, re.M)}
    assert keyless == {"reporting.rpt_not_counted"}  # it has rows whose week is not known
    for name, text in sections:
        if key := re.search(r"^Key: (.+?), of a view\.$", text, re.M):
            columns = key[1].replace("`", "")
            doubled = f"select {columns} from {name} group by {columns} having count(*) > 1"
            assert query(demo[0], doubled) == [], name


def test_a_column_of_a_view_that_may_be_null_says_so(demo: Demo) -> None:
    written = (PROJECT / "docs" / "reference" / "dictionary.md").read_text(encoding="utf-8")
    found = re.findall(r"^### (\S+)$(.*?)(?=^##|\Z)", written, re.M | re.S)
    silent = []
    for name, text in found:
        about, _, columns = text.partition(", of a view.\n")
        if not columns or re.search(r"\bnull\b", about, re.I):
            continue
        for column, said in re.findall(r"^- `(\w+)` \((.*(?:\n  .*)*)", columns, re.M):
            if not re.search(r"\b(null|empty)\b", said, re.I):
                silent.append((name, column))
    assert silent
    nulls = [
        each
        for each in silent
        if query(demo[0], f"select 1 from {each[0]} where {each[1]} is null limit 1")
    ]
    assert nulls == []


def test_what_was_published_is_compared_with_today(demo: Demo) -> None:
    page = (PROJECT / "docs" / "how-to" / "query-the-marts.md").read_text(encoding="utf-8")
    section = page.partition("## Compare what was published")[2].partition("\n## ")[0]
    compare, restated = re.findall(r"^```sql\n(.+?)^```$", section, re.M | re.S)
    with psycopg.connect(demo[0]) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "insert into published.edition (edition_id, week_id, revision, language, as_of,"
            " data_at, batch_watermark, content_hash, contributor_hash, record_hash,"
            " restatement_hash, label, state) values ('2024-W47-r9', '2024-W47', 9,"
            " 'id', now(), now(), 0, repeat('0', 64), repeat('0', 64), '', '', '{}', 'published')"
        )
        owner.execute(
            "insert into published.metric select '2024-W47-r9', metric_code, category_code,"
            " regency_code, max(value) filter (where period = 'week' and week_id = '2024-W47'),"
            " max(value) filter (where period = 'to_date' and week_id = '2024-W47') + 1,"
            " max(value) filter (where period = 'week' and week_id = '2024-W46') + 1"
            " from reporting.rpt_metric where metric_code = 'tip' and regency_code = '19.02'"
            " group by metric_code, category_code, regency_code"
        )
        rows = owner.execute(compare.encode()).fetchall()
        of_tips = [(r[1], r[2], r[6] - r[7]) for r in rows if r[0] == "2024-W47-r9"]
        assert of_tips == [("2024-W46", "week", 1), ("2024-W47", "to_date", 1)]
        assert owner.execute(restated.encode()).description
        owner.rollback()


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
