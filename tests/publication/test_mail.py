"""The edition reaches every recipient once, whatever the mail server or we die of."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import yaml

from lumbung.errors import CheckpointError, ConfigurationError, PublicationError, ServiceError
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.local.processes import hold_port
from lumbung.publication.delivery import notify, smtp
from lumbung.publication.delivery.recipients import load_people
from lumbung.publication.delivery.smtp import MailServer
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.proof.manifest import PROOF_FILES
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.publication.conftest import Metrics, copy_of
from tests.support.edition_sample import WEEK, pass_checkpoint
from tests.support.homes import demo_home
from tests.support.post import Post, notifier, post_office

PROJECT = Path(__file__).parents[2]
EDITION = f"{WEEK}-r1"
RECIPIENTS = ["ketua@babel.example.id", "humas@babel.example.id", "ppid@babel.example.id"]
FILES = {
    "edisi.pdf": b"%PDF-1.7\r\n.\r\n..\n\x00\xff end",
    "siaran-pers.txt": "Ringkasan é\n.\n".encode(),
}


@pytest.fixture(scope="module")
def issued(
    server: EmbeddedPostgres, filled: tuple[str, Metrics], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Settings]]:
    """The name of a database with one published edition, and the home that signed it."""
    with copy_of(server, filled[0]) as url, pytest.MonkeyPatch.context() as patch:
        home = demo_home(tmp_path_factory.mktemp("home"), PROJECT)
        # Rendering is tried elsewhere; here two small files stand for an edition's.
        patch.setattr(render, "render", lambda _: FILES)
        patch.setattr(publishing, "find_personal_data", lambda *_: [])
        freezing.freeze(WEEK, settings=home, database_url=url)
        pass_checkpoint(url, EDITION)
        review.approve(EDITION, by="Ketua Contoh", database_url=url)
        publishing.publish(EDITION, settings=home, database_url=url)
        yield url.rsplit("/", 1)[1].split("?")[0], home


@pytest.fixture
def url(
    server: EmbeddedPostgres, issued: tuple[str, Settings], settings: Settings
) -> Iterator[str]:
    shutil.copytree(issued[1].home / "keys", settings.home / "keys")
    with copy_of(server, issued[0]) as copied:
        yield copied


@pytest.fixture
def post() -> Iterator[Post]:
    with post_office() as post:
        yield post


@pytest.fixture
def plain(monkeypatch: pytest.MonkeyPatch) -> None:
    """A letter that costs no charts."""
    monkeypatch.setattr(render, "letter", lambda *_: ("Buletin", "<p>.\n.x</p>"))


def send(url: str, settings: Settings, server: MailServer) -> list[str]:
    return smtp.send(EDITION, settings=settings, database_url=url, server=server)


def state(url: str) -> tuple[list[tuple[object, ...]], dict[str, str]]:
    with psycopg.connect(url) as connection:
        editions = connection.execute(
            "select edition_id, state, name, content from published.edition"
            " join published.artefact using (edition_id) where name <> all (%s) order by name",
            (list(PROOF_FILES),),
        ).fetchall()
        return editions, {row[0]: row[1] for row in smtp.status(connection, EDITION)}


PUBLISHED = [(EDITION, "published", name, content) for name, content in sorted(FILES.items())]


def test_everybody_gets_a_letter_of_their_own_once(
    url: str, settings: Settings, post: Post
) -> None:
    publisher = role_url(url, "publisher")
    assert send(publisher, settings, post.address) == RECIPIENTS
    assert send(publisher, settings, post.address) == []
    assert post.addresses == RECIPIENTS
    with psycopg.connect(url) as connection:
        (root,) = connection.execute("select root_hash from published.edition_root").fetchall()[0]
    subject = "Buletin Mingguan Pengawasan Pemilihan, Pekan 47: 18–24 November 2024"
    for address, message in post.got:
        assert (message["To"], message["Subject"]) == (address, subject)
        assert "<publikasi@babel.example.id>" in message["From"]
        text, html = message.get_body(("plain",)), message.get_body(("html",))
        (pdf,) = message.iter_attachments()
        assert text is not None
        assert html is not None
        assert text.get_content().splitlines() == ["Ringkasan é", "."]
        assert pdf.get_content() == FILES["edisi.pdf"]
        assert (pdf.get_content_type(), pdf.get_filename()) == ("application/pdf", f"{EDITION}.pdf")
        page = html.get_content()
        for lead, _ in render.document(store.load(EDITION, database_url=url)).points:
            assert lead in page
        assert root in page
        # what mail clients strip or block, and what would reveal to a third party who reads
        assert not re.search(r"<(style|script|img|svg|link|form)\b|url\(|\bsrc=", page)
        assert len(page) < 30_000
    assert len({message["Message-ID"] for _, message in post.got}) == len(RECIPIENTS)
    assert state(url)[1] == dict.fromkeys(RECIPIENTS, "accepted")


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("step", ["EHLO", "MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize("after", [0, 1])
def test_a_server_that_dies_before_the_message_gets_it_later(
    url: str, settings: Settings, post: Post, step: str, after: int
) -> None:
    post.die_at, post.after = step, after
    if step == "EHLO" and after:
        send(url, settings, post.address)  # it says hello only once, before the first
    else:
        with pytest.raises(ServiceError, match="mail server"):
            send(url, settings, post.address)
        assert post.addresses == RECIPIENTS[:after]
        assert state(url) == (PUBLISHED, dict.fromkeys(RECIPIENTS[:after], "accepted"))
        post.die_at = ""
        assert send(url, settings, post.address) == RECIPIENTS[after:]
    assert post.addresses == RECIPIENTS


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("step", ["lost", "kept"])
def test_where_nobody_knows_it_is_not_sent_again_until_a_person_says_so(
    url: str, settings: Settings, post: Post, step: str
) -> None:
    post.die_at, post.after = step, 1
    with pytest.raises(ServiceError):
        send(url, settings, post.address)
    post.die_at = ""
    doubtful = RECIPIENTS[1]
    for _ in range(2):
        with pytest.raises(PublicationError, match=f"not known whether {doubtful} received"):
            send(url, settings, post.address)
    got = RECIPIENTS if step == "kept" else [RECIPIENTS[0], RECIPIENTS[2]]
    assert sorted(post.addresses) == sorted(got)
    assert state(url) == (
        PUBLISHED,
        {**dict.fromkeys(RECIPIENTS, "accepted"), doubtful: "offered"},
    )
    for address, by in ((RECIPIENTS[0], "Sari Rekaan"), (doubtful, " ")):
        with pytest.raises(PublicationError):
            smtp.release(EDITION, address, by=by, database_url=url)
    if step == "lost":
        smtp.release(EDITION, doubtful, by="Sari Rekaan", database_url=url)
        assert send(url, settings, post.address) == [doubtful]
        assert sorted(post.addresses) == sorted(RECIPIENTS)
        assert send(url, settings, post.address) == []


@pytest.mark.usefixtures("plain")
@pytest.mark.parametrize("step", ["offered", "accepted"])
def test_killed_beside_the_last_byte(
    url: str, settings: Settings, post: Post, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Killed after saying that it is offered, or before saying that it was accepted."""
    record = smtp._record

    def killed(connection, edition_id, address, found, said):  # type: ignore[no-untyped-def]
        if found == "offered":
            record(connection, edition_id, address, found, said)
        if found == step:
            raise KeyboardInterrupt

    monkeypatch.setattr(smtp, "_record", killed)
    with pytest.raises(KeyboardInterrupt):
        send(url, settings, post.address)
    monkeypatch.setattr(smtp, "_record", record)
    assert post.addresses == ([] if step == "offered" else RECIPIENTS[:1])
    with pytest.raises(PublicationError, match=RECIPIENTS[0]):
        send(url, settings, post.address)
    assert sorted(post.addresses) == sorted(RECIPIENTS[1:] if step == "offered" else RECIPIENTS)


