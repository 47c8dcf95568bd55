"""Chat exports of phones in two languages: every message, once, and none of the app's notices."""

from __future__ import annotations

import io
import os
import tracemalloc
import zipfile
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as options
from hypothesis import strategies as st
from intake_samples import CHAT, channel
from upath import UPath

from lumbung.intake.connectors import Delivery, Item, Mark, Source, Unreadable
from lumbung.intake.connectors.whatsapp import read
from lumbung.intake.evidence import Evidence
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.settings import JAKARTA, Settings

DIGEST = Vault(bytes(32)).content_hash
NOTICE = "Pesan dan panggilan terenkripsi secara end-to-end. Hanya orang di chat ini: siapa pun."
Reader = Callable[..., list[Item]]


def zipped(text: str | bytes, name: str = "Chat WhatsApp dengan Posko.txt", **others: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, text)
        for other, content in others.items():
            archive.writestr(other, content)
    return buffer.getvalue()


@pytest.fixture
def read_files(tmp_path: Path) -> Reader:
    """Put exports into an inbox, the oldest first, and read it with a channel."""

    def act(files: dict[str, bytes], **changes: Any) -> list[Item]:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for old in inbox.iterdir():
            old.unlink()
        for age, (name, content) in enumerate(files.items()):
            (inbox / name).write_bytes(content)
            os.utime(inbox / name, (1_700_000_000 + age,) * 2)
        evidence = Evidence(tmp_path / "evidence")
        return list(
            read(Source(channel(CHAT, **changes), UPath(inbox), None, evidence, DIGEST, {}))
        )

    return act


def messages(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def told(items: list[Item]) -> list[tuple[str, str]]:
    return [(each.fields["Pengirim"], each.fields["Teks"]) for each in messages(items)]


def at(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=JAKARTA)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    ("line", "moment", "order"),
    [
        ("06/11/24 19.33 - Andi: teks", at(2024, 11, 6, 19, 33), "dmy"),
        ("21/07/2026 03.15 - Andi: teks", at(2026, 7, 21, 3, 15), "dmy"),
        ("14/07/2026, 20.31 - Andi: teks", at(2026, 7, 14, 20, 31), "dmy"),
        ("6/11/24, 07:33 - Andi: teks", at(2024, 11, 6, 7, 33), "dmy"),
        ("11/6/24, 7:33 PM - Andi: teks", at(2024, 11, 6, 19, 33), "mdy"),
        ("11/6/24, 12:05\u202fAM - Andi: teks", at(2024, 11, 6, 0, 5), "mdy"),
        ("[12/11/24 19.33.05] Andi: teks", at(2024, 11, 12, 19, 33), "dmy"),
        ("\u200e[21/07/2026, 03.15.42] Andi: teks", at(2026, 7, 21, 3, 15), "dmy"),
        ("[06/11/2024, 7.33.05\u202fPM] Andi: teks", at(2024, 11, 6, 19, 33), "dmy"),
        ("[2024-11-06, 12:33:05 p.m.] Andi: teks", at(2024, 11, 6, 12, 33), "dmy"),
        ("06/11/24 pukul 19.33 - ~ Andi: teks", at(2024, 11, 6, 19, 33), "dmy"),
    ],
)
def test_date_and_time_as_phones_write_them(
    read_files: Reader, line: str, moment: datetime, order: str
) -> None:
    source = {"kind": "whatsapp", "date_order": order}
    items = read_files({"a.txt": f"\ufeff{line}\r\n".encode()}, source=source)
    (message,) = messages(items)
    assert message.received_at == moment
    assert (message.fields["Pengirim"], message.fields["Teks"]) == ("Andi", "teks")


def test_the_zone_is_the_channels(read_files: Reader) -> None:
    files = {"a.txt": b"06/11/24 19.33 - Andi: teks"}
    east = messages(read_files(files, timezone="Asia/Jayapura"))[0]
    assert east.received_at == at(2024, 11, 6, 17, 33)


def test_notices_have_no_sender_and_are_no_deliveries(read_files: Reader) -> None:
    chat = f"""06/11/24 19.30 - {NOTICE}
06/11/24 19.30 - Warga A membuat grup "Posko: Aduan"
06/11/24 19.31 - Anda menambahkan Warga B
06/11/24 19.31 - Warga A mengubah subjek dari "A: B" menjadi "C: D"
06/11/24 19.32 - +62 812-0000-1111 bergabung menggunakan tautan undangan grup ini
06/11/24 19.32 - Kode keamanan Anda dengan Warga B berubah.
06/11/24 19.33 - Warga A: Saya menambahkan: ini pesan
[06/11/24 19.34.00] Posko Aduan: \u200ePesan dan panggilan terenkripsi secara end-to-end.
"""
    items = read_files({"a.txt": chat.encode()})
    assert told(items) == [("Warga A", "Saya menambahkan: ini pesan")]
    assert refused(items) == []


