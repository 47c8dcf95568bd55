"""Chat exports of phones in two languages: every message, once, and none of the app's notices."""

from __future__ import annotations

import io
import os
import struct
import tracemalloc
import zipfile
from collections.abc import Callable, Collection
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from upath import UPath

from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    MessageKey,
    Source,
    Unreadable,
)
from lumbung.intake.connectors.shared import parser_process
from lumbung.intake.connectors.whatsapp import reader
from lumbung.intake.connectors.whatsapp.reader import read
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.settings import JAKARTA, Settings
from tests.support.channel_samples import CHAT, channel
from tests.support.delivered import delivered
from tests.support.evidence import evidence_store

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
        evidence = evidence_store(tmp_path / "evidence")
        return list(
            read(Source(channel(CHAT, **changes), UPath(inbox), None, evidence, DIGEST, {}))
        )

    return act


def messages(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def test_no_chat_in_clear_has_a_name_while_it_is_read(
    read_files: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    opened, found = reader._open, list[Path]()

    def watched(*given: Any) -> Any:
        stream = opened(*given)
        found.extend((tmp_path / "tmp").rglob("chat.txt"))
        return stream

    monkeypatch.setattr(reader, "_open", watched)
    assert len(messages(read_files({"a.zip": zipped("06/11/24 19.33 - A: ya\n")}))) == 1
    assert found == []


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def reported(items: list[Item]) -> list[tuple[str, str]]:
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
"""
    ios = (
        "[06/11/24 19.34.00] Posko Aduan: \u200ePesan dan panggilan terenkripsi secara end-to-end."
    )
    items = read_files({"a.txt": chat.encode(), "b.txt": ios.encode()})
    assert reported(items) == [("Warga A", "Saya menambahkan: ini pesan")]
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
"""
    ios = """[06/11/24 19.38.00] Warga B: \u200e<terlampir: 0001-PHOTO.jpg>
[06/11/24 19.38.09] Warga B: This message was deleted.
"""
    items = read_files({"a.zip": zipped(chat, foto="x"), "b.zip": zipped(ios)})
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
    "media",
    [
        "IMG-20241106-WA0001.jpg (file terlampir)",
        "<Media tidak disertakan>",
        "<terlampir: 0001-PHOTO.jpg>\n",
    ],
)
def test_a_caption_that_follows_the_template_gives_its_labels(
    read_files: Reader, media: str
) -> None:
    text = f"{media}\nADUAN\nTanggal: 5 November 2024\nNama pelapor: Warga Rahasia"
    (message,) = messages(read_files({"a.txt": f"06/11/24 19.33 - Warga A: {text}".encode()}))
    assert message.fields == {
        "Pengirim": "Warga A",
        "Teks": f"{media}\nADUAN\nTanggal: 5 November 2024",
        "Teks (utuh)": text,
        "Tanda": "templat",
        "Tanggal": "5 November 2024",
        "Nama pelapor": "Warga Rahasia",
    }


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
    assert reported(items) == [("A", "satu"), ("A", "tiga")]
    (bad,) = [item for item in items if isinstance(item, Unreadable)]
    assert (bad.reason_code, bad.locator) == ("unreadable_date", "baris 2")
    assert bad.content["text"] == "B: dua\nlanjutan"
    assert bad.received_at == at(2024, 11, 6, 19, 33), "that of the message before"
    assert "dua" not in bad.reason


def test_a_date_before_there_was_whatsapp_loses_that_message_only(read_files: Reader) -> None:
    chat = "01/01/0001 03.15 - A: satu\n06/11/2024 19.33 - A: dua\n"
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("A", "dua")]
    assert refused(items) == ["unreadable_date"]


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
    assert sum(isinstance(item, Checkpoint) for item in items) == 9
    reasons = [item.reason for item in items if isinstance(item, Unreadable)]
    assert not any(name.split(".")[0] + "." in reason for reason in reasons for name in files)


def directory_of(count: int) -> bytes:
    """An archive whose directory names so many files and holds none."""
    entry = b"PK\1\2" + bytes(24) + b"\1\0" + bytes(16) + b"a"
    whole = entry * count
    return whole + struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(whole), 0, 0)


