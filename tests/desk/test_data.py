"""Trace and documentation at the desk: who sees them, and that they run nothing here."""

from __future__ import annotations

import html
import re

import psycopg
import pytest

from lumbung.publication import trace
from tests.desk.conftest import DRAFT, OWN, PUBLISHED, Desk

REFERENCE = "suspected_violation_by_issue/PU/19/to_date"


def test_an_auditor_traces_a_published_number_to_the_hash(desk: Desk) -> None:
    auditor = desk.client("pemeriksa")
    wanted = f"{REFERENCE}@{PUBLISHED}"
    expected = trace.trace(wanted, database_url=desk.url)
    page = auditor.get("/telusur", params={"angka": wanted})
    assert page.status_code == 200
    assert f"Dihitung dari {expected.value} butir." in page.text
    record = expected.contributors[0].records[0]
    assert f"<code>{record.evidence_sha256}</code>" in page.text
    assert len(page.content) < 60_000
    of_record = auditor.get("/telusur", params={"angka": f"{record.record_id}"}).text
    assert f"@{PUBLISHED}</a>" in of_record
    # the draft counts the same record
    assert f"@{DRAFT}</a>" not in of_record
    assert trace.trace(f"{REFERENCE}@{DRAFT}", database_url=desk.url).value > 0


