"""Hostile deliveries of every kind of channel go through the whole job, good ones between them.

Intake, raw checkpoint, build, edition and its checkpoint: nothing crashes, hangs or is refused,
every delivery is accounted for, and every good row becomes its fact. `LUMBUNG_HOSTILE=10000` sends
that many of each kind instead of 300, `LUMBUNG_HOSTILE_SEED=7` sends others, and
`LUMBUNG_HOSTILE_KINDS="sql email"` those kinds alone; `pytest -s` shows the counts.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import psycopg
import pytest
from fastapi.routing import APIRoute
from markupsafe import escape
from playwright.sync_api import Browser

from lumbung.demo.kobo_server import StandIn
from lumbung.desk import words
from lumbung.desk.access import person
from lumbung.intake import connectors
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.connectors.sql import reader as sql_reader
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.landing.landed import as_delivered, opened
from lumbung.intake.landing.pseudonyms import term_pseudonym
from lumbung.intake.run import pull
from lumbung.intake.vault import Keyring, Vault
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.settings import Settings
from lumbung.warehouse import raw_checkpoint
from lumbung.warehouse.build import build
from tests.desk.conftest import Desk, Scheduler, mounted
from tests.desk.conftest import project as desk_project
from tests.desk.test_browser import served
from tests.desk.test_rights import PEOPLE, application
from tests.intake import test_email as email
from tests.intake import test_whatsapp_cloud as cloud
from tests.support import hostile as senders
from tests.support.api_server import App, serve
from tests.support.builds import data_docs
from tests.support.homes import demo_home
from tests.support.inert import faults, overflow, watched
from tests.warehouse.conftest import PROJECT, query, write_channel

COUNT = int(os.environ.get("LUMBUNG_HOSTILE", "300"))
SEED = int(os.environ.get("LUMBUNG_HOSTILE_SEED", "1"))
GOOD = 40
PULL_SECONDS = 60 + COUNT // 2
"""A pull that takes longer hangs. Generous: another suite may run beside this one."""
pytestmark = [pytest.mark.slow, pytest.mark.timeout(1200 + COUNT)]
WEEK = "2024-W45"

LISTS = {"issue": ";", "violation_type": ","}


def fields(*left_out: str, prefix: str = "", **more: str) -> dict[str, Any]:
    """A channel's field map over the labels of `senders.FIELDS`."""
    labels = {**senders.FIELDS, **more}
    return {
        name: {"from": prefix + label, **({"separator": LISTS[name]} if name in LISTS else {})}
        for name, label in labels.items()
        if name not in left_out
    }


RECAP = ("activity_kind", "prevention_type", "method")
"""Fields of recaps; a channel that maps `activity_kind` counts campaign events."""
TIPS = fields(*RECAP)
CASES = fields(*RECAP, received_date="Diterima")
CHANNELS: dict[str, dict[str, Any]] = {
    "register": {
        "source": {"kind": "register"},
        "key": "Nomor",
        "fields": {"register_number": {"from": "Nomor"}, **CASES},
    },
    "sigaplapor": {
        "source": {"kind": "sigaplapor"},
        "fields": {"register_number": {"from": "No Laporan/Temuan"}, **CASES},
    },
    "form_a": {
        "source": {"kind": "form_a"},
        "record_kind": "LHP",
        "fields": {
            "activity_date": {"from": "Kegiatan / Tanggal"},
            "regency": {"from": "Kegiatan / Waktu dan Tempat"},
            "district": {"from": "Kegiatan / Waktu dan Tempat"},
            "method": {"from": "Kegiatan / Bentuk"},
            "narrative": {"from": "Uraian"},
        },
    },
    "form_csv": {"source": {"kind": "form_csv"}, "fields": TIPS},
    "sql": {
        "source": {"kind": "sql", "table": "aduan"},
        "key": "Nomor",
        "fields": fields(*RECAP, received_date="Diterima"),
    },
    "whatsapp": {"source": {"kind": "whatsapp", "marker": "ADUAN"}, "fields": TIPS},
    "whatsapp_cloud": {"source": {"kind": "whatsapp_cloud", "marker": "ADUAN"}, "fields": TIPS},
    "email": {"source": {"kind": "email", "marker": "ADUAN"}, "fields": TIPS},
    "kobo": {"source": {"kind": "kobo", "asset": "aRekaan"}, "fields": TIPS},
    "odk": {
        "source": {"kind": "odk", "project": 7, "form": "form pantau/1"},
        "fields": fields(*RECAP, prefix="k/"),
    },
    "ushahidi": {"source": {"kind": "ushahidi"}, "fields": TIPS},
    "http_json": {
        "source": {
            "kind": "http_json", "path": "/v1/aduan", "records": "data", "id": "nomor",
            "received": "dibuat",
            "paging": {"style": "page", "parameter": "page", "total": "meta.total"},
        },
        "fields": TIPS,
    },
}  # fmt: skip
KINDS = os.environ.get("LUMBUNG_HOSTILE_KINDS", "").split() or [*CHANNELS]
FILES: dict[str, Callable[[random.Random, int, list[senders.Good], Path], int]] = {
    "register": senders.register,
    "sigaplapor": senders.public_list,
    "form_a": senders.forms_a,
    "form_csv": senders.form,
    "sql": senders.database,
    "whatsapp": senders.chat,
    "whatsapp_cloud": senders.requests,
}