def test_lines_media_deletions_and_edits(read_files: Reader) -> None:
    chat = """06/11/24 19.33 - Warga A: baris satu
05/10/24 sekitar jam 19.30 di lapangan
- lalu: di warung

akhir
06/11/24 19.34 - +62 812-0000-1111: <Media tidak disertakan>
06/11/24 19.34 - Warga B: \u200eIMG-20241106-WA0001.jpg (file terlampir)
Keterangan gambar
06/11/24 19.35 - Warga B: Pesan ini telah dihapus
06/11/24 19.36 - Warga B: diperbaiki <Pesan ini telah diedit>
06/11/24 19.37 - Warga B:
[06/11/24 19.38.00] Warga B: \u200e<terlampir: 0001-PHOTO.jpg>
[06/11/24 19.38.09] Warga B: This message was deleted.
"""
    items = read_files({"a.zip": zipped(chat, foto="x")})
    assert [(each.fields["Tanda"], each.fields["Teks"]) for each in messages(items)] == [
        (
            "obrolan",
            "baris satu\n05/10/24 sekitar jam 19.30 di lapangan\n- lalu: di warung\n\nakhir",
        ),
        ("media", "<Media tidak disertakan>"),
        ("media", "IMG-20241106-WA0001.jpg (file terlampir)\nKeterangan gambar"),
        ("dihapus", "Pesan ini telah dihapus"),
        ("obrolan, diedit", "diperbaiki <Pesan ini telah diedit>"),
        ("obrolan", ""),
        ("media", "<terlampir: 0001-PHOTO.jpg>"),
        ("dihapus", "This message was deleted."),
    ]
    assert [each.locator for each in messages(items)][:2] == ["baris 1", "baris 6"]


TIP = """06/11/24 19.33 - Warga A: *ADUAN*
Tanggal : 5 November 2024
lokasi: Kec. Rangkui, Pangkal Pinang
Isu: politik uang
Nama Pelapor: Warga Rahasia
Uraian: dibagi di lapangan,
lalu: di warung <Pesan ini telah diedit>
"""


def test_a_message_that_follows_the_template_gives_its_labels(read_files: Reader) -> None:
    (message,) = messages(read_files({"a.txt": TIP.encode()}))
    text = TIP.partition(": ")[2].rstrip("\n")
    assert message.fields == {
        "Pengirim": "Warga A",
        "Teks": text.replace("Nama Pelapor: Warga Rahasia\n", ""),
        "Teks (utuh)": text,
        "Tanda": "templat, diedit",
        "Tanggal": "5 November 2024",
        "Lokasi": "Kec. Rangkui, Pangkal Pinang\nIsu: politik uang",
        "Nama pelapor": "Warga Rahasia",
        "Uraian": "dibagi di lapangan,\nlalu: di warung",
    }


def test_a_personal_line_at_the_end_of_an_edited_message_stays_out_of_the_text(
    read_files: Reader,
) -> None:
    chat = "06/11/24 19.33 - A: ADUAN\nUraian: x\nNama pelapor: W <Pesan ini telah diedit>\n"
    (message,) = messages(read_files({"a.txt": chat.encode()}))
    assert message.fields["Nama pelapor"] == "W"
    assert message.fields["Teks"] == "ADUAN\nUraian: x <Pesan ini telah diedit>"


@pytest.mark.parametrize(
    "text",
    [
        "Mohon pakai format:\n\nADUAN\nTanggal: (kapan)",
        "ADUAN",
        "ADUAN\n\nTanggal:\nLokasi: ",
        "Tanggal: 5 November 2024\nLokasi: Bangka",
    ],
)
def test_a_message_that_does_not_follow_it_is_talk(read_files: Reader, text: str) -> None:
    (message,) = messages(read_files({"a.txt": f"06/11/24 19.33 - Warga A: {text}".encode()}))
    assert message.fields == {"Pengirim": "Warga A", "Teks": text, "Tanda": "obrolan"}


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("ADUAN\nUraian: amplop", {"Uraian": "amplop"}),
        ("ADUAN\nada yang bagi-bagi amplop", {}),
        ("ADUAN\nTeks: palsu\nTanda: palsu", {}),
    ],
)
def test_one_line_below_the_marker_is_enough(
    read_files: Reader, text: str, values: dict[str, str]
) -> None:
    (message,) = messages(read_files({"a.txt": f"06/11/24 19.33 - Warga A: {text}".encode()}))
    assert message.fields == {"Pengirim": "Warga A", "Teks": text, "Tanda": "templat", **values}


