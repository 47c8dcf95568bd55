"""Whatever needs a person arrives: by mail and by the person's own services, once a day."""

from __future__ import annotations

import dataclasses
import re
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import psycopg
import pytest
import yaml

from lumbung.errors import ConfigurationError
from lumbung.local.processes import hold_port
from lumbung.publication.delivery import notify
from lumbung.publication.delivery.notices import Notice
from lumbung.publication.delivery.recipients import Event, load_people
from lumbung.publication.delivery.smtp import MailServer
from lumbung.publication.editions import freezing, review, schedule
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse.checkpoints import CheckResult
from lumbung.warehouse.raw_checkpoint import Hold, RawResult
from lumbung.warehouse.roles import role_url
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.homes import demo_home
from tests.support.post import Post, notifier, post_office, webhook

PROJECT = Path(__file__).parents[2]
OWNER, CHAIR, CLERK = "data@babel.example.id", "pimpinan@babel.example.id", "wa@babel.example.id"
DESK = "https://airflow.example/lumbung"
NOW = datetime(2024, 11, 26, 8, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    """An installation whose people have no service but mail."""
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    (tmp_path / "dbt_project").symlink_to(PROJECT / "dbt_project")
    return demo_home(tmp_path / "home", tmp_path)


def configure(office: Settings, **changes: Any) -> None:
    people = yaml.safe_load((PROJECT / "config" / "people.yaml").read_text())
    (office.config / "people.yaml").write_text(yaml.safe_dump({**people, **changes}))


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as opened:
        yield opened


def page_of(text: str) -> str:
    """The page of the desk that a notice links to."""
    (page,) = re.findall(rf"^Halaman Lumbung: {DESK}(\S+)$", text, re.M)
    return str(page)


def notice(event: Event = "task", key: str = "x", **changes: Any) -> Notice:
    return Notice(event, key, "Gagal: x", "sebabnya", "perbaiki", **changes)


def test_leadership_is_notified_of_deadlines_where_it_has_addresses(
    url: str, office: Settings, post: Post
) -> None:
    configure(office, leadership_addresses=[CLERK])
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "update marts.fct_deadline set state_code = 'DAYS_1' returning extended_due_date"
        ).fetchone()
    assert row is not None
    way = notifier(office, post, url, DESK)
    assert notify.notify_of_deadlines(row[0], notifier=way, database_url=url)
    assert [address for address, _ in post.got] == [CLERK]


