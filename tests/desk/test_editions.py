"""A draft is read and decided on at the desk, by those who may, with the bytes that they saw."""

from __future__ import annotations

import re
import threading
from typing import Any, cast
from unittest.mock import Mock

import psycopg
import pytest
from httpx import Response
from starlette.testclient import TestClient

from lumbung.desk.guard import HEADERS
from lumbung.publication.model import store
from tests.desk.conftest import CHAIR, DRAFT, FILES, HOSTILE, MEMBER, PUBLISHED, RUN, Desk
from tests.support.edition_sample import WEEK

PAGES = ["/", "/edisi", f"/edisi/{DRAFT}", f"/edisi/{PUBLISHED}", f"/edisi/{PUBLISHED}/keputusan"]


def form(client: TestClient, path: str = f"/edisi/{DRAFT}") -> dict[str, str]:
    """The hidden fields of the first form of a page that decides, else of the first form."""
    forms = re.findall(r"<form.*?</form>", client.get(path).text, re.S)
    found = next((each for each in forms if 'name="decision"' in each), forms[0])
    return dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', found))


def decide(client: TestClient, code: str, **changes: str) -> Response:
    given = {**form(client), "code": code, **changes}
    return cast("Response", client.post(f"/edisi/{DRAFT}/keputusan", data=given))


@pytest.mark.parametrize("path", [*PAGES, f"/edisi/{DRAFT}/berkas/edisi.pdf", "/edisi?lang=en"])
def test_whoever_has_not_logged_in_is_sent_to_airflows_login_and_back(
    desk: Desk, path: str
) -> None:
    answer = desk.client().get(path)
    assert answer.status_code == 303
    back = path.replace("/", "%2F").replace("?", "%3F").replace("=", "%3D")
    assert answer.headers["location"] == f"/api/v2/auth/login?next={back}"


def test_a_form_that_is_sent_after_the_session_has_ended(desk: Desk) -> None:
    page = f"http://testserver/edisi/{DRAFT}?lang=id"
    given = {"decision": "rejected", "root": "x", "reason": "periksa"}
    path = f"/edisi/{DRAFT}/keputusan"
    for referer, back in (
        (page, f"%2Fedisi%2F{DRAFT}%3Flang%3Did"),
        ("", "%2F"),
        ("http://x//evil.example/", "%2F"),
    ):
        answer = desk.client().post(path, data=given, headers={"referer": referer})
        assert answer.status_code == 401
        assert "isian belum tercatat" in answer.text
        assert f'href="/api/v2/auth/login?next={back}"' in answer.text
    assert desk.state() == "draft"
    # after the login in another window the form that was left open is still good
    chair = desk.client("ketua")
    kept = form(chair)
    desk.client("ketua").get("/")
    assert decide(chair, desk.enrol().now(), **{"csrf": kept["csrf"]}).status_code == 303


@pytest.mark.parametrize("path", PAGES)
def test_every_page_has_the_headers_and_is_small(desk: Desk, path: str) -> None:
    answer = desk.client("ketua").get(path)
    assert answer.status_code == 200
    for name, value in HEADERS.items():
        assert answer.headers[name] == value
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert not re.search(r"<script|\son\w+=|\sstyle=|javascript:", answer.text)
    style = desk.client().get("/desk.css")
    assert len(answer.content) + len(style.content) < 60_000


def test_a_viewer_sees_what_is_published_and_nothing_else(desk: Desk) -> None:
    viewer = desk.client("orang")
    assert PUBLISHED in viewer.get("/edisi").text
    for path in ("/", "/edisi"):
        assert DRAFT not in viewer.get(path).text
    assert viewer.get(f"/edisi/{PUBLISHED}").status_code == 200
    assert viewer.get(f"/edisi/{PUBLISHED}/berkas/edisi.pdf").content == FILES["edisi.pdf"]
    for path in ("", "/keputusan", "/berkas/edisi.pdf", "/berkas/data/angka.csv"):
        assert viewer.get(f"/edisi/{DRAFT}{path}").status_code == 404


