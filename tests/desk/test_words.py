"""Stewards of the province give unknown words a code, and restore what a person excluded."""

from __future__ import annotations

import html
import re
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.testclient import TestClient

from lumbung import audit
from lumbung.warehouse import exclusions, mappings
from tests.desk.conftest import HOSTILE, OWN, SECRET, Desk
from tests.desk.test_quarantine import openings, seen, send, token
from tests.desk.test_review_list import address as pair

WORDS = "/tinjauan/kata"
RECORD = 99_999


def address(vocabulary: str, term: str) -> str:
    return f"{WORDS}/{vocabulary}?{urlencode({'term': term})}"


def test_a_word_is_opened_for_a_reason_mapped_and_undone(words: tuple[Desk, str]) -> None:
    desk, hidden = words
    province = desk.client("provinsi")
    assert f'href="{WORDS}"' in province.get("/tinjauan").text
    page = province.get(WORDS).text
    assert "Butir 1 sampai 3 dari 3." in page
    assert "5 kiriman" in page
    # one that may not be shown is listed, with a record that the data team can look up
    assert f"mungkin memuat nama orang (catatan nomor {RECORD})" in page
    assert page.index(hidden) < page.index("&lt;script&gt;")
    for path in (WORDS, address("role", HOSTILE[:150]), address("issue", hidden)):
        shown = province.get(path).text
        assert "<script" not in shown
        assert "<img" not in shown
        assert SECRET not in shown
        assert len(shown.encode()) < 60_000
    assert "Tampilkan kata" not in province.get(address("role", HOSTILE[:150])).text
    csrf, path = token(province, address("issue", hidden)), f"{WORDS}/issue"
    assert send(province, f"{path}/isi", csrf, term=hidden).status_code == 422
    assert openings(desk) == []
    page = send(province, f"{path}/isi", csrf, term=hidden, reason="pilih kodenya").text
    assert f"Kata aslinya: <bdi>{SECRET}</bdi>" in page
    assert "Warga Rahasia" not in page
    entry = audit.entries(desk.url)[0]
    assert (entry.event, entry.person) == ("ops.opening", "provinsi")
    assert entry.content == {
        "quarantine_id": None,
        "record_id": RECORD,
        "evidence_sha256": None,
        "labels_of": None,
        "reason": "pilih kodenya",
        "consented_by": None,
        "enrolment_id": None,
        "totp_step": None,
        "seal": None,
    }
    assert send(province, path, csrf, term=hidden, code="ASN").headers["location"] == WORDS
    assert mappings.mappings(desk.url)["issue", hidden].code == "ASN"
    page = province.get(WORDS).text
    assert "Butir 1 sampai 2 dari 2." in page
    assert "berlaku sejak pembaruan data berikutnya" in page
    send(province, path, csrf, term=hidden, seen=seen(province, WORDS))
    assert mappings.mappings(desk.url) == {}
    for term, code in ((hidden, "XX"), ("lain", "ASN"), ("x" * 201, "ASN"), ("a\0", "ASN")):
        assert send(province, path, csrf, term=term, code=code).status_code in (404, 422)
    assert mappings.mappings(desk.url) == {}


@pytest.mark.parametrize("account", ["orang", "ketua", "penangan", "sari"])
def test_nobody_else_maps_or_restores(words: tuple[Desk, str], account: str) -> None:
    desk, hidden = words
    client = desk.client(account)
    # pages with a form that the account may send
    own = {"sari": pair("a1", "a2"), "penangan": "/karantina"}
    csrf = token(client, own[account]) if account in own else "x"
    for path in (WORDS, address("issue", hidden), "/tinjauan/dikeluarkan"):
        assert client.get(path).status_code == 404
    given: dict[str, Any] = {"term": hidden, "code": "ASN", "reason": "x"}
    for path in (f"{WORDS}/issue", f"{WORDS}/issue/isi", f"/tinjauan/dikeluarkan/{RECORD}"):
        assert send(client, path, "", **given).status_code == 403
        assert send(client, path, csrf, **given).status_code in (403, 404)
    assert mappings.mappings(desk.url) == {}
    assert openings(desk) == []
    if account == "sari":  # a word of the own regency is listed, and asked of the province
        assert hidden in client.get("/tinjauan/butir/word_unknown").text