def test_plans_are_shown_as_they_stand_today(
    stewarded: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    stewarded.execute(
        "insert into marts.fct_prevention_plan (plan_id, regency_code) values ('own', %s)", OWN
    )
    plans = tuple(trace.Contributor(plan, "", "", ()) for plan in ("own", "another"))
    planned = ("need/planned", "PU", OWN, "four_weeks", "rencana", 10, plans)
    number = trace.Trace(PUBLISHED, *planned)
    monkeypatch.setattr(trace, "trace", lambda *_, **__: number)
    wanted = {"angka": f"need/planned/{OWN}/PU@{PUBLISHED}"}
    for account, sees_another in (("pemeriksa", True), ("ana", False)):
        page = stewarded.client(account).get("/telusur", params=wanted).text
        assert "<h2>10</h2>" in page
        assert "rencana menurut isinya sekarang" in page
        assert "Dihitung dari" not in page
        assert "<bdi>own</bdi>" in page
        assert ("<bdi>another</bdi>" in page) == sees_another


def test_what_a_person_types_into_the_search_is_in_no_address(desk: Desk) -> None:
    auditor = desk.client("pemeriksa")
    form = auditor.get("/telusur").text
    assert re.search(r'<form method="post" action="[^"]*/telusur">', form)
    csrf = re.findall(r'name="csrf" value="([^"]+)"', form)[0]
    sent = {"csrf": csrf, "angka": "Zqvor Rekaan"}
    page = auditor.post("/telusur", data=sent)
    assert (page.status_code, "tidak ditemukan" in page.text) == (404, True)
    assert "Zqvor" not in f"{page.url} {page.headers}"
    found = auditor.post("/telusur", data={**sent, "angka": f"{REFERENCE}@{PUBLISHED}"})
    assert "Dihitung dari" in found.text


@pytest.mark.parametrize(
    "wanted",
    [
        f"{REFERENCE}@{DRAFT}",
        f"x/ALL/19@{PUBLISHED}",
        "x",
        "9" * 18,
        "9" * 40,
        "<script>",
        "{{7*7}}",
    ],
)
def test_what_is_not_there_is_not_found(desk: Desk, wanted: str) -> None:
    page = desk.client("pemeriksa").get("/telusur", params={"angka": wanted})
    assert page.status_code == 404
    assert "tidak ditemukan" in page.text
    assert "<script" not in page.text
    assert f'name="angka" value="{html.escape(wanted)}"' in page.text  # as typed, never executed


def test_a_changed_edition_is_no_number_that_is_not_there(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with psycopg.connect(desk.url) as owner:
        owner.execute("set session_replication_role = replica")
        owner.execute(
            "delete from published.contributor_record where ctid = (select min(ctid)"
            " from published.contributor_record where edition_id = %s)",
            (PUBLISHED,),
        )
    page = desk.client("pemeriksa").get("/telusur", params={"angka": f"{REFERENCE}@{PUBLISHED}"})
    assert page.status_code == 409
    assert "berbeda dengan isi yang dibekukan" in page.text
    assert "tidak ditemukan" not in page.text
    assert "<h2>" not in page.text
    assert "not those that were frozen" in caplog.text


def test_what_the_role_may_not_read_is_said(desk: Desk) -> None:
    desk.execute("revoke select (locator) on raw.record from auditor")
    wanted = {"angka": f"{REFERENCE}@{PUBLISHED}"}
    assert "tidak dapat dibaca dengan hak Anda" in (
        desk.client("pemeriksa").get("/telusur", params=wanted).text
    )


def test_an_analyst_sees_the_records_of_the_own_regency(stewarded: Desk) -> None:
    wanted = f"{REFERENCE}@{PUBLISHED}"
    with psycopg.connect(stewarded.url) as connection:
        rows = connection.execute(
            "select regency_code, contributor_id, min(record_id) from published.metric_contributor"
            " join published.contributor_record using (edition_id, contributor_id)"
            " where edition_id = %s and metric_code = 'suspected_violation_by_issue'"
            " and category_code = 'PU' group by 1, 2",
            (PUBLISHED,),
        ).fetchall()
    own = [row for row in rows if row[0] == OWN]
    others = [row for row in rows if row[0] != OWN]
    assert own
    assert others
    for account in ("ana", "sari"):
        analyst = stewarded.client(account)
        page = analyst.get("/telusur", params={"angka": wanted}).text
        assert f"Dihitung dari {len(rows)} butir." in page
        assert f"Yang tampil di bawah {len(own)} butir" in page
        assert all(f"<bdi>{contributor}</bdi>" in page for _, contributor, _ in own)
        assert not any(contributor in page for _, contributor, _ in others)
        assert "Letak di dalam berkas" not in page
        assert "SHA-256 berkas asal" in page
        assert analyst.get("/telusur", params={"angka": own[0][2]}).status_code == 200
        for hidden in (others[0][2], 10**9):
            answer = analyst.get("/telusur", params={"angka": hidden})
            assert (answer.status_code, "tidak ditemukan" in answer.text) == (404, True)
    province = stewarded.client("analis").get("/telusur", params={"angka": wanted}).text
    assert all(f"<bdi>{contributor}</bdi>" in province for _, contributor, _ in rows)
    assert "Yang tampil di bawah" not in province


def test_numbers_of_another_regency_are_not_found(stewarded: Desk) -> None:
    hidden = [
        "suspected_violation_by_issue/PU/19.71/to_date",
        "suspected_violation_by_context/CAMPAIGN/19.71/weeks",
        "deadline/ALL/19.71/MISSED",
        "before_campaign/ALL/19.71",
    ]
    kept = [
        REFERENCE,
        f"suspected_violation_by_issue/PU/{OWN}/to_date",
        f"before_campaign/ALL/{OWN}",
        "deadline/ALL/19/running",
    ]
    statuses = {
        account: [
            (page.status_code, "<h2>" in page.text)
            for each in (*hidden, *kept)
            for page in [client.get("/telusur", params={"angka": f"{each}@{PUBLISHED}"})]
        ]
        for account in ("ana", "sari", "analis", "pemeriksa")
        for client in [stewarded.client(account)]
    }
    found = [(200, True)] * len(kept)
    for account in ("ana", "sari"):
        assert statuses[account] == [(404, False)] * len(hidden) + found
    for account in ("analis", "pemeriksa"):
        assert statuses[account] == [(200, True)] * len(hidden) + found


@pytest.mark.parametrize(
    ("account", "shown", "sees_place", "sees_record"),
    [
        ("pemeriksa", 50, True, 200),
        ("analis", 50, False, 404),
        ("provinsi", 50, False, 404),
        ("ana", 0, False, 404),
        ("sari", 0, False, 404),
    ],
)
def test_what_is_not_counted_is_traced_by_those_who_read_the_province(
    desk: Desk, account: str, shown: int, sees_place: bool, sees_record: int
) -> None:
    client = desk.client(account)
    wanted = f"not_counted/wa_aduan/not_a_report/to_date@{PUBLISHED}"
    value = trace.trace(wanted, database_url=desk.url).value
    page = client.get("/telusur", params={"angka": wanted})
    assert page.status_code == 200
    assert f"Dihitung dari {value} butir." in page.text
    numbers = re.findall(r"<bdi>record/(\d+)</bdi>", page.text)
    assert len(numbers) == min(shown, value)
    assert ("Letak di dalam berkas" in page.text) == sees_place
    if numbers:
        assert (f"?angka={numbers[0]}" in page.text) == (sees_record == 200)
        record = client.get("/telusur", params={"angka": numbers[0]})
        assert record.status_code == sees_record
    else:
        assert "tampil bagi pemeriksa dan petugas provinsi" in page.text
    # what a channel could not deliver has no record, and its number is of quarantine
    held = f"not_counted/register_laporan/unreadable_date/to_date@{PUBLISHED}"
    page = client.get("/telusur", params={"angka": held})
    assert page.status_code == 200
    assert ("di karantina" in page.text) == bool(shown)
    assert 'telusur?angka=1"' not in page.text
    # what was read since is said
    desk.execute(
        "delete from intermediate.int_records__excluded where record_id = (select"
        " max(record_id) from intermediate.int_records__excluded where reason_code = 'not_a_report'"
        " and week_id < %s)",
        "2024-W47",
    )
    page = client.get("/telusur", params={"angka": wanted})
    assert f"Dihitung dari {value} butir." in page.text
    assert f"{value - 1} di antaranya masih tidak dihitung" in page.text


@pytest.mark.parametrize("account", ["orang", "ketua", "sekretaris", "penangan", "insinyur"])
def test_nobody_else_traces(stewarded: Desk, account: str) -> None:
    client = stewarded.client(account)
    assert "/telusur" not in client.get("/").text
    assert client.get("/telusur").status_code == 404


@pytest.fixture
def documented(desk: Desk) -> Desk:
    for name in ("dbt/index.html", "checks/raw/index.html", "checks/raw/static/a.css", "x.html"):
        file = desk.settings.docs / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("<p>dokumen</p><script>alert(1)</script>")
    (desk.settings.home / "vault.key").write_text("rahasia")
    (desk.settings.docs / "checks" / "raw" / "kunci.html").symlink_to(
        desk.settings.home / "vault.key"
    )
    return desk


@pytest.mark.parametrize(
    ("account", "dbt", "checks"),
    [
        *(("analis", 200, 200), ("provinsi", 200, 200), ("pemeriksa", 200, 200)),
        *(("ana", 200, 404), ("sari", 200, 404), ("orang", 404, 404), ("ketua", 404, 404)),
    ],
)
def test_who_reads_the_documentation(documented: Desk, account: str, dbt: int, checks: int) -> None:
    client = documented.client(account)
    page = client.get("/data")
    assert page.status_code == dbt
    assert ("/data/berkas/checks/raw/index.html" in page.text) == (checks == 200)
    assert client.get("/data/berkas/dbt/index.html").status_code == dbt
    assert client.get("/data/berkas/checks/raw/index.html").status_code == checks


def test_documentation_reaches_nothing_of_the_desk(documented: Desk) -> None:
    client = documented.client("analis")
    dbt = client.get("/data/berkas/dbt/index.html").headers["content-security-policy"]
    assert re.match(r"sandbox allow-scripts; default-src 'none'", dbt)
    assert "allow-same-origin" not in dbt
    checks = client.get("/data/berkas/checks/raw/index.html").headers["content-security-policy"]
    assert "script" not in checks
    assert (
        client.get("/data/berkas/checks/raw/static/a.css")
        .headers["content-type"]
        .startswith("text/css")
    )
    for name in (
        *("x.html", "checks", "checks/raw/kunci.html", "checks/../../vault.key", "/etc/passwd"),
        *("..%2f..%2fvault.key", "checks/raw/%00.html", "checks/" + "a" * 5000 + ".html"),
    ):
        assert client.get(f"/data/berkas/{name}").status_code in (404, 422), name
