"""SigapLapor's public lists: every number once, from the site, a saved page or an export."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake.channel.load import load_channels
from lumbung.intake.connectors.base import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.sigaplapor import reader as site
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from tests.support.api_server import Reply, Request, Stand, serve
from tests.support.channel_samples import OWNER, channel, workbook
from tests.support.delivered import delivered
from tests.support.evidence import evidence_store

DIGEST = Vault(bytes(32)).content_hash
LIST: dict[str, Any] = {
    "name": "sigaplapor_contoh",
    "title": "Daftar SigapLapor contoh",
    "owner": OWNER,
    "schedule": "0 5 * * *",
    "source": {"kind": "sigaplapor"},
    "fields": {
        "register_number": {"from": "No Laporan/Temuan"},
        "narrative": {"from": "Pemeriksaan"},
    },
}
HEADER = ["No", "No Laporan/Temuan", "Pemeriksaan"]
NUMBERS = [  # the forms seen in public lists
    "005/LP/PP/Prov/05.00/III/2024",
    "004/LP/PL/Kota/21.01/II/2024",
    "007/LP/PL/Kab/14.22/III/2024",
    "005/TM/PL/Kab/27.10/V/2024",
    "003/TM/PB/Kab/27.12/XI/2024",
    "003/LP/PB/Kab/06.08/XII/2024",
    "001/LP/PP/Kab/14.27/XI/2025",
]

Rows = Sequence[tuple[str, str]]


def html(rows: Rows, first: int = 1, links: str = "", total: int | None = None) -> str:
    body = "".join(
        f"<tr class='odd'><td>{n}</td><td><a href='/pemeriksaan/{n}'>{number}</a></td>"
        f"<td>{text}</td></tr>\n"
        for n, (number, text) in enumerate(rows, first)
    )
    head = "".join(f"<th scope=col>{each}</th>" for each in HEADER)
    counted = "" if total is None else f"<div>Menampilkan 1 sampai 2 dari {total:,} data</div>"
    return (
        "<!DOCTYPE html><html><head><title>SigapLapor</title><style>td {x: y}</style></head><body>"
        "<table><tr><td>Menu</td></tr></table>"
        f"<table id=daftar><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
        f"{counted}<ul class=pagination>{links}</ul></body></html>"
    )


@pytest.fixture
def read_files(tmp_path: Path) -> Callable[..., list[Item]]:
    def act(files: dict[str, bytes | str], **changes: Any) -> list[Item]:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for old in inbox.iterdir():
            old.unlink()
        for age, (name, content) in enumerate(files.items()):
            raw = content if isinstance(content, bytes) else content.encode()
            (inbox / name).write_bytes(raw)
            os.utime(inbox / name, (1_700_000_000 + age,) * 2)
        given = channel(LIST, **changes)
        store = evidence_store(tmp_path / "evidence")
        return list(site.read(Source(given, UPath(inbox), None, store, DIGEST, {})))

    return act


Reader = Callable[..., list[Item]]


def reported(items: list[Item]) -> list[tuple[str, dict[str, Any]]]:
    return [(item.source_id, item.fields) for item in items if isinstance(item, Delivery)]


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def test_a_saved_page_gives_every_row_but_not_its_place(read_files: Reader) -> None:
    rows = [(number, f"Pemeriksaan {n}") for n, number in enumerate(NUMBERS)]
    rows[6] = (NUMBERS[6], "Pemeriksaan Tes")  # a test row: the warehouse sets it apart
    items = read_files({"a.html": html(rows)})
    assert refused(items) == []
    assert reported(items) == [
        (number.upper(), {"No Laporan/Temuan": number, "Pemeriksaan": text})
        for number, text in rows
    ]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("005/Reg/LP/PB/Kab/09.05/XI/2024", "005/LP/PB/KAB/09.05/XI/2024"),
        ("005/reg/lp/pb/kab/09.05/xi/2024", "005/LP/PB/KAB/09.05/XI/2024"),
        (" 005 / LP/PB /Kab/ 09.05/XI/2024\n", "005/LP/PB/KAB/09.05/XI/2024"),
        ("0005/LP/PW/Kota/09.07.01/XI/2024", "0005/LP/PW/KOTA/09.07.01/XI/2024"),
        ("001/PL/PB/Kab/09.05/X/2024", "001/PL/PB/KAB/09.05/X/2024"),
        ("belum bernomor", "BELUM BERNOMOR"),
    ],
)
def test_numbers_in_every_form_from_a_page_and_from_an_export(
    read_files: Reader, written: str, key: str
) -> None:
    book = workbook({"Data": [["Daftar"], HEADER, [1, written.strip(), "x"]]})
    items = read_files({"a.html": html([(written, "x")]), "b.xlsx": book})
    assert [source_id for source_id, _ in reported(items)] == [key, key]
    fields = [fields for _, fields in reported(items)]
    assert [set(each) for each in fields] == [{"No Laporan/Temuan", "Pemeriksaan"}] * 2


def test_rows_that_are_none_and_rows_without_a_number(read_files: Reader) -> None:
    page = html([(NUMBERS[0], "x"), ("", "tanpa nomor")])
    empty = html([]).replace("<tbody>", "<tbody><tr><td colspan='3'>Tidak ada data</td></tr>")
    items = read_files({"a.html": page, "b.htm": empty})
    assert refused(items) == ["required_field_missing"]
    assert len(reported(items)) == 1


def test_a_page_of_odd_markup(read_files: Reader) -> None:
    page = f"""<TABLE><tr><td>No<td>No Laporan/Temuan<td>Pemeriksaan
    <tr><td>1<td><table><tr><td>dalam</td></tr></table>{NUMBERS[0]}<td>a &amp; b<br>c<!-- d -->
    <tr><td>2<td>{NUMBERS[1]}</td><td rowspan=2 onclick="a>b">sama</td></tr>
    <tr><td>3</td><td>{NUMBERS[2]}</td></tr></TABLE>"""
    items = read_files({"a.html": page.encode("utf-16")})
    assert [fields["Pemeriksaan"] for _, fields in reported(items)] == ["a & b c", "sama", "sama"]
    windows = html([(NUMBERS[0], "caf\u00e9")]).encode("cp1252")
    assert reported(read_files({"a.html": windows}))[0][1]["Pemeriksaan"] == "caf\u00e9"


def test_files_that_hold_no_list_are_quarantined_alone(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(site, "MAX_PAGE", 4 << 20)
    whole = html([(NUMBERS[n], "x") for n in range(3)])
    begun = time.perf_counter()
    items = read_files(
        {
            "login.html": "<form><table><tr><td>Nama</td></tr></table></form>",
            "kosong.html": b"",
            "dalam.html": "<table><tr><td>" * 30_000,
            "lebar.html": "<table>" + "<tr><td colspan=999999999 rowspan=99999>x" * 50_000,
            "nul.html": b"\0" * 1000,
            "besar.html": b" " * (5 << 20),
            "rusak.xlsx": b"PK rusak",
            "terpotong.html": whole[: whole.index(NUMBERS[2])],
        }
    )
    assert time.perf_counter() - begun < 30
    assert refused(items) == [
        *("header_not_found",) * 5,
        *("too_large", "unreadable_file", "required_field_missing"),
    ]
    assert [source_id for source_id, _ in reported(items)] == [each.upper() for each in NUMBERS[:2]]


def test_another_name_of_the_number_column_is_configuration(read_files: Reader) -> None:
    page = html([(NUMBERS[0], "x")]).replace("No Laporan/Temuan", "Nomor Register")
    source = {"kind": "sigaplapor", "number": "Nomor Register"}
    fields = {"register_number": {"from": "Nomor Register"}, "narrative": {"from": "Pemeriksaan"}}
    items = read_files({"a.html": page}, source=source, fields=fields)
    assert [source_id for source_id, _ in reported(items)] == [NUMBERS[0].upper()]


# -- the site --------------------------------------------------------------------------------------


class Office:
    """The site: its rows, two a page."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, str]] = [(number, "proses") for number in NUMBERS]
        self.reported: int | None = -1  # how many it says there are; -1: as many as there are

    def __call__(self, request: Request) -> Reply:
        if request.path != "/pemeriksaan":
            return Reply("<h1>404</h1>", 404)
        page = int(request.query.get("page", "1"))
        part = self.rows[(page - 1) * 2 : page * 2]
        following = f"/pemeriksaan?tahun=2024&amp;page={page + 1}"
        if page * 2 < len(self.rows):
            links = f"<li><a href='#'>1</a></li><li><a href='{following}'>Selanjutnya</a></li>"
        else:
            links = f"<li class='page-item disabled'><a href='{following}'>Selanjutnya</a></li>"
        total = len(self.rows) if self.reported == -1 else self.reported
        return Reply(
            html(part, (page - 1) * 2 + 1, links, total), 200, {"Content-Type": "text/html"}
        )


