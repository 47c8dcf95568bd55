"""Whatever needs a person arrives: by mail and by the person's own services, once a day."""

from __future__ import annotations

import re
import shutil
import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml

from lumbung.local.processes import hold_port
from lumbung.publication.delivery import notify
from lumbung.publication.delivery.notices import Notice
from lumbung.publication.delivery.recipients import Event
from lumbung.publication.editions import freezing, review, schedule
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse.checkpoints import CheckResult
from lumbung.warehouse.raw_checkpoint import Hold, RawResult
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.homes import demo_home
from tests.support.post import Post, notifier, post_office, webhook

PROJECT = Path(__file__).parents[2]
OWNER, CHAIR, CLERK = "data@babel.example.id", "pimpinan@babel.example.id", "wa@babel.example.id"
DESK = "https://airflow.example/lumbung"
NOW = datetime(2024, 11, 26, 8, tzinfo=UTC)


@pytest.fixture
def office(tmp_path: Path) -> Settings:
    """An installation whose people have no service but mail."""
    shutil.copytree(PROJECT / "config", tmp_path / "config")
    return demo_home(tmp_path / "home", tmp_path)


def configure(office: Settings, **changes: Any) -> None:
    people = yaml.safe_load((PROJECT / "config" / "people.yaml").read_text())
    (office.config / "people.yaml").write_text(yaml.safe_dump({**people, **changes}))


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as opened:
        yield opened


def notice(event: Event = "task", key: str = "x", **changes: Any) -> Notice:
    return Notice(event, key, "Gagal: x", "sebabnya", "perbaiki", **changes)


def test_every_event_arrives_by_mail_and_by_service(
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

    hold = Hold("wa", "check", "kolom kosong", "a column is empty", NOW, 20, True)
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
    }
    with webhook() as (address, called):
        way = notifier(office, post, DESK, telepon=address)
        for event, task in failures.items():
            notify.notify_of_failure(event, task, f"{task}, run", "sebabnya", notifier=way)
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
        notify.notify_rejection(draft, by="Ketua", comment="periksa", notifier=way)
        notify.notify_of_review_items(3, "tiga butir", notifier=way)
    subjects = {f"Gagal: {task}": ({OWNER}, "/") for task in failures.values()}
    subjects["Gagal: Aduan WhatsApp"] = ({OWNER}, "/kanal")
    for said in ("kiriman barunya ditahan", "kiriman terlambat", "jumlah kiriman di luar"):
        (subject,) = {c["title"] for c in called if f"Kanal Aduan WhatsApp: {said}" in c["title"]}
        subjects[subject] = ({OWNER, CLERK}, "/kanal")
    subjects |= {
        f"Mohon persetujuan: edisi {draft}": ({CHAIR}, f"/edisi/{draft}"),
        "Batas waktu penanganan segera berakhir": ({CHAIR}, "/lembar"),
        f"Edisi pekan {WEEK} belum terbit": ({OWNER, CHAIR}, "/edisi"),
        f"Edisi {draft} ditolak": ({OWNER}, f"/edisi/{draft}"),
        "Daftar tinjauan: 3 butir menunggu": ({OWNER}, "/tinjauan"),
    }
    mails: dict[str, set[str]] = {}
    for address, mail in post.got:
        mails.setdefault(mail["Subject"], set()).add(address)
    assert mails == {subject: to for subject, (to, _) in subjects.items()}
    assert sorted(call["title"] for call in called) == sorted(subjects)
    points = next(mail for _, mail in post.got if "Mohon persetujuan" in mail["Subject"])
    assert len([*points.iter_attachments()]) == 1
    for call in called:
        text = call["message"]
        assert re.search(r"Sejak: .* pukul \d\d\.\d\d\sWIB", text), text
        assert re.search(r"Yang perlu dilakukan: \w+", text), text
        assert f"Halaman Lumbung: {DESK}{subjects[call['title']][1]}\n" in text
        # the draft's content and case numbers go to no service
        assert "dugaan" not in text.lower()
        assert "/PB/" not in text
    assert (
        f"Sejak: Selasa, 26 November 2024 pukul {NOW.hour + 7}.00\N{NO-BREAK SPACE}WIB"
        in " ".join(call["message"] for call in called)
    )


