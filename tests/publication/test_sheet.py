"""The leadership sheet: case numbers for those who decide, and for nobody else."""

from __future__ import annotations

import io
import json
import re
from pathlib import Path

import psycopg
import pytest
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser

from lumbung.errors import ConfigurationError
from lumbung.publication.delivery.sheet import Sheet, leadership_sheet
from lumbung.publication.editions import freezing
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings
from lumbung.warehouse.roles import role_url
from tests.support.edition_sample import DEADLINES, WEEK

NUMBER = "005/LP/PB/Kab/09.01/XI/2024"


@pytest.fixture
def edition(url: str, settings: Settings) -> str:
    """A draft of the sample, whose cases with a running deadline have register numbers."""
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into marts.fct_report (report_id, regency_code, register_number)"
            " select distinct on (report_id) report_id, regency_code,"
            " case when regency_code = '19.01' then %s else md5(report_id) end"
            " from marts.fct_deadline on conflict do nothing",
            (NUMBER,),
        )
    return freezing.freeze(WEEK, settings=settings, database_url=url)


def opened(url: str, settings: Settings, edition: str, reader: str = "pimpinan") -> Sheet:
    return leadership_sheet(
        edition, reader=reader, settings=settings, database_url=role_url(url, "publisher")
    )


def parts(sheet: Sheet) -> dict[str, list[str]]:
    page = LexborHTMLParser(sheet.html.decode())
    return {
        section.css_first("h2").text(): [li.text() for li in section.css("li")]
        for section in page.css("section")
    }


def test_it_says_whom_to_call_and_what_is_due(url: str, settings: Settings, edition: str) -> None:
    sheet = opened(url, settings, edition)
    found = parts(sheet)
    wanted = {
        state: sum(n for (_, _, s), (n, _) in DEADLINES.items() if s == state)
        for state in ("OVERDUE", "MAYBE_OVERDUE", "DAYS_0", "DAYS_1")
    }
    assert wanted == {
        "OVERDUE": len(found["Batas waktu terlampaui menurut register"]),
        "MAYBE_OVERDUE": len(found["Batas waktu mungkin terlampaui"]),
        "DAYS_0": len(found["Berakhir hari ini"]),
        "DAYS_1": len(found["Berakhir besok"]),
    }
    assert any(NUMBER in line for line in found["Batas waktu terlampaui menurut register"])
    # where the start is known between two days only, so is the end
    maybe = found["Batas waktu mungkin terlampaui"]
    assert any(re.search(r"batas antara \d+ \w+ 2024 dan \d+ \w+ 2024$", line) for line in maybe)
    calls = {line.split(":")[0]: line for line in found["Kabupaten/kota yang perlu dihubungi"]}
    passed = ["batas waktu terlampaui" in line for line in calls.values()]
    assert passed == sorted(passed, reverse=True)  # who is late before who may be
    assert passed[0]
    assert calls["Pangkal Pinang"].endswith("pangkalpinang@babel.example.id (rekaan).")
    assert "batas waktu terlampaui menurut register: 2" in calls["Pangkal Pinang"]
    assert "belum menyampaikan: Simpang Pesak" in calls["Belitung Timur"]
    assert "Bangka Tengah" not in calls
    assert found["Pencegahan menurut tema dugaan"][0] == (
        "Pangkal Pinang, dugaan politik uang: terlaksana 4 dari 10 kegiatan yang direncanakan; "
        "kegiatan bertema itu seluruhnya 4. Saran: Laksanakan patroli pengawasan dan kegiatan "
        "yang direncanakan terhadap politik uang"
    )
    assert found["Pencegahan menurut tema dugaan"][1].startswith(
        "Bangka Tengah, dugaan netralitas ASN: belum ada rencana; kegiatan bertema itu 0. Saran: "
    )
    assert list(found)[:3] == [  # what to do, before the case numbers, which may be many
        *("Kabupaten/kota yang perlu dihubungi", "Pencegahan menurut tema dugaan"),
        "Batas waktu terlampaui menurut register",
    ]
    pdf = PdfReader(io.BytesIO(sheet.pdf))
    assert len(pdf.pages) == 1
    assert NUMBER in pdf.pages[0].extract_text()