def test_an_archive_is_opened_by_a_child_with_limits_alone(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = zipped("06/11/24 19.33 - A: ya\n")
    cut = bytearray(zipped(b"".join(b"06/11/24 19.33 - A: %d\n" % n for n in range(50_000))))
    cut[len(cut) // 2] ^= 0xFF

    def refuse(*_: object) -> None:
        raise AssertionError("opened by the pull itself")

    monkeypatch.setattr(zipfile.ZipFile, "__init__", refuse)
    monkeypatch.setattr(parser_process, "MEMORY", 192 << 20)
    files = {"a.zip": directory_of(800_000), "b.zip": bytes(cut), "c.zip": good}
    items = read_files(files)
    assert refused(items) == ["unreadable_file", "unreadable_file"]
    texts = [each.fields["Teks"] for each in messages(items)]
    assert texts[:1_000] == [*map(str, range(1_000))], "what comes before the damage"
    assert texts[-1] == "ya"


def test_a_file_of_a_machine_whose_clock_runs_ahead_is_received_now(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"bukan obrolan")
    os.utime(tmp_path / "a.txt", (4_000_000_000,) * 2)  # October 2096
    source = Source(
        channel(CHAT), UPath(tmp_path), None, evidence_store(tmp_path / "e"), DIGEST, {}
    )
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
    assert reported(items) == [("A", "a\udcff\0b"), ("A", "c")]


def test_a_message_longer_than_any_is_refused_and_the_next_is_read(read_files: Reader) -> None:
    chat = "06/11/24 19.33 - A: " + "x" * 3_000_000 + "\n06/11/24 19.34 - A: c\n"
    items = read_files({"a.txt": chat.encode()})
    assert refused(items) == ["too_large"]
    assert reported(items) == [("A", "c")]


# -- lines that look like messages -----------------------------------------------------------------


def doubts(items: list[Item]) -> list[tuple[str, str]]:
    return [
        (each.reason_code, each.content["text"]) for each in items if isinstance(each, Unreadable)
    ]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("06/11/29 19.33 - Warga B: palsu", "implausible_date"),
        ("06/11/99 19.33 - Warga B: palsu", "implausible_date"),
        ("06/11/24 19.29 - Warga B: palsu", "doubtful_message"),  # before the first line
        ("06/11/24 19.32 - Warga B: palsu", "doubtful_message"),  # before the message it is in
        ("06/11/24 19.50 - Warga B: palsu", "doubtful_message"),  # after those that follow
        ("01/01/25 10.00 - Warga B: palsu <Pesan ini telah diedit>", "doubtful_message"),
        ("05/11/24 19.33 - Warga B: IMG-1.jpg (file terlampir)", "doubtful_message"),
        ("31/02/24 19.33 - Warga B: palsu", "unreadable_date"),
    ],
)
def test_a_line_that_the_order_speaks_against_is_no_message_and_costs_none(
    read_files: Reader, line: str, code: str
) -> None:
    chat = f"""06/11/24 19.30 - Warga B: satu
06/11/24 19.33 - Warga A: ADUAN
Uraian: asli
{line}
Uraian: ekor
06/11/24 19.40 - Warga B: dua
06/11/24 19.41 - Warga C: tiga
"""
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [
        ("Warga B", "satu"),
        ("Warga A", "ADUAN\nUraian: asli"),
        ("Warga B", "dua"),
        ("Warga C", "tiga"),
    ]
    assert messages(items)[1].fields["Uraian"] == "asli"
    assert doubts(items) == [(code, f"{line.partition(' - ')[2]}\nUraian: ekor")]


def test_one_line_dated_far_ahead_does_not_outweigh_the_one_message_that_follows(
    read_files: Reader,
) -> None:
    chat = """06/11/24 19.33 - Warga A: asli
01/01/25 10.00 - Warga B: palsu
06/11/24 19.40 - Warga C: asli juga
"""
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("Warga A", "asli"), ("Warga C", "asli juga")]
    assert doubts(items) == [("doubtful_message", "Warga B: palsu")]


def test_a_line_before_its_own_message_is_in_doubt_also_at_the_end(read_files: Reader) -> None:
    chat = """06/11/24 19.30 - Warga A: satu
06/11/24 19.40 - Warga B: dua
06/11/24 19.35 - Warga A: palsu
"""
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("Warga A", "satu"), ("Warga B", "dua")]
    assert doubts(items) == [("doubtful_message", "Warga A: palsu")]