def test_what_a_person_excluded_is_listed_and_restored(
    words: tuple[Desk, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    desk, _ = words
    for week in ("2024-W46", "2024-W47"):
        desk.execute(
            "insert into reporting.rpt_not_counted (channel, reason_code, week_id, reason,"
            " record_count) values ('wa_aduan', 'test_row', %s, 'Baris uji coba', 4)",
            week,
        )
    exclusions.decide(desk.url, RECORD, "excluded", by="ani", reason=HOSTILE[:300])
    province = desk.client("provinsi")
    page = province.get("/tinjauan/dikeluarkan").text
    assert "Baris uji coba" in page
    assert "8 kiriman" in page
    assert "<script" not in page
    assert f"catatan nomor {RECORD}" in page
    csrf, path = token(province, "/tinjauan/dikeluarkan"), f"/tinjauan/dikeluarkan/{RECORD}"
    assert send(province, path, csrf, reason="").status_code == 422
    # a colleague's newer exclusion is not withdrawn
    shown = seen(province, "/tinjauan/dikeluarkan")
    exclusions.decide(desk.url, RECORD, "restored", by="ani", reason="x")
    exclusions.decide(desk.url, RECORD, "excluded", by="ani", reason="x")
    answer = send(province, path, csrf, reason="bukan percobaan", seen=shown)
    assert (answer.status_code, "berubah sejak halaman dibuka" in answer.text) == (422, True)
    shown = seen(province, "/tinjauan/dikeluarkan")
    decide = exclusions.decide

    def twice(*given: Any, **named: Any) -> None:  # two taps at once
        for _ in range(2):
            decide(*given, **named)

    monkeypatch.setattr(exclusions, "decide", twice)
    answer = send(province, path, csrf, reason="bukan percobaan", seen=shown)
    assert answer.headers["location"] == "/tinjauan/dikeluarkan"
    assert exclusions.excluded(desk.url) == []
    # a second click changes nothing
    assert send(province, path, csrf, reason="bukan percobaan").status_code == 303
    assert audit.entries(desk.url)[0].content["decision_code"] == "restored"


def test_a_record_is_excluded_for_a_reason(words: tuple[Desk, str]) -> None:
    desk, _ = words
    path = "/tinjauan/dikeluarkan"
    province = desk.client("provinsi")
    csrf = token(province, path)
    for number, reason, reported in (
        (RECORD, " ", "Tuliskan alasannya"),
        (RECORD, "cek 0812-7777-0001", "tidak boleh memuat data pribadi"),
        (99_998, "uji coba", "Nomor catatan itu tidak ada"),
    ):
        answer = send(province, path, csrf, number=number, reason=reason)
        assert (answer.status_code, reported in answer.text) == (422, True)
        # what was typed is still there
        assert f'value="{number}" required' in answer.text
        assert f"required>{reason}</textarea>" in answer.text
    assert send(province, path, csrf, number=RECORD, reason="uji coba").status_code == 303
    (found,) = exclusions.excluded(desk.url)
    assert (found.record_id, found.decided_by, found.reason) == (RECORD, "provinsi", "uji coba")
    # a second click, and another decision
    assert send(province, path, csrf, number=RECORD, reason="uji coba").status_code == 303
    assert send(province, path, csrf, number=RECORD, reason="sekali lagi").status_code == 422
    assert exclusions.excluded(desk.url) == [found]
    sari = desk.client("sari")
    own = token(sari, "/tinjauan/pasangan?one=a1&other=a2")
    assert send(sari, path, own, number=RECORD, reason="x").status_code == 404


def test_a_word_that_somebody_decided_meanwhile_stays_as_it_is(words: tuple[Desk, str]) -> None:
    desk, hidden = words
    province, here = desk.client("provinsi"), address("issue", hidden)
    csrf = token(province, here)
    mappings.decide(desk.url, "issue", hidden, "PU", by="rekan")
    before = {"csrf": csrf, "term": hidden, "seen": 0, "why": "test"}
    for given in ({"code": "ASN"}, {}):  # a choice and an undo on pages from before
        answer = province.post(f"{WORDS}/issue", data={**before, **given})
        assert answer.status_code == 422
        assert "Sementara itu orang lain sudah memutuskan" in answer.text
        assert "(<bdi>rekan</bdi>)" in answer.text
        assert mappings.mappings(desk.url)["issue", hidden].code == "PU"
        chosen = given.get("code", "PU")  # what was chosen is still chosen
        assert f'<option value="{chosen}" selected>' in answer.text
    now = {"seen": seen(province, here)}
    for _ in range(2):  # a form that was sent twice is recorded once
        again = send(province, f"{WORDS}/issue", csrf, term=hidden, code="ASN", **now)
        assert again.status_code == 303
    assert mappings.mappings(desk.url)["issue", hidden].decided_by == "provinsi"
    assert audit.entries(desk.url)[0].content["decision_id"] == 2


BUILT = (
    "insert into ops.build (state, max_batch_id, inputs_hash, seeds_hash)"
    " values ('success', 0, 'x', 'x')"
)


def test_a_decided_word_is_undone_after_a_build(words: tuple[Desk, str]) -> None:
    desk, hidden = words
    province = desk.client("provinsi")
    csrf = token(province, address("issue", hidden))
    send(province, f"{WORDS}/issue", csrf, term=hidden, code="ASN")
    desk.execute(BUILT)
    desk.execute("delete from marts.fct_review_item where check_code = 'word_unknown'")
    assert f'href="{WORDS}"' in province.get("/tinjauan").text
    page = province.get(WORDS).text
    assert hidden in page
    assert "sudah berlaku" in page
    assert province.get(address("issue", hidden)).status_code == 200
    given = {"term": hidden, "seen": seen(province, WORDS)}
    assert send(province, f"{WORDS}/issue", csrf, **given).status_code == 303
    assert mappings.mappings(desk.url) == {}
    desk.execute(
        "insert into ops.mapping_decision (vocabulary, term, code, decided_by)"
        " values ('kosakata_lama', 'kata lama', null, 'provinsi')"
    )
    assert "kata lama" not in province.get(WORDS).text  # no seed maps its vocabulary any more
    # it waits again before the next build, which puts it on the review list
    assert f"{hidden}</bdi></a>" in (page := province.get(WORDS).text)
    assert "Pilihan dibatalkan" in page
    assert "Pilihan dibatalkan" in province.get(address("issue", hidden)).text
    send(province, f"{WORDS}/issue", csrf, term=hidden, code="PU")
    assert mappings.mappings(desk.url)["issue", hidden].code == "PU"
    send(province, f"{WORDS}/issue", csrf, term=hidden, seen=seen(province, WORDS))
    desk.execute(BUILT)
    assert hidden not in province.get(WORDS).text
    assert province.get(address("issue", hidden)).status_code == 404


def links_of(page: str) -> list[str]:
    """The links to the pages that follow in a list."""
    found = re.findall(r'href="([^"]+\?after[^"]+)"', page.partition("<main")[2])
    return [html.unescape(link) for link in found]


def walk(client: TestClient, path: str, name: str) -> list[str]:
    """The pages of the list that a link's parameter turns over."""
    pages = []
    following = [path]
    while following:
        page = client.get(following[0])
        assert (page.status_code, len(page.content) < 60_000) == (200, True), following
        pages.append(page.text)
        following = [link for link in links_of(page.text) if f"?{name}=" in link]
    return pages


def test_100_decisions_are_read_page_by_page(words: tuple[Desk, str], written: Desk) -> None:
    desk, _ = words
    items = (
        "insert into marts.fct_review_item (check_code, item_id, regency_code, severity, owner,"
        " channel, detail, record_id, record_count, since_date, remediation) select %s, {id}, %s,"
        " 'review', 'x', 'wa_aduan', {detail}, 99999, 1, '2024-11-20', 'x'"
        " from generate_series(1, 100) as i"
    )
    for side in "ab":
        desk.execute(
            "insert into marts.fct_report (report_id, record_id, channel, record_kind,"
            " regency_code, received_date) select %s || md5(i::text), i, 'wa_aduan', 'IA', %s,"
            " '2024-11-20' from generate_series(1, 100) as i",
            *(side, OWN),
        )
    desk.execute(
        "insert into ops.link_decision (report_id_a, report_id_b, decision_code, decided_by)"
        " select 'a' || md5(i::text), 'b' || md5(i::text), 'different', 'sari'"
        " from generate_series(1, 100) as i"
    )
    for kind in ("baru", "diputuskan"):
        term = f"'kata {kind} yang tidak dikenal ' || i"
        desk.execute(items.format(id=term, detail=f"'issue: ' || {term}"), "word_unknown", OWN)
    desk.execute(
        "insert into ops.mapping_decision (vocabulary, term, code, decided_by)"
        " select 'issue', 'kata diputuskan yang tidak dikenal ' || i, 'ASN', 'provinsi'"
        " from generate_series(1, 100) as i"
    )
    desk.execute(
        "insert into ops.exclusion_decision (channel, source_id, record_id, decision_code,"
        " decided_by, reason) select 'wa_aduan', 's' || i, 99999, 'excluded', 'provinsi',"
        " 'kiriman uji coba dari pelatihan pengawas' from generate_series(1, 100) as i"
    )
    province = desk.client("provinsi")
    desk.execute(
        "insert into reporting.rpt_not_counted (channel, reason_code, week_id, reason,"
        " record_count) select 'kanal_' || i, 'x', '2024-W46', 'Baris uji coba', i"
        " from generate_series(1, 100) as i"
    )
    desk.execute(
        "insert into intermediate.int_places__resolved (place_id, location_method, regency_raw)"
        " select '19' || md5(i::text), 'unresolved',"
        " 'Desa Suka Makmur ' || i || ', Kecamatan Simpang'"
        " from generate_series(1, 200) as i"
    )
    desk.execute(
        "insert into intermediate.int_records__typed select '19' || md5(i::text), 'wa_aduan',"
        " '2024-11-20', '2024-11-21', null from generate_series(1, 200) as i"
    )
    desk.execute(
        "insert into ops.mapping_decision (vocabulary, term, code, decided_by)"
        " select 'place', '19' || md5(i::text), '19.05', 'provinsi'"
        " from generate_series(101, 200) as i"
    )
    province = desk.client("provinsi")
    places, excluded = "/tinjauan/tempat", "/tinjauan/dikeluarkan"
    for path, name, row, count in (
        (
            "/tinjauan",
            "after_decided",
            r'name="decision" value="undone">Batalkan <span[^>]*>(.*?)</',
            100,
        ),
        (WORDS, "after", r'term=kata\+baru[^"]*">(?:<bdi>)(.*?)</', 100),
        (WORDS, "after_decided", r'Batalkan <span class="hidden"><bdi>(.*?)</', 100),
        (places, "after", r'tempat/\w{34}"><bdi>(.*?)</bdi></a><span', 102),
        (places, "after_decided", r'tempat/\w{34}"><bdi>(.*?)</bdi></a> →', 100),
        (excluded, "after_reason", r"<bdi>(kanal_\d+)</bdi>", 100),
        (excluded, "after_decided", r'action="/tinjauan/dikeluarkan/(\d+)"', 100),
    ):
        pages = walk(province, path, name)
        assert len(pages) == 3, (path, name)
        found = [text for page in pages for text in re.findall(row, page)]
        assert len(found) == count, (path, name)
        assert len({*found}) == (1 if "dikeluarkan/" in row else count), (path, name)