def test_what_is_new_has_the_numbers_of_its_cases(url: str, settings: Settings) -> None:
    """Those of the week and one of the week before that came late; no case of the last edition."""
    before = freezing.freeze("2024-W46", settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute("update published.edition set state = 'published'")
        connection.execute(
            "insert into reporting.rpt_metric_contributor"
            " values ('suspected_violation', 'ALL', '19.05', '2024-W46', 'LP-late')"
        )
        connection.execute(
            "insert into published.metric_contributor (edition_id, metric_code, category_code,"
            " regency_code, week_id, contributor_id) select %s, 'deadline', category_code,"
            " regency_code, week_id, contributor_id from reporting.rpt_edition_contributor"
            " where metric_code = 'deadline' and category_code like '%%/OVERDUE'"
            " order by contributor_id, category_code limit 1",
            (before,),
        )
        cases = connection.execute(
            "select regency_code, left(contributor_id, 8) from reporting.rpt_metric_contributor"
            " where metric_code = 'suspected_violation' and (week_id = %s"
            " or contributor_id = 'LP-late')",
            (WEEK,),
        ).fetchall()
    assert len(cases) > 3
    found = parts(opened(url, settings, freezing.freeze(WEEK, settings=settings, database_url=url)))
    new = found["Yang baru dibandingkan dengan pekan lalu"]
    said = [n for line in new for n in line.partition("; nomor baru: ")[2].split(", ") if n]
    assert sorted(said) == sorted(number for _, number in cases)
    assert any(line.startswith("Bangka Barat: ") and "LP-late" in line for line in new)
    passed = found["Batas waktu terlampaui menurut register"]
    assert sum(f"; baru terlampaui sejak edisi {before}" in line for line in passed) == (
        len(passed) - 1
    )


def test_a_week_with_much_to_say_is_one_readable_page(
    url: str, settings: Settings, edition: str
) -> None:
    """The PDF leaves lines out and says how many; the page has all of them."""
    sheet = opened(url, settings, edition)
    many = [[head, [f"Nomor {n}, {head}" for n in range(90)]] for head, _ in sheet.content["parts"]]
    full = Sheet(sheet.content | {"parts": many}, sheet.timestamp)
    pdf = PdfReader(io.BytesIO(full.pdf))
    assert len(pdf.pages) == 1
    text = pdf.pages[0].extract_text()
    shown = text.count("Nomor ")
    left_out = [int(n) for n in re.findall(r"Tidak dimuat di sini: (\d+)", text)]
    assert shown + sum(left_out) == 90 * len(many)
    assert shown >= 3 * len(many)
    assert all(len(lines) == 90 for lines in parts(full).values())


def test_only_those_named_open_it_and_each_opening_is_logged(
    url: str, settings: Settings, edition: str
) -> None:
    for stranger in ("humas", "demo", ""):
        with pytest.raises(ConfigurationError, match="is not for"):
            opened(url, settings, edition, stranger)
    for reader in ("pimpinan", "koordinator"):
        opened(url, settings, edition, reader)
    with psycopg.connect(url) as connection:
        rows = connection.execute("select line from ops.audit_log order by entry_id").fetchall()
    lines = [json.loads(line) for (line,) in rows]
    assert [
        (line["person"], line["content"]) for line in lines if line["event"] == "published.sheet"
    ] == [(reader, {"edition_id": edition}) for reader in ("pimpinan", "koordinator")]
    for role in ("analyst_province", "loader"):
        with psycopg.connect(role_url(url, role)) as other, pytest.raises(psycopg.Error):
            other.execute("select published.open_sheet(%s, 'x')", (edition,))


def test_nothing_of_it_is_public_or_stored(
    url: str, settings: Settings, edition: str, tmp_path: Path, paper_as_text: None
) -> None:
    before = {path for path in settings.home.rglob("*") if path.is_file()}
    opened(url, settings, edition)
    assert {path for path in settings.home.rglob("*") if path.is_file()} == before
    files = render.render(store.load(edition, database_url=url))
    assert not [name for name, content in files.items() if NUMBER.encode() in content]
    assert not [name for name in files if "lembar" in name]