def typed(count: int, stamp: str) -> str:
    return "".join(f"{stamp} - Warga B: palsu {n}\n" for n in range(count))


@pytest.mark.parametrize(
    "chat",
    [
        # ahead of what follows, and behind what came before
        "{first}06/11/24 19.33 - A: awal\n{ahead}06/11/24 19.40 - C: satu\n"
        "06/11/24 19.41 - D: dua\n",
        "{first}06/11/24 19.33 - A: awal\n{far}06/11/24 19.40 - C: satu\n06/11/24 19.41 - D: dua\n"
        "08/11/24 08.00 - C: tiga\n",
        "{first}06/11/24 19.33 - C: satu\n06/11/24 19.40 - A: awal\n{behind}"
        "06/11/24 19.41 - D: dua\n",
    ],
)
def test_lines_of_one_message_never_outvote_others(read_files: Reader, chat: str) -> None:
    """What one message may hold gives no majority: nobody is believed, and nothing is lost."""
    first = "06/11/24 08.00 - C: pagi\n"
    parts = {
        "ahead": typed(50, "06/11/24 19.55"),
        "far": typed(50, "07/11/24 19.55"),
        "behind": typed(50, "06/11/24 09.00"),
    }
    items = read_files({"a.txt": chat.format(first=first, **parts).encode()})
    assert not any("palsu" in text for _, text in reported(items))
    assert ("C", "pagi") in reported(items)
    whole = [text for _, text in reported(items)] + [text for _, text in doubts(items)]
    for text in ("awal", "satu", "dua", *(f"palsu {n}" for n in range(50))):
        assert any(text in each for each in whole), text


def test_a_single_message_that_typed_lines_contradict_is_quarantined_and_not_lost(
    read_files: Reader,
) -> None:
    """The typed lines are landed: as text they are what a message that came late looks like."""
    chat = """06/11/24 19.30 - C: satu
06/11/24 19.33 - A: dua
06/11/24 19.50 - B: palsu
06/11/24 19.51 - B: palsu
06/11/24 19.40 - D: tiga
"""
    items = read_files({"a.txt": chat.encode()})
    assert [text for _, text in reported(items)] == ["satu", "dua", "palsu", "palsu"]
    assert doubts(items) == [("doubtful_message", "D: tiga")]


def test_several_lines_cost_the_message_that_holds_them_nothing(read_files: Reader) -> None:
    chat = """06/11/24 19.30 - C: satu
06/11/24 19.33 - A: dua
06/11/24 19.32 - B: palsu
06/11/24 19.20 - B: palsu
06/11/24 19.40 - C: tiga
"""
    items = read_files({"a.txt": chat.encode()})
    assert [text for _, text in reported(items)] == ["satu", "dua", "tiga"]


def test_more_messages_than_one_can_hold_stand_against_lines_that_somebody_typed(
    read_files: Reader,
) -> None:
    honest = [
        f"{1 + n // 100:02d}/11/24 {n % 100 // 5:02d}.{n % 5 * 10:02d} - W {n % 7}: {'x' * 300} {n}"
        for n in range(300)
    ]
    chat = "\n".join([*honest, typed(50, "01/11/24 07.00"), "04/11/24 08.00 - C: akhir\n"])
    items = read_files({"a.txt": chat.encode()})
    assert len(messages(items)) == 301
    assert len(doubts(items)) == 50