@pytest.mark.parametrize(("account", "status"), [("orang", 404), ("sekretaris", 403)])
@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_only_an_approver_decides(desk: Desk, account: str, status: int, decision: str) -> None:
    phone = desk.enrol()
    given = form(desk.client("ketua"))
    client = desk.client(account)
    page = client.get("/")
    assert "<form" not in page.text
    # a token of their own session, made as a page with a form would make it
    client.cookies.update(page.cookies)
    from lumbung.desk.guard import SESSION, Tokens

    token = Tokens("s" * 32)._serializer.dumps([page.cookies[SESSION], account])
    given |= {"csrf": token, "code": phone.now(), "decision": decision, "reason": "x"}
    assert client.post(f"/edisi/{DRAFT}/keputusan", data=given).status_code == status
    assert client.post(f"/edisi/{DRAFT}/lanjutkan", data=given).status_code == status
    assert desk.state() == "draft"
    assert desk.airflow.answers == []


def test_the_secretary_reads_the_draft(desk: Desk) -> None:
    page = desk.client("sekretaris").get(f"/edisi/{DRAFT}").text
    assert "hanya dapat diputuskan oleh pimpinan" in page
    assert 'name="decision"' not in page


def test_a_form_counts_only_from_a_page_of_ones_own_session(desk: Desk) -> None:
    phone = desk.enrol()
    chair, other = desk.client("ketua"), desk.client("anggota")
    for token in ("", "x", form(other)["csrf"], form(desk.client("ketua"))["csrf"]):
        assert decide(chair, phone.now(), csrf=token).status_code == 403
    given = form(chair) | {"code": phone.now()}
    without_cookie = desk.client("ketua").post(f"/edisi/{DRAFT}/keputusan", data=given)
    assert without_cookie.status_code == 403
    assert "Tidak ada yang berubah" in without_cookie.text
    assert desk.state() == "draft"