@pytest.mark.parametrize("stamp", ["31/02/24 19.33", "32/01/24 19.33", "06/11/24 25.33"])
def test_an_impossible_date_loses_that_message_only(read_files: Reader, stamp: str) -> None:
    chat = f"06/11/24 19.33 - A: satu\n{stamp} - B: dua\nlanjutan\n06/11/24 19.34 - A: tiga\n"
    items = read_files({"a.txt": chat.encode()})
    assert told(items) == [("A", "satu"), ("A", "tiga")]
    (bad,) = [item for item in items if isinstance(item, Unreadable)]
    assert (bad.reason_code, bad.locator) == ("unreadable_date", "baris 2")
    assert bad.content["text"] == "B: dua\nlanjutan"
    assert bad.received_at == at(2024, 11, 6, 19, 33), "that of the message before"
    assert "dua" not in bad.reason


def test_two_overlapping_exports_give_each_message_one_id(read_files: Reader) -> None:
    lines = [f"06/11/24 19.{n // 3:02d} - Warga {n % 2}: pesan {n // 4}\n" for n in range(60)]
    lines[30] = "31/02/24 19.10 - Warga 0: rusak\n"
    first, second = "".join(lines[:39]), "".join(lines[24:])
    ios = second.replace("06/11/24 19.", "[06/11/24 19.").replace(" - ", ".30] ")
    ios = ios.replace("31/02/24 19.10.30]", "[31/02/24 19.10.30]")
    for other in (second, ios):
        items = read_files({"a.zip": zipped(first), "b.zip": zipped(other, "_chat.txt")})
        ids = [each.source_id for each in messages(items)]
        assert len(ids) == 38 + 35
        assert len(set(ids)) == 59
        assert len(refused(items)) == 2


def test_equal_messages_of_one_minute_are_several(read_files: Reader) -> None:
    chat = "06/11/24 19.33 - A: Siap\n" * 3 + "06/11/24 19.33 - B: Siap\n"
    once = [each.source_id for each in messages(read_files({"a.txt": chat.encode()}))]
    assert len(set(once)) == 4
    assert not any("Siap" in each for each in once), "ids give nothing away"


def test_an_archive_that_is_none_or_dangerous_is_quarantined(read_files: Reader) -> None:
    good = zipped("06/11/24 19.33 - A: ya\n" * 50)
    spoiled = bytearray(good)
    spoiled[60] ^= 0xFF
    files = {
        "pendek.zip": good[:60],
        "rusak.zip": bytes(spoiled),
        "jalan.zip": zipped("x", **{"../../etc/passwd": "x"}),
        "akar.zip": zipped("x", **{"/etc/passwd": "x"}),
        "bom.zip": zipped(b"a" * (70 << 20)),
        "dua.zip": zipped("x", "a.txt", **{"b.txt": "y"}),
        "surat.txt": b"Kepada Yth.\n06/11/24 rapat\n",
        "foto.jpg": b"\xff\xd8",
        "baik.zip": good,
    }
    items = read_files(files)
    assert refused(items) == [
        *("unreadable_file", "unreadable_file", "unsafe_archive", "unsafe_archive"),
        *("unsafe_archive", "not_a_chat", "not_a_chat", "unreadable_file"),
    ]
    assert len(messages(items)) == 50
    assert sum(isinstance(item, Mark) for item in items) == 9
    reasons = [item.reason for item in items if isinstance(item, Unreadable)]
    assert not any(name.split(".")[0] + "." in reason for reason in reasons for name in files)


def test_a_file_of_a_machine_whose_clock_runs_ahead_is_received_now(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"bukan obrolan")
    os.utime(tmp_path / "a.txt", (4_000_000_000,) * 2)  # October 2096
    source = Source(channel(CHAT), UPath(tmp_path), None, Evidence(tmp_path / "e"), DIGEST, {})
    (item,) = [each for each in read(source) if isinstance(each, Unreadable)]
    assert item.received_at <= datetime.now(JAKARTA)


