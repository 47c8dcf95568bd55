"""What an edition says is true as a reader understands it: the same digits, no false calm."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import re
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook
from selectolax.lexbor import LexborHTMLParser

from lumbung import registry
from lumbung.publication.chapters.builder import ChapterBuilder
from lumbung.publication.chapters.front import points
from lumbung.publication.chapters.record import restatements
from lumbung.publication.chapters.violations import rates
from lumbung.publication.delivery import notify
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import opendata, render, xlsx
from lumbung.publication.model import store
from lumbung.publication.model.edition import Edition, HeldChannel, Profile
from lumbung.publication.model.rounding import half_up, whole_percent
from lumbung.publication.portal import pages, publish
from lumbung.publication.portal.published import Published
from lumbung.publication.translations.formatting import BY_LANGUAGE
from lumbung.registry import LANGUAGES
from lumbung.settings import Settings
from tests.publication.conftest import Metrics
from tests.support.edition_sample import WEEK, pass_checkpoint, seed

# -- one rounding ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "places", "rounded"),
    [
        (Decimal("2.5536"), 2, "2.55"),
        (Decimal("2.55"), 1, "2.6"),  # the float 2.55 is a little less
        (Decimal("45.45"), 1, "45.5"),
        (Decimal("0.25"), 1, "0.3"),
        (Decimal("-0.25"), 1, "-0.3"),
        (Decimal("-0.04"), 1, "0.0"),
        (Fraction(57, 200), 2, "0.29"),  # the float 0.285 is a little less
        (Fraction(500, 11), 0, "45"),
        (Fraction(1, 3), 4, "0.3333"),
        (1_084_999, 0, "1084999"),
    ],
)
def test_half_up_by_hand(value: Decimal | Fraction | int, places: int, rounded: str) -> None:
    assert f"{half_up(value, places):f}" == rounded


@given(st.decimals(-(10**6), 10**6, places=6), st.integers(0, 4))
def test_half_up_is_that_of_the_decimal_standard(value: Decimal, places: int) -> None:
    assert half_up(value, places) == value.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


@given(st.integers(0, 3000), st.integers(1, 3000))
def test_whole_percent_is_exact_only_where_the_share_is(part: int, whole: int) -> None:
    part = min(part, whole)
    found = whole_percent(Fraction(100 * part, whole))
    assert (found == 0) == (part == 0)
    assert (found == 100) == (part == whole)
    assert abs(int(found) * whole - 100 * part) < whole


NASTY = [
    *("2.5536", "2.5", "2.55", "2.545", "2.555", "0.005", "1.005", "0.995", "9.995", "0"),
    *("45.45", "45.454545454545", "45.5", "0.05", "0.4", "99.95", "99.5", "1.15", "100"),
]


@pytest.fixture(scope="module")
def nasty(drafts: dict[str, Edition]) -> Edition:
    """An edition whose profile holds numbers that two roundings, or two rules, print apart."""

    def spoil(number: int, p: Profile) -> Profile:
        values = [Fraction(NASTY[(number + 7 * n) % len(NASTY)]) for n in range(3)]
        share, province, quotient = values
        return dataclasses.replace(
            p, cases=p.cases or 1, share=share, province_share=province, quotient=quotient
        )

    draft = drafts["draft"]
    profiles = tuple(spoil(number, p) for number, p in enumerate(draft.profiles))
    return dataclasses.replace(draft, profiles=profiles)


def test_every_artefact_prints_the_same_digits(nasty: Edition, paper_as_text: None) -> None:
    """Page, paper, workbook and open data, in both languages, against a rounding by hand."""
    files = render.render(nasty)

    def printed(value: Fraction | None, places: int) -> str:
        assert value is not None
        exact = Decimal(value.numerator) / value.denominator
        return str(exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP))

    def whole(percent: Fraction | None) -> str:
        assert percent is not None
        if 0 < percent < 100:  # never none, never all, where it is not
            return str(min(max(int(printed(percent, 0)), 1), 99))
        return printed(percent, 0)

    wanted = {
        (p.regency_code, p.issue_code): (
            *(whole(share) for share in (p.share, p.province_share)),
            printed(p.quotient, 2),
        )
        for p in nasty.profiles
    }
    assert {"46", "45", "99", "100", "0"} <= {values[0] for values in wanted.values()}
    assert {"2.55", "2.56", "2.50", "1.01"} <= {values[2] for values in wanted.values()}
    names = ("bagian_persen", "bagian_provinsi_persen", "kali_provinsi")
    rows = list(csv.DictReader(io.StringIO(files["data/profil.csv"].decode(), newline="")))
    assert wanted == {
        (row["kode_kemendagri"].removeprefix("kemendagri:"), row["kode_tema"]): tuple(
            _same(row[name], 0 if "persen" in name else 2) for name in names
        )
        for row in rows
    }
    for row in json.loads(files["data.json"])["profil"]:
        key = row["kode_kemendagri"].removeprefix("kemendagri:"), row["kode_tema"]
        assert tuple(row[name] for name in names) == tuple(map(float, wanted[key]))
    for page, point in (("edisi.html", ","), ("en/edition.html", ".")):
        shown = 0
        html = LexborHTMLParser(files[page].decode())
        for cell in html.css("td[data-figure^='profile/quotient/']"):
            *_, regency, issue = (cell.attributes["data-figure"] or "").split("/")
            assert cell.parent
            line = cell.parent.css("th, td")
            texts = [c.text() for c in line]
            at = [c.attributes.get("data-figure") for c in line].index(
                cell.attributes["data-figure"]
            )
            percent = [text.removesuffix("%").strip() for text in texts[at - 2 : at]]
            assert [*percent, texts[at]] == [
                text.replace(".", point) for text in wanted[regency, issue]
            ]
            shown += 1
        assert shown >= 100, page
    assert files["edisi.pdf"].startswith(b"%PDF")
    book = CalamineWorkbook.from_filelike(io.BytesIO(files["edisi.xlsx"]))
    sheet = book.get_sheet_by_name("Tema").to_python()
    document = render.document(nasty)
    tables = [t for section in document.sections for t in section.tables if t.sheet == "themes"]
    cells = [row for table in tables for row in table.rows]
    assert len(cells) > 80
    for (theme, *printed_cells), values in zip(cells, sheet[3:], strict=False):
        _, issue_cell, *numbers = values
        assert issue_cell == theme.text
        for shown_cell, number in zip(printed_cells, numbers, strict=False):
            if shown_cell.metric.startswith("percent"):
                assert Decimal(str(number)) * 100 == Decimal(_plain(shown_cell.text))
            elif shown_cell.metric.startswith("profile/quotient"):
                assert Decimal(str(number)) == Decimal(_plain(shown_cell.text))


def _same(text: str, places: int) -> str:
    """An open number with the zeros that a page prints behind it; other digits stay."""
    whole, _, rest = text.partition(".")
    return f"{whole}.{rest.ljust(places, '0')}" if places else text


def _plain(text: str) -> str:
    return text.removesuffix("%").strip().replace(".", "").replace(",", ".")


def test_no_caption_ranks_regencies_by_few_cases(drafts: dict[str, Edition]) -> None:
    """Below 20 cases a row says "do not rank by it", and the caption above it ranked by it."""
    edition = drafts["draft"]

    def captions(cases: dict[str, int]) -> list[str]:
        metrics = {
            key: dataclasses.replace(f, to_date=cases.get(key[2], 0))
            if key[:2] == ("suspected_violation", "ALL")
            else f
            for key, f in edition.metrics.items()
        }
        changed = dataclasses.replace(edition, metrics=metrics)
        return [
            rates(ChapterBuilder(dataclasses.replace(changed, language=code))).caption
            for code in LANGUAGES
        ]

    few = captions({"19.06": 19, "19.71": 400})
    assert few == [
        "Dugaan pelanggaran kumulatif per 100.000 pemilih dan per 100 TPS",
        "Alleged violations to date per 100,000 voters and per 100 polling stations",
    ]
    many = captions({"19.06": 20, "19.71": 400})
    assert "Pangkal Pinang" in many[0]
    assert "Belitung Timur" in many[1]


def test_many_themes_in_a_tie_are_one_sentence(drafts: dict[str, Edition]) -> None:
    edition = drafts["draft"]
    metrics = {
        key: dataclasses.replace(f, week=1, to_date=1)
        if key[0] == "suspected_violation_by_issue"
        else f
        for key, f in edition.metrics.items()
    }
    tied = dataclasses.replace(edition, metrics=metrics)
    number = len(edition.issues)
    leads = [lead for lead, _ in points(ChapterBuilder(tied))]
    assert f"Tema dugaan pelanggaran terbanyak pekan ini: {number} tema (masing-masing 1)." in leads
    assert not [lead for lead in leads if "bertema" in lead]


# -- deadlines that may have passed ------------------------------------------------------------

ALL_MAYBE = """
    update marts.fct_deadline
    set start_from_date = '2024-11-18', start_to_date = '2024-11-22',
        extended_due_date = '2024-11-23', latest_due_date = '2024-11-27',
        end_from_date = null, end_to_date = null
    where regency_code <> '19.02'"""
"""Each deadline began between the 18th and the 22nd, lasts five days and may have passed on 25
November; but of 19.02 one may have passed, two may be open, and one has ended, perhaps late."""


@pytest.fixture
def calm(url: str, settings: Settings) -> str:
    """An edition none of whose deadlines has surely passed, while all of them may have."""
    with psycopg.connect(url) as connection:
        connection.execute(ALL_MAYBE)
        row = connection.execute(
            "select count(*) from marts.fct_deadline where regency_code <> '19.02'"
        ).fetchone()
        assert row == (26,)
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    pass_checkpoint(url, edition_id)
    return edition_id


def test_the_summary_counts_what_may_have_passed(
    calm: str, url: str, settings: Settings, paper_as_text: None
) -> None:
    said = {
        "id": "Batas waktu penanganan menurut register: 27 mungkin terlampaui, "
        "dari 29 batas waktu yang berjalan atau mungkin "
        "berjalan. Sebanyak 1 di antaranya berasal dari kasus yang diterima sebelum masa kampanye "
        "dan tidak dihitung dalam angka lain. Sebanyak 2 batas waktu mungkin masih berjalan dan "
        "belum terlampaui. Sebanyak 1 batas waktu lain telah "
        "berakhir, tetapi belum pasti terpenuhi.",
        "en": "Handling deadlines according to the register: 27 may have passed, "
        "of 29 open or perhaps open. Of these, 1 belongs to cases received before the "
        "campaign, which no other figure counts. Deadlines that may be open and have not passed: "
        "2. Further deadlines that have ended, and it is not certain whether in time: 1.",
    }
    asked = notify.question(calm, settings=settings, database_url=url)
    assert said["id"] in asked.replace("**", "")
    review.approve(calm, by="Ketua Contoh", database_url=url)
    publishing.publish(calm, settings=settings, database_url=url)
    publish.build(settings=settings, database_url=url)
    found = store.load(calm, database_url=url)
    for language, sentence in said.items():
        spoken = dataclasses.replace(found, language=language)
        names = render.NAMES[language]
        folder = settings.editions / calm
        for file in (f"{names[0]}.html", f"{names[0]}.pdf", names[1]):
            assert sentence in _words((folder / file).read_bytes()), file
        letter = render.letter(spoken)[1]
        assert sentence in _words(letter.encode())
        links = {node.attributes["href"] for node in LexborHTMLParser(letter).css("a")}
        portal = found.office.portal_url
        assert links == {portal, f"{portal}edisi/{calm}/", found.office.contact_url}
    pages = [_words(file.read_bytes()) for file in settings.portal.rglob("*.html")]
    assert sum(said["id"] in page for page in pages) >= 1
    assert sum(said["en"] in page for page in pages) >= 1


def _points(found: Edition) -> list[tuple[str, str]]:
    """The main points of an edition and the others of its annex."""
    document = render.document(found)
    return [*document.points, *document.others]


def _deadline_point(found: Edition) -> tuple[str, str]:
    return next(p for p in _points(found) if "batas waktu" in p[0].lower())


def _counted(found: Edition, *kept: str) -> Edition:
    """The edition without the deadlines in other states than these."""
    deadlines = tuple(
        d if d.state_code in kept else dataclasses.replace(d, count=0, before_campaign=0)
        for d in found.deadlines
    )
    return dataclasses.replace(found, deadlines=deadlines)


def test_no_deadline_is_called_open_only_where_none_may_be(drafts: dict[str, Edition]) -> None:
    """Of the sample's deadlines three are perhaps open and one has ended, perhaps late."""
    found = drafts["draft"]
    assert _deadline_point(_counted(found, "MAYBE_OPEN", "MAYBE_MISSED")) == (
        "Batas waktu penanganan menurut register: tidak ada yang terlampaui atau berakhir pada 25 "
        "atau 26 November 2024,",
        "dari 3 batas waktu yang berjalan atau "
        "mungkin berjalan. Sebanyak 3 batas waktu mungkin masih berjalan dan belum terlampaui. "
        "Sebanyak 1 batas waktu lain telah berakhir, tetapi belum pasti terpenuhi.",
    )
    assert _deadline_point(_counted(found, "MET", "MISSED", "MAYBE_MISSED")) == (
        "Tidak ada batas waktu penanganan yang berjalan.",
        "Sebanyak 1 batas waktu lain telah berakhir, tetapi belum pasti terpenuhi.",
    )