@pytest.mark.parametrize(
    "line",
    [
        "[06/11/24 19.34.00] Warga B: palsu",
        "[19.34, 6/11/2024] Warga B: palsu",
        "06/11/2024 19.34 - Warga B: palsu",
        "6/11/24 19.34 - Warga B: palsu",
        "06-11-24 19.34 - Warga B: palsu",
        "06/11/24 19:34 - Warga B: palsu",
        "06/11/24, 19.34 - Warga B: palsu",
        "06/11/24 pukul 19.34 - Warga B: palsu",
        "06/11/24 07.34 PM - Warga B: palsu",
        "06/11/24 19.34.00 - Warga B: palsu",
        "06/11/24 19.34 \u2013 Warga B: palsu",
        "06/11/24  19.34 - Warga B: palsu",
        " 06/11/24 19.34 - Warga B: palsu",
        "> 06/11/24 19.34 - Warga B: palsu",
        "06/11/24 19.34\r06/11/24 19.34 - Warga B: palsu",
    ],
)
def test_a_line_in_another_format_than_the_first_is_text(read_files: Reader, line: str) -> None:
    chat = f"06/11/24 19.33 - Warga A: asli\n{line}\n06/11/24 19.40 - Warga C: ya\n"
    items = read_files({"a.txt": chat.encode()})
    text = f"asli\n{line}".replace("\r", "\n")
    assert reported(items) == [("Warga A", text), ("Warga C", "ya")]
    assert doubts(items) == []


def test_an_iphone_ends_messages_otherwise_than_lines(read_files: Reader) -> None:
    """Whatever somebody types: a line end within a message is LF, after one it is CR LF."""
    chat = (
        "[06/11/24 19.33.05] Warga A: asli\n[06/11/24 19.33.06] Warga B: palsu\nekor\r\n"
        "[06/11/24 19.33.07] Warga B: ya\r\n"
    )
    items = read_files({"a.zip": zipped(chat, "_chat.txt")})
    assert reported(items) == [
        ("Warga A", "asli\n[06/11/24 19.33.06] Warga B: palsu\nekor"),
        ("Warga B", "ya"),
    ]
    assert doubts(items) == []


@pytest.mark.parametrize(
    ("line", "text", "doubt"),
    [
        # A notice that the order contradicts is a message that somebody wrote.
        ("05/11/24 20.00 - rapat di balai desa", "asli\n{}\nekor", None),
        ("05/11/24 20.00 - lurah menambahkan amplop", "asli\n{}\nekor", None),
        ("06/11/29 20.00 - rapat di balai desa", "asli\n{}\nekor", None),
        ("06/11/24 19.35 - rapat di balai desa", "asli", "rapat di balai desa\nekor"),
        # a notice is one line
        ("06/11/24 19.35 - Warga B keluar", "asli", "Warga B keluar\nekor"),
        (f"06/11/24 19.35 - {NOTICE}", "asli", f"{NOTICE}\nekor"),
    ],
)
def test_a_line_without_a_sender_hides_nothing(
    read_files: Reader, line: str, text: str, doubt: str | None
) -> None:
    chat = f"06/11/24 19.33 - Warga A: asli\n{line}\nekor\n06/11/24 19.40 - Warga C: ya\n"
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("Warga A", text.format(line)), ("Warga C", "ya")]
    assert doubts(items) == ([] if doubt is None else [("doubtful_message", doubt)])


def test_a_message_that_begins_as_a_notice_does_is_one_where_it_goes_on(read_files: Reader) -> None:
    chat = f"06/11/24 19.33 - Warga A: {NOTICE}\nADUAN\nUraian: x\n"
    items = read_files({"a.txt": chat.encode()})
    assert doubts(items) == [("doubtful_message", f"Warga A: {NOTICE}\nADUAN\nUraian: x")]


@pytest.mark.parametrize(
    ("sender", "text"),
    [
        ("Warga B", "Pesan dan panggilan terenkripsi, jadi saya berani lapor politik uang"),
        ("Warga B", "messages and calls are end-to-end encrypted tapi ada politik uang"),
        ("Bu Added Sari", "ada politik uang"),
        ("Pak Budi removed", "ada politik uang"),
        ("Warga menambahkan B", "ada politik uang"),
        ("Admin membuat grup", "ada politik uang"),
        ("pesan dan panggilan terenkripsi", "ada politik uang"),
    ],
)
def test_a_message_whose_sender_or_text_sounds_like_a_notice_is_one(
    read_files: Reader, sender: str, text: str
) -> None:
    chat = (
        f"06/11/24 19.30 - {NOTICE}\n06/11/24 19.33 - Warga A: satu\n"
        f"06/11/24 19.34 - {sender}: {text}\n"
    )
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("Warga A", "satu"), (sender, text)]


def test_text_before_the_first_message_is_kept(read_files: Reader) -> None:
    items = read_files({"a.txt": b"ekor pesan\n06/11/24 19.33 - Warga A: asli\n"})
    assert reported(items) == [("Warga A", "asli")]
    assert doubts(items) == [("doubtful_message", "ekor pesan")]