@pytest.fixture
def office() -> Office:
    return Office()


@pytest.fixture
def stand(office: Office) -> Iterator[Stand]:
    yield from serve(office)


@pytest.fixture
def pull(
    stand: Stand, pull_from: Callable[..., IntakeCounts], add_channel: Callable[..., Path]
) -> Callable[[], IntakeCounts]:
    source = {"kind": "sigaplapor", "path": "pemeriksaan?tahun=2024"}
    add_channel(LIST, connection="sigaplapor", source=source)
    return lambda: pull_from("sigaplapor_contoh", stand.connection())


def current(db: psycopg.Connection) -> dict[str, str]:
    rows = delivered(
        db,
        "select distinct on (source_id) source_id, payload ->> 'Pemeriksaan', is_tombstone"
        " from raw.record order by source_id, record_id desc",
    )
    return {number: text for number, text, is_gone in rows if not is_gone}


def test_the_site_page_by_page_with_new_rows_edits_and_deletions(
    pull: Callable[[], IntakeCounts], stand: Stand, office: Office, db: psycopg.Connection
) -> None:
    assert pull() == IntakeCounts(read=7, landed=7)
    assert [each.query for each in stand.requests] == [
        {"tahun": "2024", **({"page": str(page)} if page > 1 else {})} for page in (1, 2, 3, 4)
    ]
    assert pull() == IntakeCounts(read=7, duplicate=7)
    office.rows.insert(0, ("009/LP/PB/Kab/09.01/XI/2024", "baru"))  # every other row moves
    office.rows[3] = (office.rows[3][0], "selesai")
    assert pull() == IntakeCounts(read=8, landed=2, duplicate=6)
    del office.rows[5]
    assert pull() == IntakeCounts(read=7, duplicate=7, tombstones=1)
    assert pull() == IntakeCounts(read=7, duplicate=7)
    assert current(db) == {number.upper(): text for number, text in office.rows}