@pytest.mark.usefixtures("plain")
def test_a_server_that_is_down_leaves_the_publication_standing(
    url: str, settings: Settings
) -> None:
    with hold_port() as port:
        with pytest.raises(ServiceError, match=f"127.0.0.1:{port.number}"):
            send(url, settings, MailServer("127.0.0.1", port.number, security="none"))
        assert state(url) == (PUBLISHED, {})
        with post_office(port.number) as post:
            assert send(url, settings, post.address) == RECIPIENTS
            assert post.addresses == RECIPIENTS


@pytest.mark.usefixtures("plain")
def test_a_refused_recipient_is_named_and_holds_up_nobody(
    url: str, settings: Settings, post: Post
) -> None:
    post.answers = {RECIPIENTS[0]: "550 no such person", RECIPIENTS[1]: "450 greylisted"}
    with pytest.raises(
        ServiceError, match=rf"temporarily refuses {RECIPIENTS[1]} \(450 greylisted\)"
    ):
        send(url, settings, post.address)
    assert post.addresses == RECIPIENTS[2:]
    del post.answers[RECIPIENTS[1]]
    with pytest.raises(PublicationError, match=rf"refuses {RECIPIENTS[0]} \(550 no such person\)"):
        send(url, settings, post.address)
    assert state(url)[1] == {
        RECIPIENTS[0]: "refused",
        RECIPIENTS[1]: "accepted",
        RECIPIENTS[2]: "accepted",
    }
    post.answers = {}
    assert send(url, settings, post.address) == [RECIPIENTS[0]]
    assert sorted(post.addresses) == sorted(RECIPIENTS)