def test_a_piece_of_a_line_begins_no_message(read_files: Reader) -> None:
    line = "06/11/24 19.33 - A: " + "x" * ((1 << 20) - 20) + "06/11/24 19.33 - B: palsu\n"
    items = read_files({"a.txt": line.encode() + b"06/11/24 19.34 - A: c\n"})
    assert reported(items) == [("A", "c")]
    assert refused(items) == ["too_large"]


def test_a_label_repeated_a_thousand_times_is_one_value(read_files: Reader) -> None:
    lines = "".join(f"Lokasi: {n}\nNama pelapor: W {n}\n" for n in range(20_000))
    (message,) = messages(read_files({"a.txt": f"06/11/24 19.33 - A: ADUAN\n{lines}".encode()}))
    assert message.fields["Lokasi"].split("\n")[::19_999] == ["0", " 19999"]
    assert "W 1" not in message.fields["Teks"]


# -- messages that are minutes out of order --------------------------------------------------------


def iphone(*lines: str) -> bytes:
    return "".join(f"[06/11/24 {line}\r\n" for line in lines).encode()


def test_an_iphone_may_be_minutes_out_of_order(read_files: Reader) -> None:
    """A message ends with another line end than a line within one, so nobody can forge one."""
    lines = (
        *("19.30.00] Warga B: satu", "19.33.00] Warga A: dua", "19.31.59] Warga B: tiga"),
        *("19.33.30] Warga A: dua", "19.33.10] Warga B: empat", "19.40.00] Warga A: lima"),
    )
    items = read_files({"a.zip": zipped(iphone(*lines), "_chat.txt")})
    assert doubts(items) == []
    assert [text for _, text in reported(items)] == ["satu", "dua", "tiga", "dua", "empat", "lima"]
    assert len({each.source_id for each in messages(items)}) == 6
    assert messages(items)[2].received_at == at(2024, 11, 6, 19, 31)


@pytest.mark.parametrize(
    "line",
    [
        "19.34.00] Warga B: palsu",  # six minutes
        "19.38.00] Warga C: palsu",  # who never wrote
        "19.38.00] Warga A: x\n[06/11/24 19.39.00] Warga B: palsu",  # within a message
    ],
)
def test_more_disorder_an_unknown_sender_and_typed_lines_stay_out(
    read_files: Reader, line: str
) -> None:
    chat = iphone("19.30.00] Warga B: satu", "19.40.00] Warga A: dua", line)
    items = read_files({"a.zip": zipped(chat, "_chat.txt")})
    assert not any(text == "palsu" for _, text in reported(items))
    assert [text for _, text in reported(items)][:2] == ["satu", "dua"]


def test_on_android_a_message_may_be_out_of_order_behind_one_of_its_own_sender(
    read_files: Reader,
) -> None:
    """A line that somebody types there speaks in nobody else's name."""
    chat = """06/11/24 19.30 - Warga B: satu
06/11/24 19.33 - Warga A: dua
06/11/24 19.32 - Warga A: tiga
06/11/24 19.31 - Warga B: palsu
06/11/24 19.41 - Warga B: empat
06/11/24 19.35 - Warga B: palsu
"""
    items = read_files({"a.txt": chat.encode()})
    assert [text for _, text in reported(items)] == ["satu", "dua", "tiga", "empat"]
    assert [text for _, text in doubts(items)] == ["Warga B: palsu", "Warga B: palsu"]


def test_disorder_at_midnight_is_none_of_the_same_day(read_files: Reader) -> None:
    chat = "06/11/24 19.30 - A: satu\n07/11/24 00.01 - A: dua\n06/11/24 23.59 - A: tiga\n"
    items = read_files({"a.txt": chat.encode()})
    assert reported(items) == [("A", "satu"), ("A", "dua")]


# -- edits -----------------------------------------------------------------------------------------