SHOWN = {
    "script": "<script>alert(1)</script><img src=x onerror=alert(2)>",
    "template": "{{ 7 * 7 }}{% for x in y %}${7*7}<%= 7 %>",
    "direction": "\u202egnau kitilop\u2066",
    "long word": "a" * 100,
}
"""Texts that every kind sends, and that a person is shown on request."""


@contextmanager
def bounded(what: str) -> Iterator[None]:
    """Fail where a pull does not end."""

    def stop(*_: object) -> None:
        pytest.fail(f"{what} did not end within {PULL_SECONDS} s")

    before = signal.signal(signal.SIGALRM, stop)
    left = signal.alarm(PULL_SECONDS)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, before)
        signal.alarm(left)  # that of the whole test


class Senders:
    """All senders of one office, each with good and hostile deliveries."""

    def __init__(self, settings: Settings, url: str, stack: ExitStack) -> None:
        self.settings = settings
        self.url = url
        self.stack = stack
        self.goods = senders.good_deliveries(GOOD)
        last = vars(self.goods[-1])
        for number, text in enumerate(SHOWN.values(), GOOD):
            self.goods.append(senders.Hostile(**{**last, "number": number, "text": text}))

    def send(self, kind: str) -> tuple[SourceConnection | None, int, dict[str, Any]]:
        """Let a kind's sender send; its connection, how many deliveries, changes of the source."""
        chance = random.Random(f"{SEED} {kind}")
        everything = len(self.goods) + COUNT
        if kind in FILES:
            inbox = self.settings.inbox / kind
            inbox.mkdir(parents=True)
            sent = FILES[kind](chance, COUNT, self.goods, inbox)
            connection = cloud.CONNECTION if kind == "whatsapp_cloud" else None
            return connection, sent, {}
        if kind == "email":
            box = email.Mailbox(self.stack.enter_context(email.imap_server("--no-tls")))
            sent = senders.mails(chance, COUNT, self.goods, box)
            box.imap.logout()
            return box.connection(), sent, {"folders": [box.folder]}
        if kind == "kobo":
            rows = senders.submissions(chance, COUNT, self.goods)
            data = self.settings.home / "kobo.json"
            data.write_text(json.dumps({"uid": "aRekaan", "results": rows}))
            server = self.stack.enter_context(StandIn(data, 0, "rahasia"))
            threading.Thread(target=server.serve_forever, daemon=True).start()
            self.stack.callback(server.shutdown)
            return SourceConnection(server.address, password="rahasia"), everything, {}
        apps: dict[str, Callable[[random.Random, int, list[senders.Good]], App]] = {
            "odk": senders.central,
            "ushahidi": senders.deployment,
            "http_json": senders.shop,
        }
        app = apps[kind](chance, COUNT, self.goods)
        stand = self.stack.enter_context(contextmanager(serve)(app))
        account = {"login": "a@contoh.example.id", "password": "sandi"} if kind == "odk" else {}
        return stand.connection(**account), everything, {}

    def pull(self, kind: str) -> tuple[IntakeCounts, int]:
        """Send and pull one kind: what was counted, and how many deliveries there were."""
        connection, sent, changes = self.send(kind)
        document = CHANNELS[kind]
        if kind not in ("register", "sigaplapor", "form_a"):
            document = {"record_kind": "IA", **document}
        document = {**document, "source": {**document["source"], **changes}}
        if connection is not None:
            document["connection"] = kind
        write_channel(self.settings.channels / f"{kind}.yaml", document)
        began = time.monotonic()
        with bounded(f"the pull of {kind}"):
            counts = pull(
                kind, settings=self.settings, database_url=self.url, connection=connection,
                run_key="uji",
            )  # fmt: skip
        print(f"\n{kind}, {sent} sent, pulled in {time.monotonic() - began:.0f} s: {counts}")
        return counts, sent