def test_an_earlier_edition_says_what_its_uncertain_deadlines_may_be(
    drafts: dict[str, Edition],
) -> None:
    """Its state `UNCERTAIN`: perhaps not begun, perhaps open, or ended, perhaps late."""
    found = drafts["draft"]
    before = tuple(
        dataclasses.replace(d, state_code="UNCERTAIN") if d.state_code == "MAYBE_MISSED" else d
        for d in found.deadlines
        if d.state_code != "MAYBE_OPEN"
    )
    found = dataclasses.replace(found, deadlines=before)
    assert _deadline_point(_counted(found, "UNCERTAIN")) == (
        "Batas waktu penanganan menurut register: tidak ada yang terlampaui atau berakhir pada 25 "
        "atau 26 November 2024,",
        "dari 0 batas waktu yang berjalan atau "
        "mungkin berjalan. Status 1 batas waktu lain tidak dapat dipastikan.",
    )
    (table,) = next(s for s in render.document(found).sections if s.id == "tenggat").tables
    states = [cell.metric.split("/")[-1] for cell in table.total[1:]]
    assert "UNCERTAIN" in states
    assert not {"MAYBE_OPEN", "MAYBE_MISSED"} & set(states)
    assert sum(width for _, width in table.groups) == len(table.columns) == len(table.total)
    assert {row for row in _deadline_rows(found) if row[0] == "UNCERTAIN"} == {
        ("UNCERTAIN", "Tidak pasti sudah mulai, berakhir, atau tepat waktu")
    }


