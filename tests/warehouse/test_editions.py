"""What analysts read of editions: published ones only, and a regency its own numbers."""

from __future__ import annotations

import psycopg
import pytest
from psycopg.types.json import Jsonb

from lumbung.warehouse.roles import role_url
from tests.warehouse.conftest import query

STATES = {
    "2024-W45-r1": "published",
    "2024-W46-r1": "published",
    "2024-W46-r2": "published",
    "2024-W46-r3": "rejected",
    "2024-W47-r1": "draft",
}


@pytest.fixture
def url(database_url: str) -> str:
    """Editions in every state, each with one metric of two regencies and the province."""
    with psycopg.connect(database_url) as owner:
        owner.execute("select ops.make_regency_roles(array['19.01', '19.02'])")
        owner.execute("set session_replication_role = replica")  # rows as they stand later
        for number, (edition_id, state) in enumerate(STATES.items()):
            owner.execute(
                "insert into published.edition (edition_id, week_id, revision, language, as_of,"
                " data_at, batch_watermark, content_hash, contributor_hash, record_hash,"
                " restatement_hash, label, state)"
                " values (%s, %s, %s, 'id', now(), now(), 0, %s, %s, '', '', %s, %s)",
                (
                    edition_id,
                    edition_id[:8],
                    int(edition_id[-1]),
                    f"{number:064}",
                    "0" * 64,
                    Jsonb({}),
                    state,
                ),
            )
            for code, value in (("19.01", 1), ("19.02", 2), ("19", 3)):
                owner.execute(
                    "insert into published.metric values (%s, 'tip', 'ALL', %s, %s, %s, null)",
                    (edition_id, code, value, 10 * value + number),
                )
                owner.execute(
                    "insert into published.restatement (edition_id, of_edition_id, metric_code,"
                    " category_code, regency_code, period, old_value, new_value, late_count,"
                    " edited_count, withdrawn_count, recoded_count, is_published)"
                    " values (%s, '2024-W45-r1', 'tip', 'ALL', %s, 'week',"
                    " 1, 2, 1, 0, 0, 0, false)",
                    (edition_id, code),
                )
            owner.execute(
                "insert into published.approval (edition_id, decision, how, decided_by, reviewed)"
                " values (%s, 'approved', 'person', 'Ketua Rekaan', '{}')",
                (edition_id,),
            )
    return database_url


PUBLISHED = [edition_id for edition_id, state in STATES.items() if state == "published"]


@pytest.mark.parametrize("role", ["analyst_19_02", "analyst_province", "auditor"])
def test_only_published_editions_are_there(url: str, role: str) -> None:
    reader = role_url(url, role)
    for view in ("edition", "approval", "metric", "restatement"):
        rows = query(reader, f"select distinct edition_id from editions.{view} order by 1")
        assert rows == [(edition_id,) for edition_id in PUBLISHED], view
    newest = query(reader, "select edition_id from editions.edition where is_newest_revision")
    assert sorted(newest) == [("2024-W45-r1",), ("2024-W46-r2",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(reader, "delete from editions.edition")


@pytest.mark.parametrize(
    ("role", "codes"),
    [
        ("analyst_19_02", ["19.02"]),
        ("analyst_province", ["19", "19.01", "19.02"]),
        ("auditor", ["19", "19.01", "19.02"]),
    ],
)
def test_a_regency_reads_its_own_numbers(url: str, role: str, codes: list[str]) -> None:
    reader = role_url(url, role)
    for view in ("metric", "restatement"):
        rows = query(reader, f"select distinct regency_code from editions.{view} order by 1")
        assert rows == [(code,) for code in codes], view
    rows = query(
        reader, "select week_value, to_date_value from editions.metric"
        " where regency_code = '19.02' and edition_id = '2024-W46-r2'"
    )  # fmt: skip
    assert rows == [(2, 22)]


def test_a_condition_of_hers_sees_no_row_of_others(url: str) -> None:
    """Without a security barrier the planner could divide by 0 in the row of 19.01."""
    rows = query(
        role_url(url, "analyst_19_02"),
        "select regency_code from editions.metric where 1 / (week_value - 1) = 1",
    )
    assert set(rows) == {("19.02",)}


def test_the_schemas_say_which_numbers_are_live(url: str) -> None:
    rows = query(
        role_url(url, "analyst_19_02"),
        "select nspname::text, obj_description(oid, 'pg_namespace') from pg_namespace"
        " where nspname in ('reporting', 'editions') order by 1",
    )
    assert "unchanged" in rows[0][1]
    assert "live" in rows[1][1]