def test_the_chair_approves_and_airflow_goes_on(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    assert "Menunggu keputusan" in chair.get("/edisi").text
    answer = decide(chair, phone.now())
    assert (answer.status_code, answer.headers["location"]) == (303, f"/edisi/{DRAFT}/keputusan")
    decision = store.load(DRAFT, database_url=desk.url).decision
    assert decision is not None
    assert (decision.decision, decision.how, decision.decided_by) == ("approved", "person", CHAIR)
    assert dict(decision.reviewed).keys() == FILES.keys()
    given = {"code": None, "comment": None}
    assert desk.airflow.answers == [
        {"run": RUN, "chosen_options": ["Approve"], "params_input": given}
    ]
    page = chair.get(answer.headers["location"]).text
    assert f"Edisi {DRAFT} disetujui." in page
    assert CHAIR in page
    assert re.search(r"<code>[0-9a-f]{64}</code>", page)
    # the same again, as by the browser's button "back"
    assert "Keputusan" not in chair.get(f"/edisi/{DRAFT}").text.split("<h2")[-1]
    again = chair.post(f"/edisi/{DRAFT}/keputusan", data={"decision": "rejected", "root": "x"})
    assert again.status_code == 403


def test_a_warning_of_a_check_is_in_words(desk: Desk) -> None:
    desk.execute(
        "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
        " checked_count, failing_count, failing, remediation, owner, edition_id) select run_id,"
        " 'publication', 'x', 'most_districts_submitted', 'warn', false, 1, 1, '[]', 'x',"
        " 'head of supervision', edition_id from published.checkpoint_pass where edition_id = %s",
        DRAFT,
    )
    page = desk.client("ketua").get(f"/edisi/{DRAFT}").text
    assert "Perlu perhatian: <bdi>Kurang dari empat perlima kecamatan" in page
    assert "kepala bagian pengawasan" in page
    assert "most_districts_submitted" not in page


def test_the_chair_rejects_with_a_reason(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    missing = decide(chair, phone.now(), decision="rejected", reason="  ")
    assert missing.status_code == 422
    assert "Tuliskan alasan penolakan" in missing.text
    assert desk.state() == "draft"
    decide(chair, phone.now(), decision="rejected", reason=HOSTILE[:4000])
    assert desk.state() == "rejected"
    assert desk.airflow.answers[0]["chosen_options"] == ["Reject"]
    page = chair.get(f"/edisi/{DRAFT}/keputusan").text
    assert "<script" not in page
    assert "<img" not in page
    assert "<bdi>&lt;script&gt;alert(1)" in page
    assert "{{ 7 * 7 }}" in page


@pytest.mark.parametrize(
    ("code", "reason", "problem"),
    [
        ("000000", "periksa Belitung", "Kode tidak diterima"),
        ("", "hubungi 0812-3456-7890", "Alasan memuat nomor telepon"),
    ],
)
def test_a_reason_is_not_lost_when_it_is_refused(
    desk: Desk, code: str, reason: str, problem: str
) -> None:
    desk.enrol()
    page = decide(desk.client("ketua"), code, decision="rejected", reason=reason)
    assert page.status_code == 422
    assert problem in page.text
    (sent,) = re.findall(r"<details open>.*?</details>", page.text, re.S)
    assert f">{reason}</textarea>" in sent
    assert desk.state() == "draft"


def test_ends_of_lines_count_once_in_a_reason(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    lines = 200 * ("a" * 19 + "\r\n")
    refused = decide(chair, phone.now(), decision="rejected", reason=lines + "ab")
    assert (refused.status_code, "tidak dapat dibaca" in refused.text) == (422, True)
    given = {
        "check": "x",
        "until": "besok",
        "reason": lines[: 50 * 21],
        "csrf": form(chair)["csrf"],
    }
    waived = chair.post(f"/edisi/{DRAFT}/pengecualian", data=given)
    assert "Pilih hari terakhir" in waived.text
    assert decide(chair, phone.now(), decision="rejected", reason=lines).status_code == 303
    comments = {
        each.edition_id: each.comment for each in store.listed(office="", database_url=desk.url)
    }
    assert comments[DRAFT] == lines.replace("\r", "").strip()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        (f"/edisi/{DRAFT}/keputusan", {"decision": "rejected", "root": "x"}),
        (f"/edisi/{DRAFT}/pengecualian", {"check": "x"}),
        ("/karantina/1/isi", {}),
    ],
)
def test_a_file_is_no_reason(desk: Desk, path: str, fields: dict[str, str]) -> None:
    chair = desk.client("ketua")
    given = {**fields, "csrf": form(chair)["csrf"]}
    file = {"reason": ("alasan.txt", b"x")}
    answer = chair.post(path, data=given, files=file)
    assert answer.status_code == 422
    assert desk.state() == "draft"


@pytest.mark.parametrize("code", ["", "000000", "abcdef", "' or 1=1"])
def test_a_wrong_code_is_asked_for_again(desk: Desk, code: str) -> None:
    desk.enrol()
    answer = decide(desk.client("ketua"), code)
    assert answer.status_code == 422
    assert "Kode tidak diterima" in answer.text
    assert desk.state() == "draft"
    assert desk.airflow.answers == []


def test_after_five_wrong_codes_the_person_waits(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    for _ in range(5):
        decide(chair, "000000")
    assert "Tunggu 15 menit" in decide(chair, phone.now()).text
    assert desk.state() == "draft"


def test_what_counts_are_the_files_that_were_shown(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    given = form(chair) | {"code": phone.now()}
    with psycopg.connect(desk.url) as owner:
        owner.execute("delete from ops.draft_file where name = 'edisi.pdf'")
        owner.execute(
            "insert into ops.draft_file (edition_id, name, content) values (%s, %s, %s)",
            (DRAFT, "edisi.pdf", b"%PDF another"),
        )
    answer = chair.post(f"/edisi/{DRAFT}/keputusan", data=given)
    assert answer.status_code == 422
    assert "berubah sejak halaman ini Anda buka" in answer.text
    # these files are not what the draft renders to
    assert "tidak dapat diputuskan" in decide(chair, phone.now()).text
    assert desk.state() == "draft"


def test_two_who_decide_at_once(desk: Desk) -> None:
    clients = {"ketua": desk.client("ketua"), "anggota": desk.client("anggota")}
    forms = {
        name: form(client) | {"code": desk.enrol(name).now(), "reason": "ragu"}
        for name, client in clients.items()
    }
    forms["anggota"]["decision"] = "rejected"
    answers: dict[str, Any] = {}

    def send(name: str) -> None:
        answers[name] = clients[name].post(f"/edisi/{DRAFT}/keputusan", data=forms[name])

    threads = [threading.Thread(target=send, args=(name,)) for name in clients]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answer.status_code for answer in answers.values()] == [303, 303]
    decision = store.load(DRAFT, database_url=desk.url).decision
    assert decision is not None
    assert (decision.decision, decision.decided_by) in (("approved", CHAIR), ("rejected", MEMBER))
    assert len(desk.airflow.answers) == 1
    for name, client in clients.items():
        page = client.get(answers[name].headers["location"]).text
        assert decision.decided_by in page
        is_other = forms[name]["decision"] != decision.decision
        assert ("Keputusan Anda tidak tercatat" in page) == is_other
        assert ("<h1>Keputusan tercatat</h1>" in page) != is_other


def test_who_comes_second_is_shown_who_decided_what_and_when(desk: Desk) -> None:
    chair, member = desk.client("ketua"), desk.client("anggota")
    given = form(member) | {"code": desk.enrol("anggota").now()}
    code = desk.enrol().now()
    decide(chair, code, decision="rejected", reason="periksa Belitung")
    page = member.get(member.post(f"/edisi/{DRAFT}/keputusan", data=given).headers["location"]).text
    assert "<h1>Keputusan Anda tidak tercatat</h1>" in page
    assert f"Edisi {DRAFT} ditolak." in page
    assert CHAIR in page
    assert "periksa Belitung" in page
    assert "WIB" in page.partition("Waktu")[2]
    # the chair's own form, sent twice, says what was recorded
    again = form(chair, "/lembar") | {"decision": "rejected", "root": "x", "reason": "lagi"}
    answer = chair.post(f"/edisi/{DRAFT}/keputusan", data=again)
    assert answer.headers["location"] == f"/edisi/{DRAFT}/keputusan"


def test_a_decision_that_airflow_missed_is_passed_on(desk: Desk) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    desk.airflow.fails = True
    decide(chair, phone.now())
    assert desk.state() == "approved"
    page = chair.get(f"/edisi/{DRAFT}/keputusan").text
    assert "Airflow tidak menjawab" in page
    assert "Teruskan</button>" in page
    assert "beberapa menit" not in page
    desk.airflow.fails = False
    page = chair.get(f"/edisi/{DRAFT}/keputusan").text
    assert "Airflow belum meneruskannya" in page
    assert "<form" not in desk.client("sekretaris").get(f"/edisi/{DRAFT}/keputusan").text
    token = form(chair, f"/edisi/{DRAFT}/keputusan")
    assert chair.post(f"/edisi/{DRAFT}/lanjutkan", data=token).status_code == 303
    assert desk.airflow.answers[0]["chosen_options"] == ["Approve"]
    assert "belum meneruskannya" not in chair.get(f"/edisi/{DRAFT}/keputusan").text


@pytest.mark.parametrize("decision", ["approved", "rejected"])
def test_a_decision_that_no_run_waits_for_says_so(desk: Desk, decision: str) -> None:
    phone, chair = desk.enrol(), desk.client("ketua")
    desk.airflow.waits = False  # the question has ended, or the draft is from the command line
    answer = decide(chair, phone.now(), decision=decision, reason="periksa Belitung")
    path = f"/edisi/{DRAFT}/lanjutkan"
    page = chair.get(answer.headers["location"]).text
    assert "Tidak ada proses di Airflow yang menunggu keputusan ini" in page
    assert "beberapa menit" not in page
    assert "Pengelola data menerima alasan Anda" not in page
    assert (f'action="{path}"' in page) == (decision == "approved")
    given = form(chair, "/lembar")
    address = chair.post(path, data=given).headers["location"]
    started = [("publication", {"week_id": WEEK})] * (decision == "approved")
    assert desk.airflow.started == started
    if started:
        page = chair.get(address).text
        assert "Penerbitan telah diminta" in page
        assert "Teruskan</button>" not in page


def test_a_draft_that_has_not_passed_its_checks_can_only_be_rejected(desk: Desk) -> None:
    desk.execute("alter table published.checkpoint_pass disable trigger all")
    desk.execute("delete from published.checkpoint_pass where edition_id = %s", DRAFT)
    page = desk.client("ketua").get(f"/edisi/{DRAFT}").text
    assert 'value="approved"' not in page
    assert 'value="rejected"' in page
    assert "belum lulus pemeriksaan" in page


def test_in_a_demos_home_no_code_is_asked_for(desk: Desk) -> None:
    desk.settings.demo_claim.touch()
    demo = desk.client("demo")
    assert 'name="code"' not in demo.get(f"/edisi/{DRAFT}").text
    decide(demo, "")
    decision = store.load(DRAFT, database_url=desk.url).decision
    assert decision is not None
    assert (decision.how, decision.decided_by) == ("demo", "demo")


@pytest.mark.parametrize(
    "name",
    ["", "%2e%2e/%2e%2e/people.yaml", "/etc/passwd", "data", "..%2f..%2fvault.key", "edisi.PDF"],
)
def test_no_other_file_is_served(desk: Desk, name: str) -> None:
    assert desk.client("ketua").get(f"/edisi/{DRAFT}/berkas/{name}").status_code == 404


@pytest.mark.parametrize("edition", ["2024-W47-r2", "2024-W99-r1", "x", "%00", "a" * 3000, "' or"])
def test_no_other_edition_is_served(desk: Desk, edition: str) -> None:
    assert desk.client("ketua").get(f"/edisi/{edition}").status_code in (404, 422)


def test_files_are_shown_without_scripts_or_saved(desk: Desk) -> None:
    chair = desk.client("ketua")
    page = chair.get(f"/edisi/{DRAFT}/berkas/edisi.html")
    policy = page.headers["content-security-policy"]
    assert policy.startswith("sandbox; default-src 'none'; style-src 'sha256-")
    assert "unsafe" not in policy
    assert "script" not in policy
    saved = chair.get(f"/edisi/{DRAFT}/berkas/data/angka.csv")
    assert saved.headers["content-disposition"] == (
        f'attachment; filename="{DRAFT}-data-angka.csv"'
    )
    shown = chair.get(f"/edisi/{DRAFT}/berkas/edisi.pdf")
    assert shown.headers["content-type"] == "application/pdf"
    assert "content-disposition" not in shown.headers
    assert shown.headers["cache-control"] == "no-store"


def test_texts_from_outside_are_inert(desk: Desk) -> None:
    desk.execute(
        "insert into ops.check_result (run_id, suite, batch, check_name, severity, is_passed,"
        " checked_count, failing_count, failing, remediation, owner) select run_id, 'publication',"
        " 'x', %s, 'warn', false, 1, 1, '[]', %s, %s from published.checkpoint_pass"
        " where edition_id = %s",
        *(HOSTILE, HOSTILE, HOSTILE, DRAFT),
    )
    page = desk.client("ketua").get(f"/edisi/{DRAFT}").text
    assert page.count("<bdi>&lt;script&gt;alert(1)&lt;/script&gt;&lt;img") == 3
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("{{ 7 * 7 }}") == 3


def test_a_long_form_is_refused_before_it_is_read(desk: Desk) -> None:
    for client in (desk.client(), desk.client("ketua")):
        answer = client.post(f"/edisi/{DRAFT}/keputusan", content=b"a" * 70_000)
        assert answer.status_code == 413
        chunked = client.post(f"/edisi/{DRAFT}/keputusan", content=iter([b"a" * 10]))
        assert chunked.status_code == 413
        assert chunked.headers["x-content-type-options"] == "nosniff"
    fields = "&".join(f"f{number}=1" for number in range(5_000))
    many = desk.client("ketua").post(
        f"/edisi/{DRAFT}/keputusan",
        content=fields,
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    assert many.status_code in (400, 404, 422)


def test_english_on_request_is_kept(desk: Desk) -> None:
    client = desk.client("ketua")
    assert '<html lang="id">' in client.get("/").text
    assert "Waiting for a decision" in client.get("/?lang=en").text
    assert "Editions" in client.get("/edisi").text
    assert '<html lang="id">' in client.get("/?lang=id").text
    assert '<html lang="id">' in client.get("/?lang=xx").text


def test_the_database_does_not_answer(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", "postgresql://nobody:secret@127.0.0.1:1/none")
    answer = desk.client("ketua").get("/")
    assert answer.status_code == 503
    assert "127.0.0.1" not in answer.text
    assert "secret" not in answer.text


def test_an_error_that_nobody_expected_has_a_page(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "listed", Mock(side_effect=KeyError("Pak Budi")))
    answer = desk.client("orang", raise_server_exceptions=False).get("/edisi")
    assert answer.status_code == 500
    assert "Layanan sedang tidak dapat menjawab" in answer.text
    assert "Budi" not in answer.text
    assert answer.headers["content-security-policy"] == HEADERS["content-security-policy"]


def test_the_week_of_a_draft_is_named(desk: Desk) -> None:
    page = desk.client("ketua").get(f"/edisi/{DRAFT}").text
    assert f"{WEEK}-r1" in page
    assert "Pekan 18–24 November 2024" in page
    assert "WIB" in page
    assert "Selisih" in page


def test_the_character_nul_is_refused(desk: Desk) -> None:
    chair, phone = desk.client("ketua"), desk.enrol()
    assert chair.get(f"/edisi/{DRAFT}/berkas/%00").status_code == 422
    assert decide(chair, phone.now(), decision="rejected", reason="a\0b").status_code == 422
    assert desk.state() == "draft"