class Archive:
    """What landing makes of deliveries, and remembers of messages: the newest text of each id."""

    def __init__(self) -> None:
        self.versions: dict[str, list[tuple[str, str]]] = {}
        self.keys: dict[str, MessageKey] = {}
        self.cursor: dict[str, Any] = {}

    def message_keys(self, slots: Collection[bytes]) -> list[MessageKey]:
        wanted = {*slots, *(key.slot for key in self.keys.values() if key.is_edited)}
        return [key for key in self.keys.values() if key.slot in wanted]

    def take(self, items: list[Item]) -> None:
        for item in items:
            if isinstance(item, Checkpoint):
                self.cursor = item.cursor
                for gone in item.withdrawn:
                    self.versions.pop(gone, None)
            elif isinstance(item, Delivery):
                if item.key is not None:
                    self.keys.setdefault(item.key.text_id, item.key)
                content = (item.fields["Pengirim"], item.fields["Teks"])
                versions = self.versions.setdefault(item.source_id, [])
                if not item.is_outdated and content not in versions[-1:]:
                    versions.append(content)

    @property
    def current(self) -> list[tuple[str, str]]:
        return sorted(versions[-1] for versions in self.versions.values() if versions)


@pytest.fixture
def archive() -> Archive:
    return Archive()


@pytest.fixture
def pull(tmp_path: Path) -> Callable[..., None]:
    """Read a folder that holds these files now, into an archive."""

    def act(archive: Archive, files: dict[str, str], **changes: Any) -> None:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for old in inbox.iterdir():
            old.unlink()
        for age, (name, content) in enumerate(files.items()):
            (inbox / name).write_text(content)
            os.utime(inbox / name, (1_700_000_000 + age,) * 2)
        given = channel(CHAT, **changes)
        source = Source(
            given, UPath(inbox), None, evidence_store(tmp_path / "e"), DIGEST, archive.cursor
        )
        archive.take(list(read(replace(source, message_keys=archive.message_keys))))

    return act


EDIT = " <Pesan ini telah diedit>"
OLD = "06/11/24 19.33 - A: satu\n06/11/24 19.33 - A: dua\n06/11/24 19.34 - B: tiga\n"
NEW = OLD.replace("dua", f"dua betul{EDIT}") + "06/11/24 19.50 - B: empat\n"
NEWER = NEW.replace("dua betul", "dua lebih betul") + "06/11/24 19.55 - B: lima\n"


@pytest.mark.parametrize(
    "pulls",
    [
        [{"a.txt": OLD}, {"a.txt": NEW}, {"a.txt": NEWER}],  # saved under one name
        [{"a.txt": OLD, "b.txt": NEW, "c.txt": NEWER}],
        [{"c.txt": NEWER, "b.txt": NEW, "a.txt": OLD}],
        [{"a.txt": NEWER}, {"a.txt": OLD}, {"a.txt": NEW}],
        [{"a.txt": NEWER}, {"a.txt": NEWER, "b.txt": NEW}, {"a.txt": NEWER, "c.txt": OLD}],
        [{"a.txt": OLD}, {"b.txt": NEWER}, {"c.txt": NEW}, {"d.txt": OLD}, {"b.txt": NEWER}],
        [{"a.txt": NEWER}],
        [{"a.txt": NEW}, {"a.txt": NEWER}, {"a.txt": NEW}],
    ],
)
def test_an_edit_is_a_new_version_whatever_exports_are_read_in_whatever_order(
    archive: Archive, pull: Callable[..., None], pulls: list[dict[str, str]]
) -> None:
    for files in [*pulls, pulls[-1]]:
        pull(archive, files)
    assert archive.current == [
        ("A", f"dua lebih betul{EDIT}"),
        ("A", "satu"),
        ("B", "empat"),
        ("B", "lima"),
        ("B", "tiga"),
    ]


def test_the_id_of_what_was_landed_stays_with_its_edit(
    archive: Archive, pull: Callable[..., None]
) -> None:
    pull(archive, {"a.txt": OLD})
    before = {versions[-1][1]: source_id for source_id, versions in archive.versions.items()}
    pull(archive, {"a.txt": NEW})
    after = {versions[-1][1]: source_id for source_id, versions in archive.versions.items()}
    assert after[f"dua betul{EDIT}"] == before["dua"]
    assert after["satu"] == before["satu"]


