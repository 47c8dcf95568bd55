"""Nothing can be added to a published edition, changed in it or removed from it, by any role."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import psycopg
import pytest

from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import freezing, publishing, review
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.publication.conftest import Metrics, copy_of
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.homes import demo_home

EDITION = "2024-W47-r1"
ROLES = ("owner", "publisher", "loader", "transformer", "analyst_province", "auditor", "approver")

ADDED: Mapping[str, Mapping[str, object]] = {
    "metric": {"category_code": "x"},
    "trend": {"week_id": "2024-W01"},
    "metric_contributor": {"contributor_id": "x"},
    "contributor_record": {"contributor_id": "x"},
    "submission": {"district_code": "x"},
    "not_counted": {"channel": "x"},
    "district_metric": {"group_code": "x"},
    "deadline": {"rule_code": "x"},
    "profile": {"issue_code": "x"},
    "checkpoint_pass": {"run_id": "00000000-0000-0000-0000-000000000000"},
    "artefact": {"name": "x"},
    "approval": {},
    "edition_root": {},
    "restatement": {
        "edition_id": EDITION, "of_edition_id": EDITION, "metric_code": "tip",
        "category_code": "ALL", "regency_code": "19", "period": "week", "old_value": 1,
        "new_value": 2, "late_count": 1, "edited_count": 0, "withdrawn_count": 0,
        "excluded_count": 0, "recoded_count": 0, "progressed_count": 0, "is_published": False,
    },
    "waiver": {
        "edition_id": EDITION, "check_name": "x", "waived_by": "x", "reason": "x",
        "granted_at": "2024-11-25", "until_date": "2024-11-25",
    },
}  # fmt: skip
"""For each table, what makes a copy of one of its rows a new row, or a whole row."""


@pytest.fixture(scope="module")
def published(
    server: EmbeddedPostgres,
    filled: tuple[str, Metrics],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[str]:
    """A warehouse with one published edition; no test here can change it."""
    settings = demo_home(tmp_path_factory.mktemp("home"), Settings.load().project)
    with copy_of(server, filled[0]) as url:
        assert freezing.freeze(WEEK, settings=settings, database_url=url) == EDITION
        pass_checkpoint(url, EDITION)
        review.approve(EDITION, by="demo", how="demo", database_url=url)
        publishing.publish(EDITION, settings=settings, database_url=url)
        yield url


def verbs(table: str) -> dict[str, str]:
    """A statement of each verb that would work on an open table."""
    changed = ADDED[table]
    literal = json.dumps(changed)
    source = (
        f"(select '{literal}'::jsonb as kept)"
        if "edition_id" in changed
        else f"(select to_jsonb(t) || '{literal}' as kept from published.{table} as t"
        f" where edition_id = '{EDITION}' limit 1)"
    )
    return {
        "insert": f"insert into published.{table} select r.* from {source} as s,"
        f" jsonb_populate_record(null::published.{table}, kept) as r",
        "update": f"update published.{table} set edition_id = edition_id",
        "delete": f"delete from published.{table}",
        "truncate": f"truncate published.{table} cascade",
    }


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("table", sorted(ADDED))
def test_no_role_changes_a_published_edition(published: str, role: str, table: str) -> None:
    url = published if role == "owner" else role_url(published, role)
    may_insert = role == "publisher" and table != "approval"  # an approver records that
    for verb, statement in verbs(table).items():
        refused: type[psycopg.Error] = (
            psycopg.errors.RestrictViolation
            if role == "owner" or (verb == "insert" and may_insert)
            else psycopg.errors.InsufficientPrivilege
        )
        with psycopg.connect(url) as connection, pytest.raises(refused) as error:
            connection.execute(statement.encode())
        if refused is psycopg.errors.RestrictViolation:
            assert "takes no row" in str(error.value) or "append-only" in str(error.value)


def test_every_table_of_an_edition_is_in_the_matrix(published: str) -> None:
    with psycopg.connect(published) as connection:
        tables = {
            name
            for (name,) in connection.execute(
                "select table_name from information_schema.columns"
                " where table_schema = 'published' and column_name = 'edition_id'"
            )
        }
    # `edition` is below, and `mailing` is written after publication: to whom it was sent
    assert tables - {"edition", "mailing"} == set(ADDED)


@pytest.mark.parametrize("role", ROLES)
def test_no_role_makes_an_edition_that_is_published_at_once(published: str, role: str) -> None:
    url = published if role == "owner" else role_url(published, role)
    refused = (
        psycopg.errors.RestrictViolation
        if role in ("owner", "publisher")
        else psycopg.errors.InsufficientPrivilege
    )
    with psycopg.connect(url) as connection, pytest.raises(refused):
        connection.execute(
            "insert into published.edition (edition_id, week_id, revision, language, as_of,"
            " content_hash, contributor_hash, record_hash, restatement_hash, label,"
            " batch_watermark, data_at, state)"
            " select '2024-W47-r2', week_id, 2, language, as_of, content_hash, contributor_hash,"
            " record_hash, restatement_hash, label, batch_watermark, data_at, state"
            " from published.edition"
        )


def test_no_edition_moves_on_while_a_row_arrives(url: str, settings: Settings) -> None:
    """A decision waits for an insert that has begun, so that it sees the row."""
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    pass_checkpoint(url, edition_id)
    with psycopg.connect(url) as slow, psycopg.connect(url) as deciding:
        slow.execute(
            "insert into published.trend values (%s, 'tip', 'ALL', '2024-W01', 5)", (edition_id,)
        )
        deciding.execute("set lock_timeout = '200ms'")
        deciding.execute(
            "insert into published.approval (edition_id, decision, how, decided_by, reviewed)"
            " values (%s, 'rejected', 'person', 'x', '{}')",
            (edition_id,),
        )
        with pytest.raises(psycopg.errors.LockNotAvailable):
            deciding.execute("update published.edition set state = 'rejected'")
        slow.rollback()