def test_pulls_again_with_an_edit_a_deletion_and_an_export_that_came_half(
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
) -> None:
    inbox = add_channel(CHAT)
    lines = [f"06/11/24 19.3{n} - Warga A: pesan {n}" for n in range(6)]
    first, second = zipped("\n".join(lines[:4])), zipped("\n".join(lines[2:]))
    (inbox / "a.zip").write_bytes(first)
    assert pull_from("chat_contoh") == IntakeCounts(read=4, landed=4)
    (inbox / "b.zip").write_bytes(second[: len(second) // 2])
    assert pull_from("chat_contoh") == IntakeCounts(read=5, duplicate=4, quarantined=1)
    (inbox / "b.zip").write_bytes(second)
    assert pull_from("chat_contoh") == IntakeCounts(read=8, landed=2, duplicate=6)
    assert pull_from("chat_contoh") == IntakeCounts(read=8, duplicate=8)
    # In the next export one was edited, one deleted: both stand beside what was delivered.
    lines[4] += " <Pesan ini telah diedit>"
    lines[5] = "06/11/24 19.35 - Warga A: Pesan ini telah dihapus"
    (inbox / "c.zip").write_bytes(zipped("\n".join(lines)))
    assert pull_from("chat_contoh") == IntakeCounts(read=14, landed=2, duplicate=12)
    assert pull_from("chat_contoh") == IntakeCounts(read=14, duplicate=14)


def test_bytes_that_are_no_text_come_through(read_files: Reader) -> None:
    items = read_files({"a.txt": b"06/11/24 19.33 - A: a\xff\x00b\n06/11/24 19.34 - A: c\n"})
    assert told(items) == [("A", "a\udcff\0b"), ("A", "c")]


def test_a_message_longer_than_any_is_refused_and_the_next_is_read(read_files: Reader) -> None:
    chat = "06/11/24 19.33 - A: " + "x" * 3_000_000 + "\n06/11/24 19.34 - A: c\n"
    items = read_files({"a.txt": chat.encode()})
    assert refused(items) == ["too_large"]
    assert told(items) == [("A", "c")]


SENDER = st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8})?|\+62 8\d\d-\d{4}-\d{4}", fullmatch=True)
LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=30
).map(lambda text: f"x{text}".strip())


@options(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    chat=st.lists(
        st.tuples(st.integers(0, 3), SENDER, st.lists(LINE, min_size=1, max_size=3)), min_size=1
    ),
    style=st.sampled_from(["{:%d/%m/%y %H.%M} - ", "[{:%d/%m/%Y, %H.%M.%S}] "]),
    cut=st.integers(0, 20),
)
def test_any_chat_gives_exactly_its_messages_and_again_the_same_ids(
    read_files: Reader, chat: list[tuple[int, str, list[str]]], style: str, cut: int
) -> None:
    moment = datetime(2024, 11, 6, 8, 0, tzinfo=JAKARTA)
    lines, expected = [f"{style.format(moment)}{NOTICE}\n"], []
    starts = []
    for minutes, sender, text in chat:
        moment += timedelta(minutes=minutes)
        starts.append((len(lines), minutes))
        lines.append(style.format(moment) + f"{sender}: " + "\n".join(text) + "\n")
        expected.append((moment, sender, "\n".join(text)))
    items = read_files({"a.zip": zipped("".join(lines))})
    found = messages(items)
    assert [(m.received_at, m.fields["Pengirim"], m.fields["Teks"]) for m in found] == expected
    ids = [message.source_id for message in found]
    assert len(set(ids)) == len(ids)
    # A later export that begins at the start of any minute has the same ids.
    begins = [line for line, minutes in starts if minutes and line > cut] or [1]
    later = messages(read_files({"b.zip": zipped("".join(lines[begins[0] :]))}))
    assert [message.source_id for message in later] == ids[begins[0] - 1 :]


def test_a_long_chat_is_read_in_little_memory(tmp_path: Path) -> None:
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    text = "".join(
        f"{1 + n // 1500:02d}/11/24 {n // 60 % 24:02d}.{n % 60:02d} - Warga {n % 7}: pesan {n} "
        + "kata " * 40
        + "\n"
        for n in range(20_000)
    )
    (inbox / "a.zip").write_bytes(zipped(text))
    size = len(text)
    del text
    source = Source(channel(CHAT), UPath(inbox), None, Evidence(tmp_path / "e"), DIGEST, {})
    tracemalloc.start()
    count = sum(isinstance(item, Delivery) for item in read(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 20_000
    assert size > 4_500_000
    assert peak < 1_500_000