def test_a_row_that_cannot_be_read_is_quarantined_once_however_the_list_grows(
    pull: Callable[[], IntakeCounts], office: Office
) -> None:
    office.rows.append(("", "tanpa nomor"))
    assert pull() == IntakeCounts(read=8, landed=7, quarantined=1)
    office.rows.insert(0, ("009/LP/PB/Kab/09.01/XI/2024", "baru"))
    assert pull() == IntakeCounts(read=9, landed=1, duplicate=8)


def test_a_number_that_comes_again_on_another_page_is_reported(
    pull: Callable[[], IntakeCounts], office: Office, db: psycopg.Connection
) -> None:
    office.rows.append((office.rows[0][0], "isi lain"))
    assert pull() == IntakeCounts(read=8, landed=7, quarantined=1)
    assert db.execute("select reason_code, locator from quarantine.record").fetchall() == [
        ("key_repeated", "halaman 4 | baris 3")
    ]
    assert pull() == IntakeCounts(read=8, duplicate=8)


@pytest.mark.parametrize("total", [None, 8])
def test_a_list_that_shifted_or_does_not_say_its_length_withdraws_nothing(
    pull: Callable[[], IntakeCounts], office: Office, total: int | None
) -> None:
    pull()
    del office.rows[5]
    office.reported = total
    assert pull() == IntakeCounts(read=6, duplicate=6)