@pytest.mark.usefixtures("plain")
def test_no_open_conversation_where_an_encrypted_one_was_wanted(
    url: str, settings: Settings, post: Post
) -> None:
    open_server = post.address
    for wanted in (
        MailServer(open_server.host, open_server.port),
        MailServer(open_server.host, open_server.port, "kami", "rahasia", "none"),
    ):
        with pytest.raises(
            ConfigurationError, match="does not accept the login or encryption"
        ) as caught:
            send(url, settings, wanted)
        assert "rahasia" not in str(caught.value) + repr(wanted)
    assert post.got == []


def test_the_database_itself_lets_nothing_be_offered_twice(url: str) -> None:
    def step(name: str, address: str = "a@babel.example.id") -> None:
        with psycopg.connect(url) as connection:
            connection.execute(
                "insert into published.mailing (edition_id, address, step) values (%s, %s, %s)",
                (EDITION, address, name),
            )

    for name, is_possible in (
        ("accepted", False), ("released", False), ("refused", True), ("offered", True),
        ("offered", False), ("released", True), ("offered", True), ("accepted", True),
        ("offered", False), ("released", False), ("refused", False), ("accepted", False),
    ):  # fmt: skip
        if is_possible:
            step(name)
        else:
            with pytest.raises(psycopg.errors.RestrictViolation, match="cannot follow"):
                step(name)


