"""Archived webhooks: what is signed counts, once, in the order in which it was written."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
import tracemalloc
from collections.abc import Callable
from datetime import UTC, datetime
from itertools import permutations
from pathlib import Path
from typing import Any

import psycopg
import pytest
from upath import UPath

from lumbung.errors import SourceError
from lumbung.intake import run
from lumbung.intake.connectors.base import (
    Checkpoint,
    Delivery,
    Item,
    Source,
    SourceConnection,
    Unreadable,
)
from lumbung.intake.connectors.whatsapp_cloud import reader as cloud
from lumbung.intake.landing import IntakeCounts
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from tests.support.channel_samples import OWNER, channel
from tests.support.delivered import delivered, place
from tests.support.evidence import evidence_store

DIGEST = Vault(bytes(32)).content_hash
SECRET = "rahasia-aplikasi-rekaan"
CONNECTION = SourceConnection("", password=SECRET)
CLOUD: dict[str, Any] = {
    "name": "wa_gerbang",
    "title": "Gerbang WhatsApp contoh",
    "owner": OWNER,
    "connection": "wa_gerbang",
    "schedule": "0 5 * * *",
    "record_kind": "IA",
    "source": {"kind": "whatsapp_cloud", "marker": "ADUAN"},
    "personal": ["Pengirim", "Nama profil", "Nama pelapor"],
    "subject": ["Pengirim"],
    "kept": ["Tanda", "Jenis", "Media"],
    "fields": {
        "occurred_date": {"from": "Tanggal"},
        "regency": {"from": "Lokasi"},
        "narrative": {"from": ["Uraian", "Teks"]},
    },
}
NUMBER = "6281200001111"
NOON = 1_730_894_400  # 6 November 2024, 12:00 UTC

Reader = Callable[..., list[Item]]


def message(wamid: str, text: str = "halo", at: int = NOON, **changes: Any) -> dict[str, Any]:
    content = {
        "from": NUMBER,
        "id": wamid,
        "timestamp": str(at),
        "type": "text",
        "text": {"body": text},
    }
    return {**content, **changes}


def edit(wamid: str, original: str, text: str, at: int = NOON + 60) -> dict[str, Any]:
    inner = {"type": "text", "text": {"body": text}}
    change = {"original_message_id": original, "message": inner}
    return {"from": NUMBER, "id": wamid, "timestamp": str(at), "type": "edit", "edit": change}


def revoke(wamid: str, original: str, at: int = NOON + 120) -> dict[str, Any]:
    change = {"original_message_id": original}
    return {"from": NUMBER, "id": wamid, "timestamp": str(at), "type": "revoke", "revoke": change}


def body(*messages: Any, contacts: list[Any] | None = None, **value: Any) -> bytes:
    known = [{"profile": {"name": "Warga Rekaan"}, "wa_id": NUMBER}]
    content = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "62711000000", "phone_number_id": "1"},
        "contacts": known if contacts is None else contacts,
        **({"messages": list(messages)} if messages else {}),
        **value,
    }
    change = {"field": "messages", "value": content}
    return json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [change]}],
        },
        ensure_ascii=False,
    ).encode("utf-8", "surrogatepass")


def sign(raw: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()


def line(raw: bytes, signature: str | None = None, name: str = "X-Hub-Signature-256") -> bytes:
    headers = {"Content-Type": "application/json", name: signature or sign(raw)}
    return json.dumps({"headers": headers, "body": raw.decode()}).encode() + b"\n"


@pytest.fixture
def read_files(tmp_path: Path) -> Reader:
    def act(files: dict[str, bytes], connection: Any = CONNECTION) -> list[Item]:
        inbox = tmp_path / "inbox"
        inbox.mkdir(exist_ok=True)
        for old in inbox.iterdir():
            old.unlink()
        for age, (name, content) in enumerate(files.items()):
            (inbox / name).write_bytes(content)
            os.utime(inbox / name, (1_700_000_000 + age,) * 2)
        store = evidence_store(tmp_path / "evidence")
        return list(cloud.read(Source(channel(CLOUD), UPath(inbox), connection, store, DIGEST, {})))

    return act


def deliveries(items: list[Item]) -> list[Delivery]:
    return [item for item in items if isinstance(item, Delivery)]


def refused(items: list[Item]) -> list[str]:
    return [item.reason_code for item in items if isinstance(item, Unreadable)]


def reported(items: list[Item]) -> list[tuple[str, str]]:
    return [(each.fields["Teks"], each.fields["Tanda"]) for each in deliveries(items)]


TIP = """ADUAN
Tanggal: 5 November 2024
Lokasi: Kec. Rangkui, Pangkal Pinang
Nama pelapor: Warga Rahasia
Uraian: dibagi \U0001f4b0 di lapangan"""


def test_a_signed_message_of_the_template(read_files: Reader) -> None:
    (found,) = deliveries(read_files({"a.jsonl": line(body(message("wamid.A", TIP)))}))
    assert found.received_at == datetime(2024, 11, 6, 12, 0, tzinfo=UTC)
    assert found.fields == {
        "Pengirim": NUMBER,
        "Nama profil": "Warga Rekaan",
        "Teks": TIP.replace("Nama pelapor: Warga Rahasia\n", ""),
        "Tanda": "templat",
        "Jenis": "text",
        "Tanggal": "5 November 2024",
        "Lokasi": "Kec. Rangkui, Pangkal Pinang",
        "Nama pelapor": "Warga Rahasia",
        "Uraian": "dibagi \U0001f4b0 di lapangan",
        "Pesan (utuh)": message("wamid.A", TIP),
    }


def test_the_id_gives_no_number_away(read_files: Reader) -> None:
    wamid = "wamid." + base64.b64encode(NUMBER.encode()).decode()
    (found,) = deliveries(read_files({"a.jsonl": line(body(message(wamid)))}))
    assert wamid[6:20] not in found.source_id
    assert len(found.source_id) == 32


@pytest.mark.parametrize(
    "spoil",
    [
        lambda raw: line(raw, sign(raw, "rahasia lain")),
        lambda raw: line(raw, "sha256="),
        lambda raw: line(raw, hmac.new(SECRET.encode(), raw, hashlib.sha256).hexdigest()),
        lambda raw: line(raw, sign(raw)[:-1] + "\u00e9"),
        lambda raw: line(raw, sign(raw), "X-Hub-Signature"),
        lambda raw: line(raw.replace(b"halo", b"hola"), sign(raw)),
        lambda raw: json.dumps({"body": raw.decode()}).encode(),
        lambda raw: json.dumps({"headers": None, "body": raw.decode()}).encode(),
    ],
)
def test_what_is_not_signed_with_the_secret_is_quarantined(
    read_files: Reader, spoil: Callable[[bytes], bytes]
) -> None:
    items = read_files({"a.jsonl": spoil(body(message("wamid.A"))) + b"\n"})
    assert refused(items) == ["bad_signature"]
    assert not deliveries(items)


def test_the_signature_is_over_the_raw_bytes_however_they_are_kept(read_files: Reader) -> None:
    raw = body(message("wamid.A", "uang \U0001f4b0 \u00e9"))
    assert "\U0001f4b0".encode() in raw, "emoji as bytes, not escaped"
    packed = {
        "headers": {"x-hub-signature-256": [sign(raw)]},
        "body_base64": base64.b64encode(raw).decode(),
    }
    files = {
        "a.jsonl": line(raw, name="x-hub-signature-256"),
        "b.ndjson": json.dumps(packed).encode(),
        "c.json": raw,
        "c.headers": f"Content-Type: a/b\r\nX-HUB-Signature-256: {sign(raw)}\r\n".encode(),
        "d.body": raw,
        "d.body.headers": f"x-hub-signature-256:{sign(raw)}".encode(),
    }
    items = read_files(files)
    assert refused(items) == []
    assert [each.fields["Teks"] for each in deliveries(items)] == ["uang \U0001f4b0 \u00e9"] * 4
    assert len({each.source_id for each in deliveries(items)}) == 1


def test_a_former_secret_still_verifies_old_archives(read_files: Reader) -> None:
    old = body(message("wamid.A"))
    files = {"a.jsonl": line(old, sign(old, "lama")) + line(body(message("wamid.B")))}
    assert refused(read_files(files)) == ["bad_signature"]
    both = SourceConnection("", password=SECRET, extra={"former_secrets": ["lama"]})
    assert len(deliveries(read_files(files, both))) == 2


@pytest.mark.parametrize("connection", [None, SourceConnection("", password=None)])
def test_without_a_secret_nothing_is_read(read_files: Reader, connection: Any) -> None:
    with pytest.raises(SourceError, match=r"app secret.*set it as password of the connection"):
        read_files({"a.jsonl": line(body(message("wamid.A")))}, connection)


def test_statuses_and_errors_are_no_deliveries(read_files: Reader) -> None:
    status = {"id": "wamid.A", "status": "read", "timestamp": "1", "recipient_id": NUMBER}
    other = json.loads(body(message("wamid.X")))
    other["entry"][0]["changes"][0]["field"] = "message_template_status_update"
    raw = (
        body(statuses=[status]),
        body(errors=[{"code": 130429}]),
        json.dumps(other).encode(),
        body(message("wamid.B"), errors=[{"code": 131000}], statuses=[status]),
    )
    items = read_files({"a.jsonl": b"".join(map(line, raw))})
    assert reported(items) == [("halo", "obrolan")]
    assert refused(items) == []


def test_every_kind_of_message_in_the_real_samples(read_files: Reader, samples: Path) -> None:
    kinds = json.loads((samples / "whatsapp_cloud" / "message.json").read_bytes())
    lines = b""
    for kind, payload in kinds.items():
        (content,) = payload["entry"][0]["changes"][0]["value"]["messages"]
        content["id"] = f"wamid.{kind}"
        lines += line(json.dumps(payload).encode())
    items = read_files({"a.jsonl": lines})
    assert refused(items) == []
    found = dict(zip(kinds, deliveries(items), strict=True))
    assert len({each.source_id for each in found.values()}) == len(kinds) == 23
    marks = {kind: each.fields["Tanda"] for kind, each in found.items()}
    texts = {kind: each.fields["Teks"] for kind, each in found.items() if each.fields["Teks"]}
    media = ("image", "media_with_url", "video", "document", "audio", "voice")
    assert {kind for kind, mark in marks.items() if mark == "media"} == {
        *media,
        "static_sticker",
        "animated_sticker",
    }
    assert marks["reaction"] == marks["unreaction_no_emoji"] == "reaksi"
    assert marks["unsupported"] == "tidak didukung"
    assert texts == {
        "text": "Body Text",
        "video": "caption",
        "document": "caption",
        "reaction": "\U0001f62e",
        "reply": "replied text",
        "forwarded": "forwarded text",
        "forwarded_many_times": "text forwarded many times",
        "referral": "BODY",
    }
    image = {"mime_type": "image/jpeg", "sha256": "4654+8g=", "id": "65463453"}
    assert found["image"].fields["Media"] == found["media_with_url"].fields["Media"] == image
    assert "lookaside" not in repr(found["media_with_url"].fields), "an address that expires"
    assert found["document"].fields["Pesan (utuh)"]["document"]["filename"] == "filename.pdf"
    assert all(each.fields["Nama profil"] == "Test Name" for each in found.values())
    public = channel(CLOUD).public.values()
    shown = repr({k: v for each in found.values() for k, v in each.fields.items() if k in public})
    for personal in ("972987654321", "Monica", "Hacker Way", "37.46", "filename.pdf"):
        assert personal in repr([each.fields for each in found.values()])
        assert personal not in shown


def test_answers_to_buttons_and_lists_are_text(read_files: Reader) -> None:
    button: dict[str, Any] = {"type": "button", "button": {"text": "Ya", "payload": "1"}}
    chosen = {"list_reply": {"id": "1", "title": "Bangka"}}
    reply: dict[str, Any] = {"type": "interactive", "interactive": chosen}
    raw = body(message("wamid.A", **button), message("wamid.B", **reply))
    assert [text for text, _ in reported(read_files({"a.jsonl": line(raw)}))] == ["Ya", "Bangka"]


def test_a_changed_number_is_a_notice_whose_numbers_stay_out_of_the_text(
    read_files: Reader,
) -> None:
    notice = "User A changed from 6281200001111 to 6281200002222"
    system = {"body": notice, "wa_id": "6281200002222", "type": "user_changed_number"}
    raw = body({**message("wamid.A", type="system", system=system), "text": None})
    (found,) = deliveries(read_files({"a.jsonl": line(raw)}))
    assert (found.fields["Teks"], found.fields["Tanda"]) == ("", "sistem")
    assert found.fields["Pesan (utuh)"]["system"]["wa_id"] == "6281200002222"


def test_a_sender_without_a_phone_is_known_by_its_user_id(read_files: Reader) -> None:
    contacts = [
        {"profile": {"name": "Lain"}, "user_id": "ID.2"},
        {"profile": {"name": "Warga Rekaan", "username": "w"}, "user_id": "ID.1"},
    ]
    named = message("wamid.A", from_user_id="ID.1")
    del named["from"]
    alone = {key: value for key, value in message("wamid.B").items() if key != "from"}
    raw = (body(named, contacts=contacts), body(alone, contacts=contacts[1:]))
    found = deliveries(read_files({"a.jsonl": b"".join(map(line, raw))}))
    assert [each.fields["Pengirim"] for each in found] == ["ID.1", "ID.1"]
    assert [each.fields["Nama profil"] for each in found] == ["Warga Rekaan"] * 2


@pytest.mark.parametrize("absent", [{"contacts": None}, {}])
def test_a_message_without_contacts_is_read(read_files: Reader, absent: dict[str, Any]) -> None:
    request = json.loads(body(message("wamid.A")))
    value = request["entry"][0]["changes"][0]["value"]
    del value["contacts"]
    value |= absent
    statuses = json.loads(body(contacts=[], messages=None, statuses=[{"id": "wamid.Z"}]))
    raw = (json.dumps(each).encode() for each in (request, statuses))
    (found,) = deliveries(read_files({"a.jsonl": b"".join(map(line, raw))}))
    assert found.fields["Pengirim"] == NUMBER
    assert "Nama profil" not in found.fields


def test_edits_follow_their_message_and_a_revocation_ends_it_in_any_order_of_arrival(
    read_files: Reader,
) -> None:
    events = [
        message("wamid.A", "satu"),
        edit("wamid.B", "wamid.A", "dua"),
        edit("wamid.C", "wamid.A", "tiga", NOON + 90),
        revoke("wamid.D", "wamid.A"),
    ]
    for order in permutations(events):
        files = {f"{n}.jsonl": line(body(each)) for n, each in enumerate(order)}
        items = read_files(files)
        assert reported(items) == [
            ("satu", "obrolan"),
            ("dua", "obrolan, diedit"),
            ("tiga", "obrolan, diedit"),
        ]
        (source_id,) = {each.source_id for each in deliveries(items)}
        assert {each.received_at.timestamp() for each in deliveries(items)} == {NOON}
        assert isinstance(items[-1], Checkpoint)
        assert items[-1].withdrawn == (source_id,)


def test_an_edit_whose_message_never_came_is_kept(read_files: Reader) -> None:
    (found,) = deliveries(read_files({"a.jsonl": line(body(edit("wamid.B", "wamid.A", TIP)))}))
    (direct,) = deliveries(read_files({"a.jsonl": line(body(message("wamid.A", TIP)))}))
    assert found.source_id == direct.source_id
    assert found.fields["Tanda"] == "templat, diedit"
    assert found.received_at.timestamp() == NOON + 60


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ({"id": "wamid.A", "timestamp": "bukan waktu"}, "unreadable_date"),
        ({"id": "wamid.A"}, "unreadable_date"),
        ({"id": "wamid.A", "timestamp": "9" * 30}, "unreadable_date"),
        ({"timestamp": str(NOON)}, "unusable_source_id"),
        ("teks", "unreadable_message"),
    ],
)
def test_a_bad_message_is_refused_and_the_next_of_its_batch_is_read(
    read_files: Reader, content: Any, code: str
) -> None:
    items = read_files({"a.jsonl": line(body(content, message("wamid.B")))})
    assert refused(items) == [code]
    assert reported(items) == [("halo", "obrolan")]


def test_damaged_archives_lose_the_damaged_line_only(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    good = line(body(message("wamid.A")))
    deep = b"[" * 100_000 + b"]" * 100_000
    monkeypatch.setattr(cloud, "_MAX_LINE", 1 << 20)
    lines = [
        good,
        b"\xff\xfe\x00 bukan JSON\n",
        b'{"headers": {}, "body": 7}\n',
        b'{"headers": {}, "body_base64": "***"}\n',
        b"[]\n\n",
        b'{"body": "' + b"x" * 3_000_000 + b'"}\n',
        line(deep),
        line(b'{"entry": [{"changes": [{"field": "messages", "value": []}]}]}'),
        line(b'"teks"'),
        line(body(message("wamid.N", "a\0b"))),
        good[: len(good) // 2],
    ]
    items = read_files({"a.jsonl": b"".join(lines)})
    assert refused(items) == [
        *("unreadable_message",) * 4,
        "too_large",
        *("unreadable_message",) * 4,
    ]
    assert reported(items) == [("halo", "obrolan"), ("a\0b", "obrolan")]
    locators = [item.locator for item in items if isinstance(item, Unreadable)]
    assert locators[0] == "a.jsonl | baris 2"
    assert not any("x" * 100 in repr(item) for item in items)


def test_a_huge_body_is_not_read_into_memory(
    read_files: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cloud, "_MAX_LINE", 1 << 20)
    huge = b" " * (40 << 20)
    tracemalloc.start()
    items = read_files({"a.json": huge, "b.jsonl": huge})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert refused(items) == ["too_large", "too_large"]
    assert peak < 50 << 20, "the test's own 40 MB, and little more"


# -- whole pulls -----------------------------------------------------------------------------------


@pytest.fixture
def pull(settings: Settings, database_url: str) -> Callable[[], IntakeCounts]:
    return lambda: run.pull(
        "wa_gerbang",
        settings=settings,
        database_url=database_url,
        connection=CONNECTION,
        run_key="uji",
    )


def current(db: psycopg.Connection) -> list[Any]:
    return delivered(
        db,
        "select payload ->> 'Teks', extract(epoch from received_at)::int from raw.record"
        " where record_id in (select max(record_id) from raw.record group by source_id)"
        " and not is_tombstone"
        " order by record_id",
    )


def test_a_growing_archive_with_late_and_repeated_requests(
    pull: Callable[[], IntakeCounts], db: psycopg.Connection, add_channel: Callable[..., Path]
) -> None:
    archive = add_channel(CLOUD) / "hari ini.jsonl"
    # Chained edits, the last before its message arrives at all.
    archive.write_bytes(line(body(edit("wamid.C", "wamid.A", "tiga", NOON + 90))))
    assert pull() == IntakeCounts(read=1, landed=1)
    with archive.open("ab") as more:
        more.write(line(body(message("wamid.A", "satu"), message("wamid.Z", "lain"))))
        more.write(line(body(edit("wamid.B", "wamid.A", "dua"))))
    assert pull() == IntakeCounts(read=4, landed=4)
    # What was the latest before its message came has become the latest again.
    assert sorted(current(db)) == [("lain", NOON), ("tiga", NOON)]
    assert pull() == IntakeCounts(read=4, duplicate=4)
    with archive.open("ab") as more:
        more.write(line(body(message("wamid.A", "satu"))))  # at least once
        more.write(line(body(edit("wamid.C", "wamid.A", "tiga", NOON + 90))))
        more.write(line(body(message("wamid.Y", "baru"))))
    assert pull() == IntakeCounts(read=7, landed=1, duplicate=6)
    with archive.open("ab") as more:
        more.write(line(body(revoke("wamid.D", "wamid.A"))))
    assert pull() == IntakeCounts(read=7, duplicate=7, tombstones=1)
    assert sorted(current(db), key=repr) == [("baru", NOON), ("lain", NOON)]
    (archive.parent / "susulan.jsonl").write_bytes(line(body(message("wamid.A", "satu"))))
    assert pull() == IntakeCounts(read=8, duplicate=8)
    assert sorted(current(db), key=repr) == [("baru", NOON), ("lain", NOON)]
    assert db.execute("select count(distinct source_id) from raw.record").fetchone() == (3,)
    assert db.execute("select count(*) from ops.drift_notice").fetchone() == (0,)


def test_an_outage_in_the_middle_loses_and_doubles_nothing(
    pull: Callable[[], IntakeCounts],
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    inbox = add_channel(CLOUD)
    lines = [line(body(message(f"wamid.{n}", f"pesan {n}"))) for n in range(7)]
    (inbox / "a.jsonl").write_bytes(b"".join([*lines, line(b"{}", "palsu"), lines[0]]))
    monkeypatch.setattr(run, "CHUNK_DELIVERIES", 3)
    fields = cloud._fields
    calls = iter(range(10))

    def breaks(*given: Any) -> dict[str, Any]:
        if next(calls) == 4:
            raise MemoryError
        return fields(*given)

    with monkeypatch.context() as patch:
        patch.setattr(cloud, "_fields", breaks)
        with pytest.raises(MemoryError):
            pull()
    before = db.execute("select count(*) from raw.record").fetchone()
    assert before == (3,), "the whole chunk before the failure, and nothing of the next"
    assert pull() == IntakeCounts(read=9, landed=4, duplicate=4, quarantined=1)
    assert pull() == IntakeCounts(read=9, duplicate=9)
    assert db.execute("select count(*) from raw.record").fetchone() == (7,)
    row = db.execute("select reason_code, reason, locator from quarantine.record").fetchone()
    assert row is not None
    assert (row[0], row[2]) == ("bad_signature", place("a.jsonl | baris 8"))


def test_a_message_that_a_secret_hides_is_landed_when_the_secret_is_right(
    settings: Settings,
    database_url: str,
    db: psycopg.Connection,
    add_channel: Callable[..., Path],
) -> None:
    inbox = add_channel(CLOUD)
    (inbox / "a.jsonl").write_bytes(line(body(message("wamid.A", TIP))))
    given: dict[str, Any] = {"settings": settings, "database_url": database_url, "run_key": "uji"}
    wrong = SourceConnection("", password="salah")
    counts = run.pull("wa_gerbang", connection=wrong, **given)
    assert counts == IntakeCounts(read=1, quarantined=1)
    counts = run.pull("wa_gerbang", connection=CONNECTION, **given)
    assert counts == IntakeCounts(read=1, landed=1)
    (payload,) = db.execute("select payload from raw.record").fetchall()[0]
    assert set(payload) == {"Teks", "Tanda", "Jenis", "Tanggal", "Lokasi", "Uraian"}
    assert "Rahasia" not in repr(payload)