def test_every_event_arrives_once_by_mail_and_by_service(
    url: str, office: Settings, post: Post, paper_as_text: None
) -> None:
    configure(office, services={person: ["telepon"] for person in (OWNER, CHAIR, CLERK)})
    draft = freezing.freeze(WEEK, settings=office, database_url=url)
    review.write_draft(draft, settings=office, database_url=url)
    pass_checkpoint(url, draft)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into reference.channel (channel, title, kind, owner_name, owner_email,"
            " timezone) values ('wa', 'Aduan WhatsApp', 'whatsapp', 'Regu Aduan', %s,"
            " 'Asia/Jakarta')",
            (CLERK,),
        )
        row = connection.execute(
            "update marts.fct_deadline set state_code = 'DAYS_1' returning extended_due_date"
        ).fetchone()
    assert row is not None
    due: date = row[0]

    def warning(name: str) -> CheckResult:
        failing = [{"channel": "wa", "owner": "Regu Aduan"}]
        return CheckResult("channels", name, "warn", False, 1, 1, failing, "x", "x")

    hold = Hold("wa", "check", "kolom kosong", "a column is empty", NOW, 20, True, 1, 1)
    raw = RawResult(
        "raw",
        uuid.uuid4(),
        [warning("channel_is_fresh"), warning("volume_is_usual"), warning("channel_has_records")],
        office.home,
        (hold,),
    )
    failures: dict[Event, str] = {
        "intake": "Aduan WhatsApp",
        "raw_checkpoint": "warehouse.raw_checkpoint",
        "build": "warehouse.build",
        "publication_checkpoint": "publication.checkpoint",
        "mail": "publication.mail",
        "task": "backup.dump",
    }

    def happen() -> None:
        for event, task in failures.items():
            page = "/kanal/wa" if event == "intake" else "/"
            notify.notify_of_failure(
                event, task, f"{task}, run", "sebabnya", notifier=way, page=page
            )
        notify.notify_of_channels(raw, notifier=way, database_url=url)
        notify.ask(draft, notifier=way, database_url=url)
        assert notify.notify_of_deadlines(due, notifier=way, database_url=url)
        later = due + timedelta(days=4000)
        assert not notify.notify_of_deadlines(later, notifier=way, database_url=url)
        assert notify.notify_of_unpublished(
            WEEK, schedule.as_of(WEEK), notifier=way, database_url=url
        )
        too_early = schedule.as_of("2024-W10")
        assert not notify.notify_of_unpublished(
            "2024-W10", too_early, notifier=way, database_url=url
        )
        notify.notify_of_review_items(3, "tiga butir", notifier=way)

    def decide() -> None:
        notify.notify_rejection(draft, by="Ketua", comment="periksa", notifier=way)
        notify.notify_of_decision(draft, comment="periksa", notifier=way, database_url=url)

    with webhook() as (address, called):
        way = notifier(office, post, url, DESK, telepon=address)
        for _ in range(2):  # what lasts is found again, and nobody is notified again
            happen()
        review.reject(draft, by="Ketua", comment="periksa", database_url=url)
        for _ in range(2):
            decide()
    with psycopg.connect(url) as connection:
        events = {event for (event,) in connection.execute("select event from ops.notice")}
    assert events == {*get_args(Event)} - {"service"}
    subjects = {f"Gagal: {task}": ({OWNER}, "/") for task in failures.values()}
    subjects["Gagal: Aduan WhatsApp"] = ({OWNER}, "/kanal/wa")
    for said in ("kiriman barunya ditahan", "kiriman terlambat", "jumlah kiriman di luar"):
        (subject,) = {c["title"] for c in called if f"Kanal Aduan WhatsApp: {said}" in c["title"]}
        subjects[subject] = ({OWNER, CLERK}, "/kanal/wa")
    subjects |= {
        f"Mohon persetujuan: edisi {draft}": ({CHAIR}, f"/edisi/{draft}"),
        "Batas waktu penanganan segera berakhir": ({CHAIR}, "/lembar"),
        f"Edisi pekan {WEEK} belum terbit": ({OWNER, CHAIR}, "/edisi"),
        "Daftar tinjauan: 3 butir menunggu": ({OWNER}, "/tinjauan"),
    }
    expected = [(subject, page, to) for subject, (to, page) in subjects.items()]
    rejected = f"Edisi {draft} ditolak"  # one to those who correct it, one to those who decide
    expected += [(rejected, f"/edisi/{draft}", {OWNER})]
    expected += [(rejected, f"/edisi/{draft}/keputusan", {CHAIR})]
    assert sorted((mail["Subject"], address) for address, mail in post.got) == sorted(
        (subject, address) for subject, _, to in expected for address in to
    )
    assert sorted((call["title"], page_of(call["message"])) for call in called) == sorted(
        (subject, page) for subject, page, _ in expected
    )
    points = next(mail for _, mail in post.got if "Mohon persetujuan" in mail["Subject"])
    assert len([*points.iter_attachments()]) == 1
    for call in called:
        text = call["message"]
        assert re.search(r"Sejak: .* pukul \d\d\.\d\d\sWIB", text), text
        assert re.search(r"Yang perlu dilakukan: \w+", text), text
        # the draft's content and case numbers go to no service
        assert "dugaan" not in text.lower()
        assert "/PB/" not in text
    assert (
        f"Sejak: Selasa, 26 November 2024 pukul {NOW.hour + 7}.00\N{NO-BREAK SPACE}WIB"
        in " ".join(call["message"] for call in called)
    )


