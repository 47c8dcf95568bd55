"""Decisions leave a line in the audit log, and a changed, removed or inserted line is found."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from datetime import date
from pathlib import Path

import psycopg
import pytest

from lumbung import audit, database
from lumbung.errors import ConfigurationError, LumbungError
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url

DECIDE = (
    "insert into ops.exclusion_decision (channel, source_id, record_id, decision_code, decided_by,"
    " reason) values ('posko', 'Budi 0812-3456-7890', {n}, 'excluded', 'ani', 'uji coba')"
)


@pytest.fixture
def log(database_url: str) -> str:
    """A warehouse with five decisions."""
    for number in range(1, 6):
        write(database_url, DECIDE.format(n=number))
    return database_url


def write(url: str, *statements: str) -> None:
    with psycopg.connect(url) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def tamper(url: str, *statements: str) -> None:
    """As a superuser who switches the triggers off."""
    write(url, "set session_replication_role = replica", *statements)


def lines(url: str) -> list[tuple[int, str, str, str]]:
    with psycopg.connect(url) as connection:
        return connection.execute("select * from ops.audit_log order by entry_id").fetchall()


def verify(url: str, home: Path) -> audit.Head:
    return audit.verify(settings=Settings(home, home, None), database_url=url)


def test_a_line_says_who_decided_what_and_nothing_personal(log: str, tmp_path: Path) -> None:
    found = lines(log)
    assert [entry_id for entry_id, *_ in found] == [1, 2, 3, 4, 5]
    line = json.loads(found[2][1])
    with psycopg.connect(log) as connection:
        assert line["login"] == connection.info.user
    assert (line["event"], line["person"]) == ("ops.exclusion_decision", "ani")
    assert line["is_proved"] is False
    assert line["content"] == {
        "decision_id": 3, "record_id": 3, "channel": "posko",
        "decision_code": "excluded", "reason": "uji coba",
    }  # fmt: skip
    assert not any("Budi" in text or "0812" in text for _, text, *_ in found)
    before = "0" * 64
    for _, text, previous, entry in found:
        assert previous == before
        assert entry == hashlib.sha256(f"{before}\n{text}".encode()).hexdigest()
        before = entry
    assert verify(log, tmp_path) == (5, before)


@pytest.mark.parametrize(
    ("statement", "event", "person"),
    [
        (
            "insert into ops.link_decision (report_id_a, report_id_b, decision_code, decided_by)"
            " values ('a', 'b', 'different', 'ani')",
            "ops.link_decision",
            "ani",
        ),
        (
            "insert into ops.channel_decision (channel, decision_code, file_name, decided_by,"
            " reason) values ('posko', 'retired', 'posko', 'ani', 'x')",
            "ops.channel_decision",
            "ani",
        ),
        (
            "insert into ops.opening (opened_by, quarantine_id) values ('ani', 1)",
            "ops.opening",
            "ani",
        ),
        (
            "update ops.channel_hold set released_at = now(), released_by = 'ani',"
            " release_reason = 'x'",
            "ops.channel_hold",
            "ani",
        ),
        (
            "insert into ops.approver (name, sealed_secret, enrolled_by)"
            " values ('ketua', 'x', 'z')",
            "ops.approver",
            "z",
        ),
    ],
)
def test_every_kind_of_decision_leaves_a_line(
    database_url: str, statement: str, event: str, person: str
) -> None:
    if statement.startswith("update ops.channel_hold"):
        write(
            database_url,
            "insert into ops.channel_hold (channel, check_name, after_batch_id, judged_batch_id,"
            " reason, reason_en) values ('posko', 'x', 1, 1, 'x', 'x')",
        )
    write(database_url, statement)
    found = [(json.loads(text)["event"], json.loads(text)["person"])
             for _, text, *_ in lines(database_url)]  # fmt: skip
    assert found == [(event, person)]


@pytest.mark.parametrize("role", sorted(set(database.ROLES) - {"analyst_regency"}))
@pytest.mark.parametrize(
    "statement",
    [
        "insert into ops.audit_log values (99, '{}', '', '')",
        "update ops.audit_log set line = ''",
        "delete from ops.audit_log",
        "truncate ops.audit_log",
        "select ops.audit('x', 'x', true, '{}')",
    ],
)
def test_no_role_writes_to_the_log(log: str, role: str, statement: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        write(role_url(log, role), statement)
    if not statement.startswith(("insert", "select")):
        with pytest.raises(psycopg.errors.RestrictViolation):
            write(log, statement)


def test_the_login_is_that_of_the_session_whatever_role_it_takes(database_url: str) -> None:
    write(database_url, "set role transformer", "reset role", DECIDE.format(n=1))
    write(database_url, "grant insert on ops.exclusion_decision to loader")
    write(role_url(database_url, "loader"), DECIDE.format(n=2))
    assert json.loads(lines(database_url)[1][1])["login"] == "loader"


CHANGED = "replace(line, '\"record_id\": 3', '\"record_id\": 4')"
HASHED = "encode(sha256(convert_to(previous_hash || E'\\n' || {line}, 'UTF8')), 'hex')"


def change(url: str) -> None:
    tamper(url, f"update ops.audit_log set line = {CHANGED} where entry_id = 3")


def change_with_its_hash(url: str) -> None:
    tamper(
        url,
        f"update ops.audit_log set line = {CHANGED}, entry_hash = {HASHED.format(line=CHANGED)}"
        " where entry_id = 3",
    )


def remove(url: str) -> None:
    tamper(url, "delete from ops.audit_log where entry_id = 3")


def remove_and_number_again(url: str) -> None:
    remove(url)
    tamper(url, "update ops.audit_log set entry_id = entry_id - 1 where entry_id > 3")


def remove_the_first(url: str) -> None:
    tamper(url, "delete from ops.audit_log where entry_id = 1")


def insert(url: str) -> None:
    tamper(
        url,
        "update ops.audit_log set entry_id = entry_id + 100 where entry_id > 3",
        "update ops.audit_log set entry_id = entry_id - 99 where entry_id > 100",
        "insert into ops.audit_log select 4, line, entry_hash,"
        " encode(sha256(convert_to(entry_hash || E'\\n' || line, 'UTF8')), 'hex')"
        " from ops.audit_log where entry_id = 3",
    )


@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        (change, "line 3 was changed"),
        (change_with_its_hash, "line 4 does not follow line 3"),
        (remove, "line 3 is missing"),
        (remove_and_number_again, "line 3 does not follow line 2"),
        (remove_the_first, "line 1 is missing"),
        (insert, "line 4 stood at another place"),
    ],
)
def test_damage_is_found(
    log: str, tmp_path: Path, damage: Callable[[str], None], reason: str
) -> None:
    damage(log)
    with pytest.raises(LumbungError, match=reason):
        verify(log, tmp_path)


def test_lines_removed_at_the_end_are_missed_by_the_days_head(log: str, tmp_path: Path) -> None:
    settings = Settings(tmp_path, tmp_path, None)
    file = audit.anchor(
        date(2026, 11, 27), settings=settings, database_url=role_url(log, "auditor")
    )
    assert file == tmp_path / "anchors" / "2026-11-27.txt"
    head = verify(log, tmp_path)
    assert file.read_text() == f"lumbung audit log 2026-11-27: 5 {head.entry_hash}\n"
    tamper(log, "delete from ops.audit_log where entry_id = 5")
    with pytest.raises(LumbungError, match=r"2026-11-27\.txt carries is missing"):
        verify(log, tmp_path)
    kept = file.rename(tmp_path / "kept.txt")
    assert verify(log, tmp_path).entry_id == 4
    with pytest.raises(LumbungError, match=r"kept\.txt carries is missing"):
        audit.verify(settings=settings, database_url=log, kept=[kept])
    kept.write_text("catatan")
    with pytest.raises(ConfigurationError, match="holds no head"):
        audit.verify(settings=settings, database_url=log, kept=[kept])