@pytest.fixture(scope="module", autouse=True)
def few_steps() -> Iterator[None]:
    """A view without an end is stopped sooner; the long form takes a fortieth of this."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sql_reader, "MAX_STEPS", 20)
        yield


@pytest.fixture(scope="module")
def sent(
    new_warehouse: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]]:
    """Everything was sent, pulled, judged and built, and an edition published."""
    project = tmp_path_factory.mktemp("hostile")
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    (project / "channels").mkdir()
    settings = demo_home(tmp_path_factory.mktemp("home"), project)
    url = new_warehouse()
    with ExitStack() as stack:
        office = Senders(settings, url, stack)
        counts = {kind: office.pull(kind) for kind in KINDS}
    pulled = time.monotonic()
    with data_docs(are_written=True):  # they show what is wrong
        raw_checkpoint.check_raw(settings=settings, database_url=url)
    build(settings=settings, database_url=url)
    print(f"\nchecked and built in {time.monotonic() - pulled:.0f} s")
    return url, settings, counts


def test_every_kind_has_a_hostile_sender() -> None:
    assert set(CHANNELS) == set(connectors.KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_every_delivery_is_accounted_for(
    sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]], kind: str
) -> None:
    counts, deliveries = sent[2][kind]
    assert counts.read == counts.landed + counts.duplicate + counts.quarantined
    assert counts.read >= deliveries
    assert counts.landed >= GOOD


@pytest.mark.parametrize("kind", KINDS)
def test_every_good_row_becomes_its_fact(
    sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]], kind: str
) -> None:
    table, day = (
        ("fct_supervision", "activity_date")
        if kind == "form_a"
        else ("fct_report", "received_date")
    )
    url, settings, _ = sent
    found = []
    with psycopg.connect(url) as connection, connection.cursor("facts") as facts:
        keys = Keyring(connection, Vault.load(settings.home))
        facts.execute(
            f"select r.source_id, r.payload, i.ciphertext, f.{day}::text, f.regency_code,"
            f" f.district_code from marts.{table} as f inner join raw.record as r using (record_id)"
            " left join vault.identity as i using (record_id) where f.channel = %s",
            (kind,),
        )
        for source_id, payload, sealed, *fact in facts:
            text = json.dumps(as_delivered(payload, opened(keys, kind, source_id, sealed)))
            if marked := re.search(rf"{senders.MARKER} \d+\.", text):
                found.append((marked[0], *fact))
    wanted = [good.fact for good in senders.good_deliveries(GOOD)]
    assert sorted(found) == sorted(wanted)


def test_what_is_landed_is_counted_or_listed(
    sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]],
) -> None:
    ((landed,),) = query(sent[0], "select count(distinct (channel, source_id)) from raw.record")
    ((typed,),) = query(sent[0], "select count(*) from intermediate.int_records__typed")
    assert typed == landed


@pytest.fixture(scope="module")
def published(sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]]) -> list[str]:
    """The names of the files of an edition."""
    url, settings, _ = sent
    draft = freezing.freeze(WEEK, settings=settings, database_url=url)
    reviewed = review.write_draft(draft, settings=settings, database_url=url)
    with data_docs(are_written=True):
        checkpoint.check(draft, settings=settings, database_url=url)
    review.approve(draft, by="Uji", how="person", reviewed=reviewed, database_url=url)
    return [*publishing.publish(draft, settings=settings, database_url=url)]


def test_an_edition_is_made_of_it(published: list[str]) -> None:
    assert any(name.endswith("edisi.pdf") for name in published)


class Opened:
    """What the desk shows of what was sent, by the kind that sent it."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk
        self.seen: dict[str, set[str]] = {kind: set() for kind in KINDS}

    def rows(self, statement: str) -> list[str]:
        return [str(row[0]) for row in query(self.desk.url, statement)]

    def pages(self) -> dict[str, list[str]]:
        """The addresses of each route with a page: all lists, and details of each channel."""
        reports = self.rows(
            "select 'one=' || report_id_a || '&other=' || report_id_b"
            " from marts.fct_report_pair order by 1 limit 3"
        )
        return {
            "/": ["/"],
            "/edisi": ["/edisi"],
            "/edisi/{edition_id}": [f"/edisi/{WEEK}-r1"],
            "/edisi/{edition_id}/keputusan": [f"/edisi/{WEEK}-r1/keputusan"],
            "/tinjauan": ["/tinjauan"],
            "/tinjauan/butir/{check}": self.rows(
                "select distinct '/tinjauan/butir/' || check_code from marts.fct_review_item"
                " where check_code <> 'pair_undecided'"
            ),
            "/tinjauan/pasangan": [f"/tinjauan/pasangan?{pair}" for pair in reports],
            "/tinjauan/kata": ["/tinjauan/kata"],
            "/tinjauan/kata/{vocabulary}": [
                f"/tinjauan/kata/{vocabulary}?{urlencode({'term': term})}"
                for vocabulary, term in [key for key in self.words() if key[1]][:5]
            ],
            "/tinjauan/tempat": ["/tinjauan/tempat"],
            "/tinjauan/tempat/{place_id}": self.rows(
                "select '/tinjauan/tempat/' || place_id from ops.unresolved_places()"
                " order by length(written) desc limit 5"
            ),
            "/tinjauan/dikeluarkan": ["/tinjauan/dikeluarkan"],
            "/karantina": ["/karantina"],
            "/karantina/{number}": self.rows(
                "select '/karantina/' || min(quarantine_id) from quarantine.record group by channel"
            ),
            "/karantina/{channel}/{code}": self.rows(
                "select distinct '/karantina/' || channel || '/' || reason_code"
                " from quarantine.record where resolved_at is null"
            ),
            "/kanal": ["/kanal"],
            "/kanal/{name}": [f"/kanal/{kind}" for kind in KINDS],
            "/lembar": ["/lembar"],
            "/telusur": self.rows(
                "select '/telusur?angka=' || min(record_id) from raw.record group by channel"
            ),
            "/data": ["/data"],
            "/catatan": ["/catatan"],
            "/catatan/periksa": ["/catatan/periksa"],
        }

    def words(self) -> dict[tuple[str, str], set[str]]:
        """The unknown words, with the channels that hold them."""
        who = person("provinsi", Settings.load())
        return {key: word.channels for key, word in words.found(who).items()}

    def note(self, text: str, kinds: set[str]) -> None:
        """Note which of `SHOWN` a page shows; it must be inert."""
        assert faults(text) == [], kinds
        assert len(text.encode()) < 60_000, kinds
        for name, sent in SHOWN.items():
            if str(escape(sent)) in text:
                for kind in kinds:
                    self.seen[kind].add(name)

    def open(self) -> None:
        """Open words and deliveries, as a person does for a reason."""
        client = self.desk.client("provinsi")
        found = re.search(r'name="csrf" value="([^"]+)"', client.get("/telusur").text)
        assert found
        given = {"csrf": found[1], "reason": "pilih kodenya"}
        vault = Vault.load(self.desk.settings.home)
        hidden = {term_pseudonym(vault, text): name for name, text in SHOWN.items()}
        for (vocabulary, term), channels in self.words().items():
            if term in hidden and any(hidden[term] not in self.seen[kind] for kind in channels):
                form = {**given, "term": term}
                page = client.post(f"/tinjauan/kata/{vocabulary}/isi", data=form)
                self.note(page.text, channels)
        for number, kind in query(
            self.desk.url,
            "select quarantine_id, channel from (select *, row_number() over (partition by channel"
            " order by quarantine_id) as place from quarantine.record) as q where place <= 3",
        ):
            self.note(client.post(f"/karantina/{number}/isi", data=given).text, {str(kind)})


