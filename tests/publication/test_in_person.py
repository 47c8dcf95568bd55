"""Nobody's approval can be forged: not in Airflow, not as the publisher, not in the database."""

from __future__ import annotations

import runpy
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pyotp
import pytest
from airflow.sdk.exceptions import AirflowFailException, AirflowSkipException

from lumbung.errors import ConfigurationError, PublicationError
from lumbung.publication.editions import approver, freezing, publishing, review
from lumbung.publication.editions.approver import CodeError
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.proof.merkle import files_root
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.edition_sample import WEEK, pass_checkpoint

EDITION = f"{WEEK}-r1"
CHAIR = "Rara Rekaan, Ketua (rekaan)"
FILES = {"edisi.pdf": b"%PDF-1.7", "siaran-pers.txt": b"Ringkasan.\n"}


class Office:
    """A home of real records, with a draft that passed the checkpoint and lies there for review."""

    def __init__(self, url: str, settings: Settings, dag: dict[str, Any]) -> None:
        self.url, self.settings, self.dag = url, settings, dag
        self.publication = dag["DAGS"]["publication"]
        self.reviewed: dict[str, str] = {}

    def draft(self, week: str = WEEK) -> str:
        edition_id = freezing.freeze(week, settings=self.settings, database_url=self.url)
        pass_checkpoint(self.url, edition_id)
        self.reviewed = review.write_draft(
            edition_id, settings=self.settings, database_url=self.url
        )
        return edition_id

    def enrol(self, name: str = "pimpinan", *, replace: bool = False) -> pyotp.TOTP:
        address = approver.enrol(
            name, replace=replace, settings=self.settings, database_url=self.url
        )
        phone = pyotp.parse_uri(address)
        assert isinstance(phone, pyotp.TOTP)
        return phone

    def answer(self, code: str | None, *, name: str = "pimpinan", option: str = "Approve",
               at: datetime | None = None) -> Any:  # fmt: skip
        """What Airflow does when somebody has answered."""
        event = {
            "chosen_options": [option],
            "params_input": {"code": code, "comment": "periksa Belitung"},
            "responded_by_user": {"id": name, "name": name},
            "responded_at": at or datetime.now(UTC),
        }
        seen = {"freeze": EDITION, "render": self.reviewed}
        ti = SimpleNamespace(xcom_pull=lambda task_ids: seen[task_ids])
        return self.publication.get_task("approve").execute_complete({"ti": ti}, event)

    def publish(self) -> str:
        """The task `publish`, which an administrator can start by setting `approve` to success."""
        work: Callable[[str], str] = self.publication.get_task("publish").python_callable
        return work(EDITION)

    def state(self) -> str:
        return store.load(EDITION, database_url=self.url).state

    def write(self, statement: str, *parameters: object, url: str = "") -> None:
        with psycopg.connect(url or self.url) as connection:
            connection.execute(statement.encode(), parameters)