def test_a_service_that_fails_stops_nothing_and_is_reported(
    office: Settings, post: Post, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(office, services={OWNER: ["rusak", "salah", "telepon", "hilang"]})
    with hold_port() as port, webhook() as (address, called):
        dead = f"json://127.0.0.1:{port.number}/secret-token"
        way = notifier(
            office, post, database_url, rusak=dead, salah="x://secret-token", telepon=address
        )
        way.send(notice(), lambda _: [OWNER])
        way.send(notice(), lambda _: [OWNER])
    subjects = ["Gagal: x", "Pemberitahuan tidak terkirim melalui rusak, salah, dan hilang"]
    assert [mail["Subject"] for _, mail in post.got] == subjects
    assert [call["title"] for call in called] == subjects
    text = post.got[1][1].get_content() + called[1]["message"] + capsys.readouterr().out
    assert "Airflow Connection rusak" in text
    assert "secret-token" not in text


def test_a_mail_server_that_fails_is_reported_by_service(
    office: Settings, post: Post, database_url: str
) -> None:
    configure(office, services={OWNER: ["telepon"]})
    post.die_at = "DATA"
    with webhook() as (address, called):
        way = notifier(office, post, database_url, telepon=address)
        way.send(notice(), lambda _: [OWNER])
        assert [call["title"] for call in called] == [
            "Gagal: x",
            "Pemberitahuan tidak terkirim melalui mail",
        ]
        post.die_at = ""
        way.send(notice(), lambda _: [OWNER])
    assert post.addresses == [OWNER]
    assert len(called) == 2, "what arrived is not sent again"


def test_an_address_that_the_mail_server_refuses_is_reported(
    office: Settings, post: Post, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the owners; those who got the notice do not get it twice."""
    post.answers = {CHAIR: "550 no such person"}
    way = notifier(office, post, database_url)
    for _ in range(2):
        way.send(notice(), lambda _: [OWNER, CHAIR])
    assert [(mail["Subject"], address) for address, mail in post.got] == [
        ("Gagal: x", OWNER),
        (f"Pemberitahuan tidak terkirim melalui mail ({CHAIR})", OWNER),
    ]
    assert "550 no such person" in post.got[1][1].get_content()
    assert f"mail ({CHAIR}): 550 no such person" in capsys.readouterr().out


def let_pass(url: str, hours: float) -> None:
    """Make the history of notices older, which is append-only."""
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update ops.notice set happened_at = happened_at - %s", (HOUR * hours,))


def test_a_cause_that_lasts_is_sent_again_with_its_beginning(
    office: Settings, post: Post, database_url: str
) -> None:
    way, counts = notifier(office, post, database_url), []
    for passed in (0, 19, 2, 21, 73):  # after the last, it is another failure
        let_pass(database_url, passed)
        way.send(notice(), lambda _: [OWNER])
        counts.append(len(post.got))
    assert counts == [1, 1, 2, 3, 4]
    began = [re.findall(r"Sejak: (.*)\.", mail.get_content())[0] for _, mail in post.got]
    for moment, hours in zip(began, (0, 21, 42, 0), strict=True):
        first = datetime.now(JAKARTA) - HOUR * hours  # up to two minutes ago
        assert moment in {INDONESIAN.moment(first - HOUR * n / 60) for n in range(3)}
    way.send(notice(key="y"), lambda _: [OWNER])
    way.send(notice("build"), lambda _: [OWNER])
    assert len(post.got) == 6


def test_of_two_workers_one_sends(office: Settings, post: Post, database_url: str) -> None:
    """While one of them begins to send, the other one finds the same cause in another home."""
    home = dataclasses.replace(office, home=office.home / "other")
    other, asked = notifier(home, post, database_url), []

    def server() -> MailServer | None:
        asked.append(len(post.got))
        other.send(notice(), lambda _: [OWNER])
        return post.address

    dataclasses.replace(other, server=server).send(notice(), lambda _: [OWNER])
    assert asked == [0]
    assert post.addresses == [OWNER]


def test_a_claim_of_a_killed_worker_is_taken_over_and_said(
    office: Settings, post: Post, database_url: str
) -> None:
    class Killed(BaseException):
        pass

    def killed() -> MailServer | None:
        raise Killed

    way = notifier(office, post, database_url)
    with pytest.raises(Killed):
        dataclasses.replace(way, server=killed).send(notice(), lambda _: [OWNER])
    for minutes, count in ((10, 0), (6, 1), (60, 1)):
        let_pass(database_url, minutes / 60)
        way.send(notice(), lambda _: [OWNER])
        assert len(post.got) == count, minutes
    said = " ".join(post.got[0][1].get_content().split())
    assert "mungkin sudah Anda terima: pengirimannya terputus" in said


def test_the_history_is_append_only_and_names_no_case(
    office: Settings, post: Post, database_url: str
) -> None:
    notifier(office, post, database_url).send(notice(key="001/LP/x"), lambda _: [OWNER])
    with psycopg.connect(role_url(database_url, "publisher")) as connection:
        assert connection.execute(
            "select step, way, attempt from ops.notice order by notice_id"
        ).fetchall() == [("found", None, None), ("claimed", "mail", 1), ("sent", "mail", 1)]
        text = connection.execute("select string_agg(n::text, '') from ops.notice as n").fetchone()
        assert text is not None
        assert "LP" not in text[0]
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("delete from ops.notice")
    with psycopg.connect(database_url) as connection, pytest.raises(psycopg.Error, match="append"):
        connection.execute("delete from ops.notice")


def test_a_mute_ends(office: Settings, post: Post, database_url: str) -> None:
    today = datetime.now(JAKARTA).date()
    way = notifier(office, post, database_url)
    for until, is_muted in ((today, True), (today - timedelta(days=1), False)):
        mute = {"address": OWNER, "events": ["task"], "until": until}
        configure(office, muted=[mute])
        way.send(notice(key=f"{until}"), lambda _: [OWNER, CHAIR])
        assert (OWNER not in post.addresses) == is_muted
        assert post.addresses.count(CHAIR) == (1 if is_muted else 2)
    way.send(notice("build"), lambda _: [OWNER])
    assert post.addresses.count(OWNER) == 2
    configure(office, muted=[{"address": OWNER, "events": ["task"]}])
    with pytest.raises(ConfigurationError, match=r"muted\.0\.until Field required"):
        load_people(office)


def test_neither_a_wrong_file_nor_a_database_that_is_down_stops_a_task(
    office: Settings, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    with hold_port() as port:
        way = notifier(office, post, f"postgresql://x:y@127.0.0.1:{port.number}/x")
        way.send(notice(), lambda _: [OWNER])
        way.send(notice(), lambda _: [OWNER])
    assert len(post.got) == 2, "what was sent is not known, so it is sent again"
    assert "its history cannot be read" in capsys.readouterr().out
    configure(office, sender="x")
    way.send(notice(), lambda _: [OWNER])
    assert "people.yaml" in capsys.readouterr().out