def test_a_list_that_is_suddenly_empty_is_an_alarm(
    pull: Callable[[], IntakeCounts], office: Office, db: psycopg.Connection
) -> None:
    pull()
    office.rows = []
    with pytest.raises(SourceError, match="of 7 deliveries the source no longer has 7"):
        pull()
    assert len(current(db)) == 7


def test_an_outage_in_the_middle(
    pull: Callable[[], IntakeCounts], stand: Stand, db: psycopg.Connection, waits: list[float]
) -> None:
    stand.dies_after = 2
    with pytest.raises(SourceError, match="does not answer as it should after"):
        pull()
    assert len(current(db)) == 4, "what came before is there"
    stand.dies_after = None
    stand.script = [Reply("lelah", 503), Reply("", 429, {"Retry-After": "7"})]
    assert pull() == IntakeCounts(read=7, landed=3, duplicate=4)
    assert 7 in waits
    assert pull() == IntakeCounts(read=7, duplicate=7)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply("<form>Masuk</form>"), "page 1 has no list with a column 'No Laporan/Temuan'"),
        (Reply(b""), "page 1 has no list"),
        (Reply("", 404), r"page 1 of the list cannot be had \(missing\)"),
        (Reply("", 403), "refuses: HTTP 403"),
        (Reply(b"x" * 5000), r"cannot be had \(too_large\)"),
        (
            Reply(
                html([(NUMBERS[0], "x")], links="<a rel=next href='https://jahat.example/'>2</a>")
            ),
            "on another server",
        ),
        (
            Reply(html([(NUMBERS[0], "x")], links="<a href='/pemeriksaan?tahun=2024'>Next</a>")),
            "the same page again",
        ),
    ],
)
def test_what_is_no_list_is_reported_with_a_remediation(
    pull: Callable[[], IntakeCounts],
    stand: Stand,
    monkeypatch: pytest.MonkeyPatch,
    reply: Reply,
    message: str,
) -> None:
    monkeypatch.setattr(site, "MAX_PAGE", 4000)
    stand.script = [reply]
    with pytest.raises(SourceError, match=message):
        pull()


def test_the_folder_in_whole_pulls_withdraws_nothing(
    pull_from: Callable[..., IntakeCounts], add_channel: Callable[..., Path]
) -> None:
    inbox = add_channel(LIST)
    rows = [(number, "x") for number in NUMBERS]
    (inbox / "1.html").write_text(html(rows[:4]))
    (inbox / "ekspor.xlsx").write_bytes(
        workbook({"S": [HEADER, *[[n, *row] for n, row in enumerate(rows[2:], 1)]]})
    )
    assert pull_from("sigaplapor_contoh") == IntakeCounts(read=9, landed=7, duplicate=2)
    (inbox / "1.html").write_text(html([(NUMBERS[0], "y")]))
    assert pull_from("sigaplapor_contoh") == IntakeCounts(read=6, landed=1, duplicate=5)
    (inbox / "ekspor.xlsx").unlink()
    assert pull_from("sigaplapor_contoh") == IntakeCounts(read=1, duplicate=1)


def test_a_path_needs_a_connection(settings: Settings, add_channel: Callable[..., Path]) -> None:
    add_channel(LIST, source={"kind": "sigaplapor", "path": "pemeriksaan"})
    with pytest.raises(ConfigurationError, match="connection: is missing: the site's address"):
        load_channels(settings.channels)