def test_a_letter_with_personal_data_is_sent_to_nobody(
    url: str, settings: Settings, post: Post, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(render, "letter", lambda *_: ("Buletin", "<p>NIK 1971054511900001</p>"))
    with pytest.raises(CheckpointError, match="NIK"):
        send(url, settings, post.address)
    assert (post.got, state(url)) == ([], (PUBLISHED, {}))


@pytest.mark.usefixtures("plain")
def test_an_edition_that_is_not_the_signed_one_is_mailed_to_nobody(
    url: str, settings: Settings, post: Post
) -> None:
    with psycopg.connect(url) as owner:
        owner.execute("set session_replication_role = replica")  # past the triggers
        owner.execute(
            "update published.artefact set content = '%PDF', byte_count = 4,"
            " sha256 = encode(sha256('%PDF'), 'hex') where name = 'edisi.pdf'"
        )
    with pytest.raises(PublicationError, match=r"edisi\.pdf is not the file that was signed"):
        send(role_url(url, "publisher"), settings, post.address)
    assert post.got == []


def test_a_draft_is_mailed_to_nobody(url: str, settings: Settings, post: Post) -> None:
    draft = freezing.freeze("2024-W46", settings=settings, database_url=url)
    with pytest.raises(PublicationError, match="is draft, not published"):
        smtp.send(draft, settings=settings, database_url=url, server=post.address)
    assert post.got == []


def test_those_who_approve_are_asked_and_reminded_and_owners_reported(
    url: str, settings: Settings, post: Post
) -> None:
    draft = freezing.freeze("2024-W46", settings=settings, database_url=url)
    way = notifier(settings, post, url)
    assert notify.remind(notifier=way, database_url=url) == []
    review.write_draft(draft, settings=settings, database_url=url)
    pass_checkpoint(url, draft)
    notify.ask(draft, notifier=way, database_url=url)
    # Asked just now: it is too early; after a day it is time; after four days too late. Drafted at
    # a terminal, nobody was asked.
    # The waiver of a check has ended: nobody can approve.
    for waited, is_asked, until, reminded_of in (
        *(("0 h", True, None, []), ("25 h", True, None, [draft])),
        *(("97 h", True, None, []), ("25 h", False, None, [])),
        ("25 h", True, "yesterday", []),
    ):
        with psycopg.connect(url) as connection:
            connection.execute("alter table published.checkpoint_pass disable trigger append_only")
            connection.execute(
                "update published.checkpoint_pass set passed_at = now() - %s::interval, is_asked "
                "= %s, until_date = %s::date"
                " where edition_id = %s",
                (waited, is_asked, until, draft),
            )
        at_desk = notifier(settings, post, url, "https://a.example/l")
        found = notify.remind(notifier=at_desk, database_url=url)
        assert found == reminded_of
    assert post.addresses == ["pimpinan@babel.example.id"] * 2
    asked, reminded = (message for _, message in post.got)
    assert asked["Subject"] == f"Mohon persetujuan: edisi {draft}"
    assert reminded["Subject"] == f"Pengingat: edisi {draft} menunggu persetujuan"
    places = (str(settings.home), f"https://a.example/l/edisi/{draft}\n")
    for message, place, other in zip((asked, reminded), places, reversed(places), strict=True):
        body = message.get_body(("plain",))
        assert body is not None
        for lead, _ in render.document(store.load(draft, database_url=url)).points:
            assert lead in body.get_content()
        text = body.get_content().replace("\r\n", "\n")
        assert place in text
        assert other not in text
        (pdf,) = message.iter_attachments()
        assert pdf.get_content() == store.draft_files(draft, database_url=url)["edisi.pdf"]
    review.reject(draft, by="Ketua Contoh", comment="periksa Belitung", database_url=url)
    assert notify.remind(notifier=way, database_url=url) == []

    rejection = {"by": "Ketua Contoh", "comment": "periksa Belitung"}
    notify.notify_rejection(draft, notifier=way, **rejection)
    address, message = post.got[-1]
    body = message.get_body(("plain",))
    assert body is not None
    assert address == "data@babel.example.id"
    assert "Ketua Contoh menolak edisi 2024-W46-r1: periksa Belitung" in body.get_content()


def test_the_list_of_people_is_checked(settings: Settings, tmp_path: Path) -> None:
    good = yaml.safe_load((PROJECT / "config" / "people.yaml").read_text(encoding="utf-8"))
    assert load_people(settings).recipients == RECIPIENTS
    (tmp_path / "config").mkdir()
    own = Settings(tmp_path, tmp_path, None)
    for change in (
        {"recipients": ["Ketua@babel.example.id", "ketua@babel.example.id"]},
        {"recipients": ["ketua"]},
        {"recipients": ["a@b.example\nBcc: c@d.example"]},
        {"sender": "Publikasi"},
        {"unknown": 1},
        {"approval": {**good["approval"], "users": {}}},
        {"approval": {**good["approval"], "users": {"pimpinan": ""}}},
        {"muted": [{"address": "ketua@babel.example.id", "events": ["draft"]}]},  # for ever
        {"muted": [{"address": "ketua@babel.example.id", "events": ["x"], "until": "2026-12-01"}]},
        {"services": {"ketua@babel.example.id": ["tgram://token/chat"]}},  # a secret
    ):
        (tmp_path / "config" / "people.yaml").write_text(yaml.safe_dump({**good, **change}))
        with pytest.raises(ConfigurationError, match=r"people\.yaml"):
            load_people(own)