def test_the_open_data_call_a_deadline_ended_only_where_it_has(drafts: dict[str, Edition]) -> None:
    labels = dict(_deadline_rows(drafts["draft"]))
    assert {code: label for code, label in labels.items() if "Berakhir" in label} == {
        "MET": "Berakhir tepat waktu",
        "MISSED": "Berakhir terlambat",
        "MAYBE_MISSED": "Berakhir, tidak pasti tepat waktu",
    }
    assert labels["MAYBE_OPEN"] == "Mungkin berjalan, belum terlampaui"
    assert labels["MAYBE_OVERDUE"] == "Berjalan atau mungkin berjalan, mungkin terlampaui"
    assert "UNCERTAIN" not in labels


def _deadline_rows(found: Edition) -> list[tuple[str, str]]:
    (table,) = (t for t in opendata.datasets(found) if t.name == "tenggat")
    at = table.columns.index("kode_keadaan")
    assert table.columns[at + 1] == "keadaan"
    return [(str(row[at]), str(row[at + 1])) for row in table.rows]


def _words(content: bytes) -> str:
    text = content.decode()
    if text.lstrip().startswith("<") or "<html" in text[:400]:
        text = re.sub(r"<style.*?</style>|<script.*?</script>|<[^>]+>", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", text)


# -- since the campaign began ------------------------------------------------------------------


def test_an_edition_counts_from_the_campaign_s_first_day(url: str, settings: Settings) -> None:
    """The campaign began on Wednesday, 25 September 2024, in week 39."""
    edition_id = freezing.freeze("2024-W39", settings=settings, database_url=url)
    found = store.load(edition_id, database_url=url)
    assert found.campaign_start == date(2024, 9, 25)
    method = next(s for s in render.document(found).sections if s.id == "metode").paragraphs[0]
    assert "Kumulatif berarti sejak Rabu, 25 September 2024;" in method
    tables = {table.name: table for table in opendata.datasets(found)}
    columns = [tables["angka"].columns.index(name) for name in ("mulai", "selesai")]
    for name, days in {
        "angka": ("2024-09-25", "2024-09-29"),
        "pekan-lalu": ("2024-09-16", "2024-09-22"),
        "kumulatif": ("2024-09-25", "2024-09-29"),
    }.items():
        assert {tuple(row[at] for at in columns) for row in tables[name].rows} == {days}


def test_districts_without_a_number_are_a_sentence(drafts: dict[str, Edition]) -> None:
    """235 cells held "*" and 0; a table that hides all that is not 0 has nothing to read."""
    document = render.document(drafts["draft"])
    assert not any(t.sheet == "districts" for s in document.sections for t in s.tables)
    (page,) = (s for s in document.sections if s.id == "kab-19-71")
    assert page.paragraphs == [
        "Jumlah kasus menurut kecamatan dan kelompok tema pada 21 Oktober–17 November 2024 tidak "
        "disajikan untuk melindungi orang: yang di atas 0 lebih kecil dari 3, atau dapat membuka "
        "jumlah yang demikian."
    ]


def test_the_campaign_s_last_week_says_so(drafts: dict[str, Edition]) -> None:
    """It ended on a Saturday, so the week has a day without campaign events."""
    said = (
        "Masa kampanye berakhir pada Sabtu, 23 November 2024; pekan 47 tetap dihitung sampai "
        "Minggu, tetapi setelah hari itu tidak ada kegiatan kampanye."
    )
    assert said in render.document(drafts["draft"]).points[0][1]
    older = dataclasses.replace(drafts["draft"], campaign_end=None)
    assert said not in render.document(older).points[0][1]
    assert said not in str(render.document(_of_week(drafts, "2024-W46")))


def test_no_count_of_none_or_one_reads_wrongly(drafts: dict[str, Edition]) -> None:
    m = BY_LANGUAGE["en"]
    assert [m("others", count=n) for n in ("1", "2", "1,001")] == [
        "1 other",
        "2 others",
        "1,001 others",
    ]
    planned = next(need for need in drafts["draft"].needs if need.rule_code and need.planned)
    need = dataclasses.replace(planned, planned=12, gap=12)
    found = dataclasses.replace(drafts["draft"], needs=(need,))
    (said,) = (rest for lead, rest in render.document(found).points if "mendesak" in lead)
    assert "dari 12 kegiatan yang direncanakan dalam empat pekan, belum satu pun" in said


def test_districts_are_reported_from_the_campaign_s_first_day(drafts: dict[str, Edition]) -> None:
    counted = tuple(dataclasses.replace(d, count=4) for d in drafts["draft"].district_metrics)
    reported = dataclasses.replace(
        drafts["draft"], district_weeks=("2024-W39", "2024-W42"), district_metrics=counted
    )
    captions = [
        table.caption
        for section in render.document(reported).sections
        for table in section.tables
        if table.sheet == "districts"
    ]
    assert captions
    assert all(c.endswith("25 September–20 Oktober 2024") for c in captions)


def test_an_edition_of_before_says_the_day_that_it_counted_from(
    drafts: dict[str, Edition],
) -> None:
    before = dataclasses.replace(drafts["draft"], campaign_start=None)
    assert before.first_day == date(2024, 9, 23)
    assert drafts["draft"].first_day == date(2024, 9, 25)


# -- the summary against the tables ------------------------------------------------------------


@pytest.mark.parametrize("language", ["id", "en"])
def test_each_number_of_the_summary_is_the_cell_of_its_table(
    calm: str, url: str, language: str
) -> None:
    """The numbers of the main points, looked up sentence by sentence in the edition's tables."""
    found = dataclasses.replace(store.load(calm, database_url=url), language=language)
    document = render.document(found)
    cells = {
        cell.metric: cell.text
        for section in document.sections
        for table in section.tables
        for row in [*table.rows, table.total]
        for cell in row
        if cell.metric and " " not in cell.metric
    }
    m = BY_LANGUAGE[language]

    def cell(reference: str) -> str:
        return cells[reference]

    def added(*states: str) -> str:
        return m.number(sum(int(cells[f"deadline/ALL/19/{state}"]) for state in states))

    violation = "suspected_violation"
    wanted = {
        0: [
            cell(f"{violation}/ALL/19/week"),
            *(cell(f"{violation}_by_kind/{kind}/19/week") for kind in ("LP", "TM")),
            cell(f"{violation}/ALL/19/difference").lstrip("+\u2212"),
            cell(f"{violation}/ALL/19/previous"),
            cell(f"{violation}/ALL/19/to_date"),
        ],
        "funnel": [
            cell(f"report_{step}/LP/19/week")
            for step in ("received", "registered", "not_registered", "pending")
        ],
        "deadline": [
            # of none the sentence says nothing
            *(
                number
                for states in (["OVERDUE"], ["MAYBE_OVERDUE"], ["DAYS_0", "DAYS_1"])
                if (number := added(*states)) != "0"
            ),
            added(*registry.deadline_states("running")),
            added("MAYBE_MISSED"),
        ],
        "complete": [
            cell("district_submitted/ALL/19/week"),
            cell("district_expected/ALL/19/week"),
        ],
    }
    points = [f"{lead} {rest}" for lead, rest in [*document.points, *document.others]]
    starts = {
        "funnel": ("laporan:", "Reports received"),
        "deadline": ("Batas waktu penanganan menurut", "Handling deadlines according"),
        "complete": ("telah menyampaikan rekap", "submitted their return"),
    }
    for key, numbers in wanted.items():
        point = (
            points[0]
            if key == 0
            else next(p for p in points if starts[str(key)][language == "en"] in p)
        )
        counts = re.sub("25 (atau|or) 26 November 2024", "", point)
        assert re.findall(r"\d+(?:[.,]\d+)*", counts)[: len(numbers)] == numbers, point
    glance = {
        cell.metric: cell.text
        for table in document.glance
        for row in [*table.rows, table.total]
        for cell in row
        if cell.metric and not cell.metric.startswith("percent")
    }
    assert len(glance) > 30
    for reference, text in glance.items():
        if reference in cells:
            assert cells[reference] == text


# -- the first week, which is shorter ----------------------------------------------------------

SHORT = (
    "Pekan 39 hanya mencakup 5 hari (25–29 September 2024) karena masa kampanye baru dimulai; "
    "angkanya tidak setara dengan angka pekan tujuh hari."
)
SHORT_EN = (
    "Week 39 has only 5 days (25–29 September 2024) because the campaign had just begun; its "
    "figures are not comparable with those of a seven-day week."
)


def _of_week(drafts: dict[str, Edition], week: str) -> Edition:
    """The sample's edition as that of an earlier week: the metrics stay, the weeks end there."""
    found = drafts["draft"]
    trend = {
        key: tuple((w, value) for w, value in values if w <= week)
        for key, values in found.trend.items()
    }
    return dataclasses.replace(
        found, edition_id=f"{week}-r1", week_id=week, trend=trend, district_weeks=None
    )


def test_the_first_week_is_shown_from_the_campaign_s_first_day_everywhere(
    drafts: dict[str, Edition],
) -> None:
    found = _of_week(drafts, "2024-W39")
    assert render.document(found).subtitle == "Pekan 39: 25–29 September 2024"
    files = opendata.files(found)
    period = json.loads(files["metadata.json"])["periode"]
    assert (period["mulai"], period["selesai"]) == ("2024-09-25", "2024-09-29")
    whole = opendata.files(drafts["draft"])
    rows = csv.DictReader(io.StringIO(whole["data/tren.csv"].decode()))
    starts = {row["pekan"]: row["mulai"] for row in rows}
    assert starts["2024-W39"] == "2024-09-25"
    assert starts["2024-W40"] == "2024-09-30"
    assert starts["2024-W47"] == "2024-11-18"
    (_, trend) = render.document(drafts["draft"]).charts
    assert ">25 Sep<" in trend.svg
    assert ">23 Sep<" not in trend.svg
    assert "hari pertama pekan itu" in trend.notes[0]
    # the campaign ended on Saturday, 23 November; metrics go on, so that its last week is whole
    assert drafts["draft"].campaign_start == date(2024, 9, 25)
    assert render.document(drafts["draft"]).subtitle == "Pekan 47: 18–24 November 2024"
    book = CalamineWorkbook.from_filelike(io.BytesIO(xlsx.workbook(found, render.document(found))))
    contents = [row[:2] for row in book.get_sheet_by_name("Isi").to_python()]
    assert ["Hari pertama", date(2024, 9, 25)] in contents
    weeks = [row[:2] for row in book.get_sheet_by_name("Tren").to_python()]
    assert ["Pekan", "Hari pertama"] in weeks
    assert ["2024-W39", date(2024, 9, 25)] in weeks


@pytest.mark.parametrize(("language", "sentence"), [("id", SHORT), ("en", SHORT_EN)])
def test_what_compares_a_shorter_week_says_so(
    drafts: dict[str, Edition], language: str, sentence: str
) -> None:
    """W40 is held against the five days of W39; W41 against the seven of W40."""
    for week, is_said in (("2024-W40", True), ("2024-W41", False)):
        found = dataclasses.replace(_of_week(drafts, week), language=language)
        document = render.document(found)
        assert document.points[0][1].endswith(sentence) == is_said
        compared = [
            table
            for section in document.sections
            for table in section.tables
            if any(c.metric.endswith("/difference") for row in table.rows for c in row)
        ]
        assert len(compared) > 10
        assert all((sentence in table.notes) == is_said for table in compared)
        # a chart of all weeks shows the short one in either edition, and so do the data
        assert sentence in document.charts[1].notes
        method = next(s for s in document.sections if s.id == "metode").paragraphs
        assert sentence in method


def test_a_trend_over_a_shorter_week_says_so(drafts: dict[str, Edition]) -> None:
    """At the end of W46 weeks 39 to 42 are the four before; a week later they are 40 to 43."""
    for week, is_said in (("2024-W46", True), ("2024-W47", False)):
        document = render.document(_of_week(drafts, week))
        table = next(s for s in document.sections if s.id == "pencegahan").tables[0]
        assert (SHORT in table.notes) == is_said


def test_days_are_counted_from_the_campaign_s_own_first_day(drafts: dict[str, Edition]) -> None:
    """A campaign that begins on a Monday has no short week; one of a Sunday has one of a day."""
    for start, first, days in (
        (date(2024, 9, 23), date(2024, 9, 23), 0),
        (date(2024, 9, 29), date(2024, 9, 29), 1),
        (None, date(2024, 9, 23), 0),
    ):
        found = dataclasses.replace(_of_week(drafts, "2024-W39"), campaign_start=start)
        assert found.days_of("2024-W39") == (first, date(2024, 9, 29))
        said = BY_LANGUAGE["id"].short_weeks(found, found.weeks)
        assert len(said) == bool(days)
        assert all(s.startswith(f"Pekan 39 hanya mencakup {days} hari (29") for s in said)


@pytest.mark.parametrize(
    ("language", "by_status"), [("id", "status terakhir"), ("en", "latest status")]
)
def test_tables_say_why_more_cases_were_forwarded_than_have_that_result(
    drafts: dict[str, Edition], language: str, by_status: str
) -> None:
    """A result is the latest status; a forwarded case stays forwarded, whatever comes of it."""
    found = dataclasses.replace(drafts["draft"], language=language)
    tables = {
        cell.metric: (cell.value, " ".join(table.notes))
        for section in render.document(found).sections
        if section.id == "registrasi"
        for table in section.tables
        for row in [*table.rows, table.total]
        for cell in row
    }
    result = "report_registered_by_result/{}/19/to_date"
    count, of_results = tables[result.format("FORWARDED")]
    closed, _ = tables[result.format("CLOSED")]
    total, of_recipients = next(
        shown
        for metric, shown in tables.items()
        if re.fullmatch(r"(report_forwarded_by_target/\w+/19/to_date ?){2,}", metric)
    )
    assert isinstance(count, int)
    assert isinstance(closed, int)
    assert total == count + closed
    assert closed > 0
    assert by_status in of_results
    assert by_status in of_recipients


def test_the_method_says_what_becomes_of_supervision_logs(drafts: dict[str, Edition]) -> None:
    """They are in no metric and not among what is not counted: see the domain's rules."""
    for language, name in (("id", "Formulir Model A"), ("en", "Form A")):
        document = render.document(dataclasses.replace(drafts["draft"], language=language))
        method = next(s for s in document.sections if s.id == "metode").paragraphs
        assert sum(name in paragraph for paragraph in method) == 1


def test_the_first_edition_does_not_say_that_earlier_ones_did_not_change(
    drafts: dict[str, Edition],
) -> None:
    first = "Belum ada edisi sebelum ini, sehingga belum ada angka yang berubah."
    unchanged = "Di antara angka yang dibandingkan, tidak ada yang berubah."
    for previous_id, revision, said in (
        (None, 1, first),
        (None, 2, unchanged),
        ("2024-W46-r1", 1, unchanged),
    ):
        found = dataclasses.replace(
            drafts["draft"], previous_id=previous_id, revision=revision, restatements=()
        )
        assert (said, "") in points(ChapterBuilder(found))
        assert restatements(ChapterBuilder(found)).paragraphs[0] == said


def test_the_summary_says_what_is_held_back(drafts: dict[str, Edition]) -> None:
    """Its metrics are lower for it: the first page says so, the chapter says why."""
    held = (
        HeldChannel("buku", 7, "Buku Register", 1_020, date(2024, 11, 18), "sebab A", "reason A"),
        HeldChannel("wa", 9, "Aduan WhatsApp", 3, date(2024, 11, 20), "sebab B", "reason B"),
    )
    for language, lead, more in (
        (
            "id",
            "Belum semua kiriman dihitung; kanal yang ditahan: Buku Register (1.020 kiriman sejak "
            "18 November 2024) dan Aduan WhatsApp (3 kiriman sejak 20 November 2024).",
            "Angka yang bersumber dari kanal itu dapat berubah; sebabnya dimuat dalam bab "
            "“Kelengkapan penyampaian”.",
        ),
        (
            "en",
            "Not all deliveries are counted; channels held back: Buku Register (deliveries since "
            "18 November 2024: 1,020) and Aduan WhatsApp (deliveries since 20 November 2024: 3).",
            "Figures from these channels may change; the chapter “Completeness of reporting” gives "
            "the reason.",
        ),
    ):
        found = dataclasses.replace(drafts["draft"], language=language, held=held)
        document = render.document(found)
        assert document.points[1] == (lead, more)
        assert any(s.title in more for s in document.sections)
        assert not any("ditahan" in p[0] or "held" in p[0] for p in document.points[2:])
    calm = render.document(dataclasses.replace(drafts["draft"], held=()))
    assert not any("ditahan" in lead for lead, _ in calm.points)


RECAP = re.compile("campaign_event|prevention|district_submitted")


def _recaps(found: Edition, **values: int) -> Edition:
    """The edition with these values in every metric that comes from recaps."""
    metrics = {
        key: dataclasses.replace(metric, **values) if RECAP.match(key[0]) else metric
        for key, metric in found.metrics.items()
    }
    submissions = tuple(
        dataclasses.replace(s, is_submitted=bool(values.get("week", s.is_submitted)))
        for s in found.submissions
    )
    return dataclasses.replace(found, metrics=metrics, submissions=submissions)


@pytest.mark.parametrize(
    ("language", "said", "caption"),
    [
        (
            "id",
            [
                "Kegiatan kampanye dan tindakan pencegahan pekan ini belum diketahui: belum ada "
                "kecamatan yang menyampaikan rekap.",
                "Sebanyak 0 dari 47 kecamatan (0\u00a0%) telah menyampaikan rekap. Belum "
                "menyampaikan: semua kecamatan. Angka kegiatan kampanye dan pencegahan pekan ini "
                "dapat bertambah.",
            ],
            "pekan ini belum diketahui karena belum ada kecamatan yang menyampaikan rekap; ",
        ),
        (
            "en",
            [
                "This week's campaign events and prevention actions are not known: no district has "
                "submitted its return.",
                "Districts that submitted their return: 0 of 47 (0%). Not submitted: every "
                "district. This week's campaign events and prevention actions may still rise.",
            ],
            "this week's number is not known, as no district has submitted its return; ",
        ),
    ],
)
def test_a_week_without_recaps_is_not_called_a_week_without_events(
    drafts: dict[str, Edition], language: str, said: list[str], caption: str
) -> None:
    found = dataclasses.replace(_recaps(drafts["draft"], week=0), language=language)
    document = render.document(found)
    points = [f"{lead} {rest}".strip() for lead, rest in [*document.points, *document.others]]
    assert [point for point in points if point in said] == said
    assert not any("kegiatan kampanye diawasi" in p or "events supervised" in p for p in points)
    tip = BY_LANGUAGE[language].number(found.metric("tip").week)
    starts = {"id": f"Pekan ini diterima {tip} informasi awal,", "en": f"Tips this week: {tip},"}
    assert any(point.startswith(starts[language]) for point in points)
    captions = [t.caption for s in document.sections for t in s.tables]
    assert sum(caption in text for text in captions) == 2


@pytest.mark.parametrize("language", LANGUAGES)
def test_after_the_campaign_no_recap_is_missing_and_no_zero_is_counted(
    drafts: dict[str, Edition], language: str
) -> None:
    after = _recaps(drafts["draft"], week=0)
    metrics = {
        key: dataclasses.replace(metric, week=0) if key[0] == "district_expected" else metric
        for key, metric in after.metrics.items()
    }
    found = dataclasses.replace(after, metrics=metrics, submissions=(), language=language)
    document = render.document(found)
    words = json.dumps(dataclasses.asdict(document), ensure_ascii=False, default=str)
    for wrong in {
        "id": (
            "0 dari 0",
            "Semua kecamatan telah",
            "0 tindakan pencegahan",
            "menjadi 0",
            "belum ada kec",
        ),
        "en": (
            "0 of 0",
            "Every district has",
            "returns: 0 ",
            "no district has",
            "actions this week: 0",
        ),
    }[language]:
        assert not re.search(f"(?<![0-9]){wrong}", words), wrong
    said = BY_LANGUAGE[language]["recaps_not_due"]
    assert (said, "") in [*document.points, *document.others]
    for place in ("", "19.01"):
        assert ChapterBuilder(found).source("source_tip", place).endswith(said)


def test_the_portal_shows_a_week_without_recaps_as_not_known(
    drafts: dict[str, Edition], paper_as_text: None
) -> None:
    found = _recaps(drafts["demo"], week=0)
    artefacts = render.render(found)
    quoted = {name: artefacts[name] for name in pages.QUOTED if name in artefacts}
    files = pages.site([Published(found, (), quoted)])
    for path, said in (
        ("index.html", "rekap pekan ini belum disampaikan"),
        ("en/index.html", "this week's return not submitted"),
        ("wilayah/19.05.html", "rekap pekan ini belum disampaikan"),
        ("tren.html", "pekan ini belum diketahui karena belum ada kecamatan"),
    ):
        assert _words(files[path]).replace("&#39;", "'").count(said) == 2, path
    after = pages.site([Published(_recaps(drafts["demo"], previous=0), (), quoted)])
    said = "tanpa pembanding dari pekan sebelumnya"
    assert _words(after["index.html"]).count(said) == 2, "two key figures"


def test_the_portal_maps_the_metrics_where_the_office_has_boundaries(
    drafts: dict[str, Edition], metrics: Metrics
) -> None:
    found = drafts["demo"]
    square = [[[[106.0, -2.0], [107.0, -2.0], [107.0, -1.0], [106.0, -2.0]]]]
    artefacts = render.render(found)
    quoted = {name: artefacts[name] for name in pages.QUOTED if name in artefacts}
    files = pages.site([Published(found, (), quoted)], {"19.05": square})
    assert 'href="data/terbaru/wilayah.geojson"' in files["unduhan.html"].decode()
    assert 'href="../data/terbaru/wilayah.geojson"' in files["en/unduhan.html"].decode()
    features = {
        feature["properties"]["kode_kemendagri"]: feature
        for feature in json.loads(files["data/terbaru/wilayah.geojson"])["features"]
    }
    assert features["kemendagri:19.05"]["geometry"] == {
        "type": "MultiPolygon",
        "coordinates": square,
    }
    assert features["kemendagri:19.71"]["geometry"] is None
    assert len(features) == len(seed("regency"))
    for region, feature in features.items():
        for code in ("suspected_violation", "tip", "prevention"):
            key = code, "ALL", region.removeprefix("kemendagri:"), WEEK
            assert feature["properties"][code] == metrics[*key, "week"]
            assert feature["properties"][f"{code}_sejak_awal"] == metrics[*key, "to_date"]


def test_tables_name_the_regencies_whose_zeros_are_not_known(drafts: dict[str, Edition]) -> None:
    """Bangka delivered nothing, so that its 0 is not known; Belitung's 0 of prevention is a 0."""
    found = drafts["draft"]
    metrics = {
        key: dataclasses.replace(metric, week=0)
        if RECAP.match(key[0]) and (key[2] == "19.01" or key[::2] == ("prevention", "19.02"))
        else metric
        for key, metric in found.metrics.items()
    }
    found = dataclasses.replace(found, metrics=metrics)
    said = (
        "Angka 0 pekan ini untuk kegiatan kampanye dan pencegahan di {} berarti belum diketahui: "
        "belum ada rekap dari wilayah itu."
    )
    for shown, places, count in (
        (found, "Bangka", 5),  # one on page one, three of the province, one on the regency's page
        (_recaps(found, week=0), "semua kabupaten/kota", 4),
        (drafts["draft"], "Bangka", 0),
    ):
        document = render.document(shown)
        tables = [*document.glance, *(t for s in document.sections for t in s.tables)]
        assert sum(said.format(places) in t.notes for t in tables) == count


def test_no_week_is_compared_with_one_without_recaps(drafts: dict[str, Edition]) -> None:
    found = _recaps(drafts["draft"], previous=0)
    document = render.document(found)
    captions = [t.caption for s in document.sections for t in s.tables]
    said = [
        text
        for text in [f"{lead} {rest}" for lead, rest in [*document.points, *document.others]]
        + captions
        if text.startswith(("Kegiatan kampanye tanpa", "Tindakan pencegahan tanpa"))
        or "Pencegahan tanpa pembanding dari pekan sebelumnya" in text
        or "kampanye diawasi, tanpa pembanding dari pekan sebelumnya" in text
    ]
    assert len(said) == 4  # two points, two tables


@pytest.mark.parametrize("values", [{"week": 0}, {"previous": 0}])
@pytest.mark.parametrize(("language", "said"), [("id", "belum ada rekap"), ("en", "no return yet")])
def test_no_difference_is_printed_with_a_week_without_recaps(
    drafts: dict[str, Edition], values: dict[str, int], language: str, said: str
) -> None:
    found = dataclasses.replace(_recaps(drafts["draft"], **values), language=language)
    cells = [
        cell
        for section in render.document(found).sections
        for table in section.tables
        for row in table.rows
        for cell in row
        if cell.metric.endswith("/difference")
    ]
    of_recaps = [c for c in cells if c.metric.startswith(("campaign_event/", "prevention/"))]
    assert len(of_recaps) == 2 * 7
    assert {(cell.text, cell.value) for cell in of_recaps} == {(said, None)}
    others = [cell for cell in cells if cell not in of_recaps]
    assert len(others) > 50
    assert all(cell.value is not None for cell in others), "also of the districts that delivered"


def test_the_portal_compares_no_week_with_one_without_recaps(drafts: dict[str, Edition]) -> None:
    builder = ChapterBuilder(_recaps(drafts["demo"], previous=0))
    cell = builder.sum_cell(
        "prevention_by_type", ["SOSIALISASI", "KOORDINASI"], "19.05", "difference"
    )
    assert (cell.text, cell.value) == ("belum ada rekap", None)
    calm = ChapterBuilder(drafts["demo"])
    cell = calm.sum_cell("prevention_by_type", ["SOSIALISASI", "KOORDINASI"], "19.05", "difference")
    assert cell.value is not None


def test_regencies_that_are_alike_have_no_most_and_least(drafts: dict[str, Edition]) -> None:
    found = _recaps(drafts["draft"], week=0, to_date=0, previous=0)
    captions = [t.caption for s in render.document(found).sections for t in s.tables]
    about = [c for c in captions if "belum diketahui karena" in c]
    assert len(about) == 2
    assert not any("terbanyak" in caption for caption in about)


@pytest.mark.parametrize(
    ("language", "title", "said"),
    [
        ("id", "Aduan WhatsApp", "Kanal Aduan WhatsApp: 3 kiriman"),
        ("id", "Kanal Aduan WhatsApp", "Kanal Aduan WhatsApp: 3 kiriman"),
        ("en", "Aduan WhatsApp", "Channel Aduan WhatsApp: 3 deliveries"),
        ("en", "kanal aduan", "kanal aduan: 3 deliveries"),
    ],
)
def test_a_title_that_begins_with_kanal_is_not_doubled(
    drafts: dict[str, Edition], language: str, title: str, said: str
) -> None:
    held = HeldChannel("wa", 9, title, 3, date(2024, 11, 20), "sebab", "reason")
    found = dataclasses.replace(drafts["draft"], language=language, held=(held,))
    (lead,) = next(s for s in render.document(found).sections if s.id == "kelengkapan").lead
    assert lead.startswith(said)


def test_what_is_not_counted_says_what_is_held_back(drafts: dict[str, Edition]) -> None:
    held = HeldChannel("buku", 7, "Buku Register", 1_020, date(2024, 11, 18), "sebab", "reason")
    said = "Belum termasuk 1.020 kiriman yang ditahan: lihat bab “Kelengkapan penyampaian”."
    for entries in (drafts["draft"].not_counted, ()):
        for channels in ((held,), ()):
            found = dataclasses.replace(drafts["draft"], held=channels, not_counted=entries)
            section = next(s for s in render.document(found).sections if s.id == "tidak-dihitung")
            assert (said in section.paragraphs) == bool(channels)