def test_two_edits_of_one_minute_find_each_its_own_message(
    archive: Archive, pull: Callable[..., None]
) -> None:
    pull(archive, {"a.txt": OLD})
    pull(archive, {"a.txt": OLD.replace("satu", f"1{EDIT}").replace("dua", f"2{EDIT}")})
    assert [[text for _, text in each] for each in archive.versions.values()] == [
        ["satu", f"1{EDIT}"],
        ["dua", f"2{EDIT}"],
        ["tiga"],
    ]


def test_an_edit_beside_a_deletion_finds_the_message_in_its_place(
    archive: Archive, pull: Callable[..., None]
) -> None:
    pull(archive, {"a.txt": OLD})
    new = OLD.replace("satu", "Pesan ini telah dihapus").replace("dua", f"2{EDIT}")
    pull(archive, {"a.txt": new})
    assert archive.current == [
        ("A", f"2{EDIT}"),
        ("A", "Pesan ini telah dihapus"),
        ("A", "satu"),  # what was delivered is not taken back
        ("B", "tiga"),
    ]


def test_what_an_earlier_version_landed_beside_its_edit_is_withdrawn(
    archive: Archive, pull: Callable[..., None]
) -> None:
    """Before edits were recognised both stood: the tip counted twice."""
    pull(archive, {"a.txt": OLD})
    alone = Archive()
    pull(alone, {"a.txt": NEW})
    (edited_id,) = [key for key, each in alone.versions.items() if each[-1][1].startswith("dua b")]
    archive.versions[edited_id] = [("A", f"dua betul{EDIT}")]
    archive.keys.clear()
    pull(archive, {"a.txt": OLD, "b.txt": NEW})
    assert [text for _, text in archive.current] == [f"dua betul{EDIT}", "satu", "empat", "tiga"]


def test_another_senders_edit_in_the_same_minute_is_another_message(
    archive: Archive, pull: Callable[..., None]
) -> None:
    pull(archive, {"a.txt": "06/11/24 19.33 - A: satu\n"})
    pull(archive, {"a.txt": f"06/11/24 19.33 - A: satu\n06/11/24 19.33 - B: satu{EDIT}\n"})
    assert archive.current == [("A", "satu"), ("B", f"satu{EDIT}")]


@given(
    chat=st.lists(st.tuples(st.integers(0, 1), st.sampled_from("AB")), min_size=1, max_size=6),
    edits=st.lists(st.integers(0, 5), max_size=5),
    order=st.permutations(range(6)),
    is_kept=st.booleans(),
)
def test_exports_between_edits_read_in_any_order_give_each_message_once_as_it_is_now(
    pull: Callable[..., None],
    chat: list[tuple[int, str]],
    edits: list[int],
    order: list[int],
    is_kept: bool,
) -> None:
    """Each export is taken later than the one before: after one more edit and one more message."""
    texts = [f"pesan {n}" for n in range(len(chat))]
    exports = []
    for step in range(len(edits) + 1):
        if step:
            at = edits[step - 1] % len(chat)
            texts[at] = f"pesan {at} edisi {step}{EDIT}"
        minute = 0
        lines = []
        for (gap, sender), text in zip(chat, texts, strict=True):
            minute += gap
            lines.append(f"06/11/24 19.{minute:02d} - {sender}: {text}\n")
        lines.append(f"06/11/24 20.{step:02d} - C: ekspor {step}\n")
        exports.append("".join(lines))
    archive = Archive()
    read_so_far: dict[str, str] = {}
    for number in [each for each in order if each < len(exports)]:
        new = {f"{number}.txt": exports[number]}
        read_so_far = {**read_so_far, **new} if is_kept else new
        pull(archive, read_so_far)
    found = [each for each in archive.current if each[0] != "C"]
    assert found == sorted((sender, text) for (_, sender), text in zip(chat, texts, strict=True))