@pytest.fixture
def office(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Office:
    project = Path(__file__).parents[2]
    settings = Settings(tmp_path / "office", project, None)
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.delenv("LUMBUNG_VAULT_KEY", raising=False)
    monkeypatch.setattr(render, "render", lambda _: dict(FILES))
    monkeypatch.setattr(publishing, "find_personal_data", lambda *_: [])
    made = Office(url, settings, runpy.run_path(str(project / "dags" / "publication.py")))
    assert made.draft() == EDITION
    return made


def test_the_chair_approves_with_the_code_of_a_phone(office: Office) -> None:
    answer = office.answer(office.enrol().now())
    assert "code" not in answer["params_input"]
    assert office.state() == "approved"
    assert office.publish() == EDITION
    assert len(store.artefacts(EDITION, database_url=office.url)) == 5
    assert not store.draft_files(EDITION, database_url=office.url)
    decision = store.load(EDITION, database_url=office.url).decision
    assert decision is not None
    assert (decision.how, decision.decided_by) == ("person", CHAIR)
    assert office.answer(None)  # decided already: a retry changes nothing


def test_a_rejection_needs_a_code_too(office: Office) -> None:
    phone = office.enrol()
    with pytest.raises(CodeError):
        office.answer(None, option="Reject")
    office.answer(phone.now(), option="Reject")
    with pytest.raises(AirflowSkipException, match="rejected by Rara"):
        office.publish()
    assert review.rejection(EDITION, database_url=office.url) == (CHAIR, "periksa Belitung")


def test_a_task_state_or_xcom_written_in_airflow_publishes_nothing(office: Office) -> None:
    office.enrol()
    with pytest.raises(AirflowFailException, match="nobody has decided on this edition in person"):
        office.publish()
    assert office.state() == "draft"
    assert not office.settings.editions.exists()


@pytest.mark.parametrize("name", ["admin", "pimpinan", "demo"])
@pytest.mark.parametrize("code", [None, "", "000000", "abcdef", "１２３４５６"])
def test_an_answer_without_the_code_records_nothing(
    office: Office, name: str, code: str | None
) -> None:
    phone = office.enrol()
    assert code != phone.now()
    with pytest.raises(CodeError, match=r"missing|wrong|no phone enrolled"):
        office.answer(code, name=name)
    assert office.state() == "draft"


def test_nobody_else_answers_with_the_chairs_code(office: Office) -> None:
    code = office.enrol().now()
    with pytest.raises(CodeError, match="'admin' has no phone enrolled"):
        office.answer(code, name="admin")


def test_a_code_counts_once_and_for_ten_minutes(office: Office) -> None:
    phone, now = office.enrol(), datetime.now(UTC)
    late = now - timedelta(minutes=12)
    with pytest.raises(CodeError, match="wrong or has expired"):
        office.answer(phone.at(late), at=late)
    with psycopg.connect(office.url) as connection:
        used = connection.execute("select totp_step from ops.used_code").fetchall()
        wrong = connection.execute("select count(*) from ops.approver_failure").fetchone()
    assert used == [(phone.timecode(late),)], "Airflow's database keeps it"
    assert wrong == (0,)
    slow = now - timedelta(minutes=9)  # Airflow was slow
    office.answer(phone.at(slow), at=slow)
    assert office.state() == "approved"
    office.write("update reporting.rpt_not_counted set record_count = record_count + 1")
    assert office.draft() == f"{WEEK}-r2"
    with pytest.raises(CodeError, match="used already"):
        review.decide(
            f"{WEEK}-r2", "approved", name="pimpinan", by=CHAIR, code=phone.at(slow),
            reviewed=office.reviewed, settings=office.settings, database_url=office.url, at=slow,
        )  # fmt: skip

    def consent(code: str, at: datetime) -> None:
        approver.prove(
            "pimpinan", code, edition_id="erase a person", decision="consent", by="ani", root="x",
            at=at, settings=office.settings, database_url=office.url,
        )  # fmt: skip

    with pytest.raises(CodeError, match="used already"):
        consent(phone.at(slow), slow)
    consent(phone.at(now), now)
    with pytest.raises(CodeError, match="used already"):
        review.decide(
            f"{WEEK}-r2", "approved", name="pimpinan", by=CHAIR, code=phone.at(now),
            reviewed=office.reviewed, settings=office.settings, database_url=office.url, at=now,
        )  # fmt: skip


def test_a_code_that_airflow_stored_is_used_up_by_a_refused_decision(office: Office) -> None:
    """An administrator of Airflow reads it in `hitl_detail`, and could consent with it."""
    phone, now = office.enrol(), datetime.now(UTC)
    drafted = office.reviewed
    office.reviewed = {**drafted, "edisi.pdf": "0" * 64}
    with pytest.raises(AirflowFailException, match="not what the draft renders to now"):
        office.answer(phone.at(now), at=now)
    with pytest.raises(CodeError, match="used already"):
        approver.prove(
            "pimpinan", phone.at(now), edition_id="erase a person", decision="consent", by="ani",
            root="x", at=now, settings=office.settings, database_url=office.url,
        )  # fmt: skip
    office.reviewed = drafted
    with pytest.raises(CodeError, match="used already"):
        office.answer(phone.at(now), at=now)
    assert office.state() == "draft"


def test_codes_cannot_be_tried_one_after_the_other(office: Office) -> None:
    phone = office.enrol()
    for _ in range(5):
        with pytest.raises(CodeError):
            office.answer("000000")
    with pytest.raises(AirflowFailException, match="5 wrong codes of 'pimpinan' in 15 minutes"):
        office.answer(phone.now())
    assert office.state() == "draft"


def test_codes_cannot_be_tried_a_few_at_a_time_all_day(office: Office) -> None:
    phone = office.enrol()
    fail = (
        "insert into ops.approver_failure (name, failed_at)"
        " select 'pimpinan', clock_timestamp() - make_interval(hours => hour)"
        " from generate_series(%s::int, %s::int) as hour"
    )
    office.write(fail, 5, 23)
    office.write(fail, 25, 40)
    with pytest.raises(CodeError):  # the twentieth
        office.answer("000000")
    with pytest.raises(AirflowFailException, match="20 wrong codes of 'pimpinan' in 24 hours"):
        office.answer(phone.now())
    assert office.state() == "draft"


def test_codes_cannot_be_tried_at_once(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.enrol()
    # Those that were let in before the others' failures were counted meet here.
    meeting = threading.Barrier(8)

    def wrong(*_: object) -> None:
        with suppress(threading.BrokenBarrierError):
            meeting.wait(1)

    monkeypatch.setattr(approver, "_step", wrong)

    def attempt(_: int) -> None:
        with pytest.raises(PublicationError):
            approver.prove(
                "pimpinan", "000000", edition_id=EDITION, decision="approved", by=CHAIR, root="x",
                settings=office.settings, database_url=role_url(office.url, "approver"),
            )  # fmt: skip

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(attempt, range(8)))
    with psycopg.connect(office.url) as connection:
        row = connection.execute("select count(*) from ops.approver_failure").fetchone()
    assert row == (5,)


def test_a_lost_phone_is_replaced(office: Office) -> None:
    lost = office.enrol()
    with pytest.raises(ConfigurationError, match="has a phone already"):
        office.enrol()
    found = office.enrol(replace=True)
    with pytest.raises(CodeError):
        office.answer(lost.now())
    office.answer(found.now())
    assert office.state() == "approved"


def test_the_databases_owner_cannot_revive_a_lost_phone(office: Office) -> None:
    lost = office.enrol()
    office.enrol(replace=True)
    office.write(
        "insert into ops.approver (name, sealed_secret)"
        " select name, sealed_secret from ops.approver order by enrolment_id limit 1"
    )
    with pytest.raises(CodeError, match="its row was copied"):
        office.answer(lost.now())
    office.write("alter table ops.approver disable trigger append_only")
    office.write("delete from ops.approver where enrolment_id > 1")
    with pytest.raises(CodeError, match="not the one that was enrolled last"):
        office.answer(lost.now())
    assert office.state() == "draft"


def test_a_lost_phone_approves_nothing_by_a_row_of_the_owner(office: Office) -> None:
    """Its finder can compute the keyed hash."""
    lost = office.enrol()
    office.enrol(replace=True)
    office.write("alter table ops.approver disable trigger append_only")
    office.write("update ops.approver set enrolled_at = enrolled_at - interval '1 hour'")
    step = lost.timecode(datetime.now(UTC))
    seal = approver._seal(
        lost.secret, EDITION, "approved", CHAIR, files_root(office.reviewed), step
    )
    forge(office, ", enrolment_id, totp_step, seal", f", 1, {step}, '{seal}'")
    refused(office)


def test_a_second_person_unlocks_who_was_locked_by_wrong_codes(office: Office) -> None:
    phone = office.enrol()
    for _ in range(5):
        with pytest.raises(CodeError):
            office.answer("000000")
    with pytest.raises(AirflowFailException, match="lumbung approver unlock pimpinan"):
        office.answer(phone.now())
    approver.unlock(
        "pimpinan", by="ani", consented_by="anggota", reason="salah ketik",
        proof=approver.Proof(1, 5, "ab" * 32), database_url=role_url(office.url, "approver"),
    )  # fmt: skip
    office.answer(phone.now())
    assert office.state() == "approved"
    with psycopg.connect(office.url) as connection:
        row = connection.execute(
            "select line::jsonb from ops.audit_log where line like '%approver_unlock%'"
        ).fetchone()
    assert row is not None
    assert (row[0]["person"], row[0]["is_proved"]) == ("ani", True)
    assert row[0]["content"]["consented_by"] == "anggota"


def test_the_secret_is_encrypted_in_the_database(office: Office) -> None:
    phone = office.enrol()
    with psycopg.connect(office.url) as connection:
        row = connection.execute("select row(a.*)::text from ops.approver as a").fetchone()
    assert row
    assert phone.secret not in row[0]
    assert phone.secret.encode().hex() not in row[0]


@pytest.mark.parametrize("role", ["publisher", "loader", "transformer", "auditor"])
@pytest.mark.parametrize(
    "statement",
    [
        "insert into published.approval (edition_id, decision, how, decided_by, reviewed)"
        f" values ('{EDITION}', 'approved', 'person', 'x', '{{}}')",
        f"select published.record_decision('{EDITION}', 'approved', 'person', 'x', '', '{{}}',"
        " null, null, null)",
        "insert into ops.approver (name, sealed_secret) values ('pimpinan', 'x')",
    ],
)
def test_only_the_approvers_role_records_a_decision(
    office: Office, role: str, statement: str
) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        office.write(statement, url=role_url(office.url, role))


def forge(office: Office, columns: str = "", values: str = "") -> None:
    """As the database's owner: a row that approves the draft as it renders, and the state."""
    office.write(
        f"insert into published.approval (edition_id, decision, how, decided_by, reviewed{columns})"
        f" values (%s, 'approved', 'person', %s, %s{values})",
        *(EDITION, CHAIR, psycopg.types.json.Jsonb(office.reviewed)),
    )
    office.write("update published.edition set state = 'approved' where edition_id = %s", EDITION)


def refused(office: Office) -> None:
    with pytest.raises(AirflowFailException, match="nobody has approved this edition in person"):
        office.publish()
    assert not office.settings.editions.exists()
    # The next draft is asked about again.
    assert freezing.freeze(WEEK, settings=office.settings, database_url=office.url) != EDITION


def test_a_row_of_the_owner_is_no_approval(office: Office) -> None:
    office.enrol()
    forge(office)
    refused(office)


def test_a_keyed_hash_that_was_made_up_is_no_approval(office: Office) -> None:
    office.enrol()
    forge(office, ", enrolment_id, totp_step, seal", ", 1, 1, repeat('0', 64)")
    refused(office)


def test_the_keyed_hash_of_another_edition_is_no_approval(office: Office) -> None:
    phone = office.enrol()
    other = office.draft("2024-W46")
    review.decide(
        other, "approved", name="pimpinan", by=CHAIR, code=phone.now(), reviewed=office.reviewed,
        settings=office.settings, database_url=office.url,
    )  # fmt: skip
    office.draft()
    forge(
        office,
        ", enrolment_id, totp_step, seal",
        f", 1, 1, (select seal from published.approval where edition_id = '{other}')",
    )
    refused(office)


def test_a_phone_enrolled_in_the_database_needs_the_vault_key(office: Office) -> None:
    """Whoever can write to the database but has no vault key cannot enrol a phone of their own."""
    office.write("insert into ops.approver (name, sealed_secret) values ('pimpinan', %s)",
                 b"JBSWY3DPEHPK3PXP" * 2)  # fmt: skip
    with pytest.raises(CodeError, match="its row was copied"):
        office.answer(pyotp.TOTP("JBSWY3DPEHPK3PXP" * 2).now())


def test_the_demos_approval_counts_only_in_a_demos_home(office: Office) -> None:
    with pytest.raises(CodeError, match="no phone enrolled"):
        office.answer(None, name="demo")
    review.approve(EDITION, by="demo", how="demo", database_url=office.url)
    refused(office)


def test_in_a_demos_home_no_code_is_needed_and_the_edition_says_so(office: Office) -> None:
    office.settings.demo_claim.touch()
    office.answer(None, name="demo")
    office.publish()
    decision = store.load(EDITION, database_url=office.url).decision
    assert decision is not None
    assert decision.how == "demo"