def test_a_service_that_fails_stops_nothing_and_is_reported(
    office: Settings, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    configure(office, services={OWNER: ["rusak", "salah", "telepon", "hilang"]})
    with hold_port() as port, webhook() as (address, called):
        dead = f"json://127.0.0.1:{port.number}/secret-token"
        way = notifier(office, post, rusak=dead, salah="x://secret-token", telepon=address)
        way.send(notice(), lambda _: [OWNER])
        way.send(notice(), lambda _: [OWNER])
    subjects = ["Gagal: x", "Pemberitahuan tidak terkirim melalui rusak, salah, dan hilang"]
    assert [mail["Subject"] for _, mail in post.got] == subjects
    assert [call["title"] for call in called] == subjects
    text = post.got[1][1].get_content() + called[1]["message"] + capsys.readouterr().out
    assert "Airflow Connection rusak" in text
    assert "secret-token" not in text


def test_a_mail_server_that_fails_is_reported_by_service(office: Settings, post: Post) -> None:
    configure(office, services={OWNER: ["telepon"]})
    post.die_at = "DATA"
    with webhook() as (address, called):
        way = notifier(office, post, telepon=address)
        way.send(notice(), lambda _: [OWNER])
        assert [call["title"] for call in called] == [
            "Gagal: x",
            "Pemberitahuan tidak terkirim melalui mail",
        ]
        post.die_at = ""
        way.send(notice(), lambda _: [OWNER])
    assert post.addresses == [OWNER]
    assert len(called) == 2, "what arrived is not sent again"


def test_a_cause_that_lasts_is_sent_again_with_its_beginning(
    office: Settings, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, hour = notifier(office, post), 3600.0
    start = NOW.timestamp()
    hours = {0: 1, 19: 1, 21: 2, 42: 3, 115: 4}  # 73 hours later it is another failure
    for passed, count in hours.items():
        monkeypatch.setattr("time.time", lambda passed=passed: start + passed * hour)
        way.send(notice(), lambda _: [OWNER])
        assert len(post.got) == count, passed
    began = [re.findall(r"Sejak: (.*)\.", mail.get_content())[0] for _, mail in post.got]
    first = "Selasa, 26 November 2024 pukul 15.00\N{NO-BREAK SPACE}WIB"
    assert began == [first] * 3 + ["Minggu, 1 Desember 2024 pukul 10.00\N{NO-BREAK SPACE}WIB"]
    way.send(notice(key="y"), lambda _: [OWNER])
    way.send(notice("build"), lambda _: [OWNER])
    assert len(post.got) == 6


def test_a_mute_ends(office: Settings, post: Post) -> None:
    today = datetime.now(JAKARTA).date()
    way = notifier(office, post)
    for until, is_muted in ((today, True), (today - timedelta(days=1), False)):
        mute = {"address": OWNER, "events": ["task"], "until": until}
        configure(office, muted=[mute])
        way.send(notice(key=f"{until}"), lambda _: [OWNER, CHAIR])
        assert (OWNER not in post.addresses) == is_muted
        assert post.addresses.count(CHAIR) == (1 if is_muted else 2)
    way.send(notice("build"), lambda _: [OWNER])
    assert post.addresses.count(OWNER) == 2


def test_what_cannot_be_read_stops_no_task(
    office: Settings, post: Post, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = office.home / "run" / "notified"
    notifier(office, post).send(notice(), lambda _: [OWNER])
    (file,) = folder.iterdir()
    file.write_text("1732600000.0")  # as an earlier version wrote it
    notifier(office, post).send(notice(), lambda _: [OWNER])
    assert len(post.got) == 2
    configure(office, sender="x")
    notifier(office, post).send(notice(), lambda _: [OWNER])
    assert "people.yaml" in capsys.readouterr().out
