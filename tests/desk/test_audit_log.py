"""The audit log is read at the desk by auditors, and by nobody else."""

from __future__ import annotations

import hashlib

import psycopg
import pytest

from lumbung import audit
from lumbung.desk.pages import texts
from lumbung.warehouse import links, mappings
from tests.desk.conftest import CHAIR, DRAFT, HOSTILE, PUBLISHED, Desk
from tests.desk.test_editions import decide
from tests.support.databases import the_row


def test_an_auditor_reads_who_decided_what(desk: Desk) -> None:
    decide(desk.client("ketua"), desk.enrol().now(), decision="rejected", reason=HOSTILE[:4000])
    page = desk.client("pemeriksa").get("/catatan").text
    first = page.split("<h2>")[1]
    assert "Keputusan atas edisi" in first
    assert CHAIR in first
    assert DRAFT in first
    assert "dibuktikan dengan kode sekali pakai" in first
    assert "<script" not in page
    assert "<img" not in page
    assert audit.entries(desk.url)[0].event == "published.approval"


def test_an_auditor_verifies_the_whole_log(desk: Desk) -> None:
    auditor = desk.client("pemeriksa")
    assert "/catatan/periksa" in auditor.get("/catatan").text
    page = auditor.get("/catatan/periksa").text
    last = audit.entries(desk.url)[0].entry_id
    assert f"Catatan utuh: {last} baris" in page
    with psycopg.connect(desk.url) as connection:
        (head,) = the_row(
            connection.execute("select entry_hash from ops.audit_log order by entry_id desc")
        )
        assert f"<code>{head}</code>" in page
        connection.execute("alter table ops.audit_log disable trigger all")
        connection.execute("update ops.audit_log set line = line || ' ' where entry_id = 1")
    page = auditor.get("/catatan/periksa").text
    assert "Catatan tidak utuh" in page
    assert "line 1 was changed" in page
    assert desk.client("ketua").get("/catatan/periksa").status_code == 404


@pytest.mark.parametrize("account", ["orang", "ketua", "sekretaris", "sari", "provinsi"])
def test_nobody_else_reads_it(stewarded: Desk, account: str) -> None:
    client = stewarded.client(account)
    assert "Catatan" not in client.get("/").text
    assert client.get("/catatan").status_code == 404


def test_older_lines_are_on_further_pages(desk: Desk) -> None:
    with psycopg.connect(desk.url) as connection:
        for number in range(60):
            connection.execute(
                "select ops.audit('ops.opening', %s, false, null)", (f"orang ke-{number}",)
            )
    auditor = desk.client("pemeriksa")
    page = auditor.get("/catatan").text
    assert "orang ke-59" in page
    assert "orang ke-10<" in page
    assert "orang ke-9<" not in page
    oldest = audit.entries(desk.url, limit=50)[-1].entry_id
    assert f"/catatan?before={oldest}" in page
    assert "orang ke-9<" in auditor.get(f"/catatan?before={oldest}").text
    assert "Belum ada keputusan" in auditor.get("/catatan?before=1").text
    for wrong in ("0", "-1", "x", "9" * 30):
        assert auditor.get(f"/catatan?before={wrong}").status_code == 422


def test_a_line_names_what_was_decided_on_and_no_word(stewarded: Desk) -> None:
    links.decide(stewarded.url, "a1", "a2", "different", by="sari")
    for vocabulary, term, code in (
        *(("issue", "~kdmfabcgehij", "PU"), ("issue", "Amplop Budi", "PU")),
        ("place", "19" + "c" * 32, "19.05"),
    ):
        mappings.decide(stewarded.url, vocabulary, term, code, by="provinsi")
    place, word, pseudonym, pair = (each.content for each in audit.entries(stewarded.url, limit=4))
    assert (pair["report_id_a"], pair["report_id_b"]) == ("a1", "a2")
    assert (pseudonym["term"], place["term"]) == ("~kdmfabcgehij", "19" + "c" * 32)
    token = "#" + hashlib.sha256(b"amplop budi").hexdigest()[:16]
    assert word["term"] == token
    page = stewarded.client("pemeriksa").get("/catatan").text
    for shown in ("a1", "a2", "~kdmfabcgehij", token, "19" + "c" * 32):
        assert f"<dd><bdi>{shown}</bdi></dd>" in page
    assert "amplop" not in page.casefold()


def test_every_audited_table_has_a_name_on_the_page(desk: Desk) -> None:
    with psycopg.connect(desk.url) as connection:
        audited = connection.execute(
            "select distinct format('event_%s_%s', relnamespace::regnamespace, relname)"
            " from pg_trigger inner join pg_class on pg_class.oid = tgrelid"
            " where tgname = 'audit'"
        ).fetchall()
        columns = connection.execute(
            "select distinct 'column_' || unnest((string_to_array(encode(tgargs, 'escape'),"
            " '\\000'))[2:]) from pg_trigger where tgfoid = 'ops.audit_decision'::regproc"
        ).fetchall()
    assert len(audited) > 10
    assert {name for (name,) in audited} <= {*texts("id")}
    assert len(columns) > 30
    assert {name for (name,) in columns} - {"column_", "column_seal"} <= {*texts("id")}


def test_the_log_is_read_in_indonesian(stewarded: Desk) -> None:
    links.decide(stewarded.url, "a1", "a2", "same_event", by="sari")
    page = stewarded.client("pemeriksa").get("/catatan").text
    assert "<dt>Kasus pertama</dt><dd><bdi>a1</bdi></dd>" in page
    assert "<dt>Keputusan</dt><dd>kejadian yang sama</dd>" in page


def test_who_takes_a_file_of_a_draft_is_in_the_log(desk: Desk) -> None:
    chair = desk.client("ketua")
    before = len(audit.entries(desk.url))
    assert chair.get(f"/edisi/{PUBLISHED}/berkas/edisi.pdf").status_code == 200  # anybody may
    assert chair.get(f"/edisi/{DRAFT}/berkas/tidak-ada.pdf").status_code == 404
    assert len(audit.entries(desk.url)) == before
    assert chair.get(f"/edisi/{DRAFT}/berkas/edisi.pdf").status_code == 200
    entry = audit.entries(desk.url)[0]
    assert (entry.event, entry.person) == ("ops.export", "ketua")
    assert entry.content == {"edition_id": DRAFT, "file": "edisi.pdf"}