def test_a_corrected_date_order_withdraws_what_was_landed_under_the_wrong_one(
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
) -> None:
    tips = "05/11/24 19.33 - A: ADUAN\nUraian: satu\n13/11/24 08.00 - B: ADUAN\nUraian: dua\n"
    inbox = add_channel(CHAT, source={"kind": "whatsapp", "date_order": "mdy"})
    (inbox / "a.txt").write_text(tips)
    assert pull_from("chat_contoh") == IntakeCounts(read=2, landed=1, quarantined=1)
    add_channel(CHAT, source={"kind": "whatsapp", "date_order": "dmy"})
    assert pull_from("chat_contoh") == IntakeCounts(read=2, landed=2, tombstones=1)
    assert pull_from("chat_contoh") == IntakeCounts(read=2, duplicate=2)
    assert db.execute(
        "select received_at from (select distinct on (source_id) received_at, is_tombstone"
        " from raw.record order by source_id, record_id desc) as latest where not is_tombstone"
        " order by 1"
    ).fetchall() == [(at(2024, 11, 5, 19, 33),), (at(2024, 11, 13, 8),)]


WRONG: dict[str, Any] = {"source": {"kind": "whatsapp", "date_order": "mdy"}}
NOW = [("A", f"dua betul{EDIT}"), ("A", "satu"), ("B", "empat"), ("B", "tiga")]


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ([{"a.txt": OLD}, {"a.txt": NEW}], [{"a.txt": NEW}]),
        ([{"a.txt": OLD}, {"a.txt": NEW}], [{"b.txt": NEW}]),
        ([{"a.txt": OLD}, {"a.txt": OLD, "b.txt": NEW}], [{"a.txt": OLD, "b.txt": NEW}]),
        ([{"a.txt": OLD}, {"a.txt": NEW}], [{"a.txt": OLD, "b.txt": NEW}]),
        ([{"a.txt": NEW}], [{"a.txt": NEW, "b.txt": OLD}]),
        ([{"a.txt": OLD}], [{"a.txt": NEW}]),
        ([{"a.txt": OLD}], [{"a.txt": OLD}, {"a.txt": NEW}]),
        ([{"a.txt": OLD}, {"a.txt": OLD}], [{"a.txt": OLD}, {"a.txt": OLD, "b.txt": NEW}]),
    ],
)
def test_a_corrected_date_order_leaves_an_edited_message_once(
    archive: Archive,
    pull: Callable[..., None],
    wrong: list[dict[str, str]],
    right: list[dict[str, str]],
) -> None:
    for files in wrong:
        pull(archive, files, **WRONG)
    for files in [*right, right[-1]]:
        pull(archive, files)
    assert archive.current == NOW


def test_an_edit_is_landed_as_a_version_and_an_older_export_does_not_undo_it(
    settings: Settings,
    add_channel: Callable[..., Path],
    pull_from: Callable[..., IntakeCounts],
    db: psycopg.Connection,
) -> None:
    inbox = add_channel(CHAT)
    (inbox / "a.txt").write_text(OLD)
    assert pull_from("chat_contoh") == IntakeCounts(read=3, landed=3)
    (inbox / "a.txt").write_text(NEW)
    assert pull_from("chat_contoh") == IntakeCounts(read=4, landed=2, duplicate=2)
    (inbox / "b.txt").write_text(OLD)
    assert pull_from("chat_contoh") == IntakeCounts(read=7, duplicate=7)
    (inbox / "a.txt").unlink()
    assert pull_from("chat_contoh") == IntakeCounts(read=3, duplicate=3)
    assert delivered(
        db,
        "select payload ->> 'Teks' from (select distinct on (source_id) payload from raw.record"
        " order by source_id, record_id desc) as latest order by 1",
    ) == [(f"dua betul{EDIT}",), ("empat",), ("satu",), ("tiga",)]


SENDER = st.from_regex(r"[A-Z][a-z]{1,8}( [A-Z][a-z]{1,8})?|\+62 8\d\d-\d{4}-\d{4}", fullmatch=True)
LINE = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cf", "Zl", "Zp"]), max_size=30
).map(lambda text: f"x{text}".strip())


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
        f"{1 + n // 1440:02d}/11/24 {n // 60 % 24:02d}.{n % 60:02d} - Warga {n % 7}: pesan {n} "
        + "kata " * 40
        + "\n"
        for n in range(10_000)
    )
    (inbox / "a.zip").write_bytes(zipped(text))
    size = len(text)
    del text
    source = Source(channel(CHAT), UPath(inbox), None, evidence_store(tmp_path / "e"), DIGEST, {})
    tracemalloc.start()
    count = sum(isinstance(item, Delivery) for item in read(source))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert count == 10_000
    assert size > 2_200_000
    assert peak < 1_500_000