def test_every_page_of_the_desk_shows_it_without_an_effect(
    sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]],
    published: list[str],
    browser: Browser,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    url, settings, _ = sent
    folder = desk_project(tmp_path / "project")
    (folder / "channels").unlink()
    (folder / "channels").symlink_to(settings.channels)
    monkeypatch.setenv("LUMBUNG_HOME", str(settings.home))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(folder))
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    scheduler = Scheduler()
    desk = Desk(url, Settings(settings.home, folder, None), mounted(scheduler), scheduler)
    shown = Opened(desk)
    shown.open()
    pages = shown.pages()
    assert pages.keys() == {
        route.path
        for route in application().routes
        if isinstance(route, APIRoute)
        and "GET" in route.methods
        and not any(part in route.path for part in ("/berkas/", "/formulir/", "/desk."))
    }
    if len(KINDS) == len(CHANNELS):  # of one kind alone, not every page has an item to show
        assert all(pages.values()), pages
    left = {address for found in pages.values() for address in found}
    accounts = ("provinsi", "pemeriksa", "ketua", *sorted(PEOPLE))
    with served(desk) as server:
        for account in accounts:  # each page once: what others see of it differs in forms alone
            client = desk.client(account)
            with (
                browser.new_context(extra_http_headers={"x-account": account}) as window,
                watched(window) as (tab, done),
            ):
                for address in sorted(left):
                    page = client.get(address)
                    assert page.status_code in (200, 404), (account, address)
                    if page.status_code == 200:
                        assert faults(page.text) == [], (account, address)
                        assert len(page.content) < 60_000, (account, address)
                        tab.goto(server + address)
                        assert (done, overflow(tab)) == ([], 0), (account, address)
                        left.remove(address)
            if not left:
                break
    assert left == set()
    # The reader of a chat's export leaves marks of direction out: WhatsApp writes its own. The page
    # shows them where another channel sent the same word with its marks.
    for kind in KINDS:
        assert shown.seen[kind] | ({"direction"} if kind == "whatsapp" else set()) == SHOWN.keys()


def test_a_second_pull_and_an_increment_change_nothing(
    sent: tuple[str, Settings, dict[str, tuple[IntakeCounts, int]]],
) -> None:
    """What broke a reader once breaks it again, and is in quarantine once."""
    url, settings, _ = sent
    before = query(url, "select count(*) from quarantine.record where resolved_at is null")
    for kind in filter(KINDS.__contains__, FILES):
        connection = cloud.CONNECTION if kind == "whatsapp_cloud" else None
        with bounded(f"the second pull of {kind}"):
            counts = pull(
                kind, settings=settings, database_url=url, connection=connection, run_key="lagi"
            )
        assert counts.landed == 0, kind
    assert query(url, "select count(*) from quarantine.record where resolved_at is null") == before
    raw_checkpoint.check_raw(settings=settings, database_url=url)
    build(settings=settings, database_url=url)
