"""Numbers, dates and lists as Indonesian and English readers expect them; the same messages."""

from __future__ import annotations

import ast
import re
import string
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import yaml

from lumbung import registry
from lumbung.publication.chapters.charts import FONT
from lumbung.publication.translations import formatting
from lumbung.publication.translations.load import messages
from lumbung.registry import LANGUAGES

TEXT = {key: (text, messages("en").get(key, "")) for key, text in messages("id").items()}
METRICS = {
    **{f"{code}.name": metric.name for code, metric in registry.metrics().items()},
    **{f"{code}.definition": metric.definition for code, metric in registry.metrics().items()},
}
CATEGORIES = {
    f"{code}.{category}": names
    for code in registry.metrics()
    for category, names in registry.categories(code).items()
    if category != registry.WHOLE
}
m, en = formatting.BY_LANGUAGE["id"], formatting.BY_LANGUAGE["en"]
SOURCES = Path(formatting.__file__).parents[1]
DAGS = [SOURCES.parent / "orchestration.py"]
DAGS += (Path(__file__).parents[2] / "dags").glob("*.py")
PRINTING = [*(SOURCES / "chapters").glob("*.py")]
PRINTING += [p for p in (SOURCES / "portal").glob("*.py") if p.name != "publish.py"]  # has SQL
PRINTING += [SOURCES / "formats" / f"{name}.py" for name in ("render", "xlsx")]


@pytest.mark.parametrize(
    ("value", "printed"),
    [
        (0, "0"),
        (7, "7"),
        (999, "999"),
        (1000, "1.000"),
        (1_084_999, "1.084.999"),
        (-12_345, "−12.345"),
        (None, "n/a"),
    ],
)
def test_counts(value: int | None, printed: str) -> None:
    assert m.number(value) == printed


@pytest.mark.parametrize(
    ("title", "named"),
    [
        ("Aduan WhatsApp", "Kanal Aduan WhatsApp"),
        ("Kanal aduan", "Kanal aduan"),
        ("Kanalisasi aduan", "Kanal Kanalisasi aduan"),
    ],
)
def test_a_channel_is_named_once(title: str, named: str) -> None:
    assert m.channel(title) == named


@pytest.mark.parametrize(
    ("value", "printed"), [(3, "+3"), (-2, "−2"), (0, "0"), (None, "n/a"), (1200, "+1.200")]
)
def test_differences(value: int | None, printed: str) -> None:
    assert m.signed(value) == printed


def test_measures_have_a_decimal_comma() -> None:
    assert m.decimal(Decimal("1234.56")) == "1.234,6"
    assert m.decimal(Decimal("-0.25"), 2) == "−0,25"
    assert m.decimal(Decimal("-0.04")) == "0,0"


@pytest.mark.parametrize(
    ("part", "whole", "printed"),
    [
        (374, 393, "95\u00a0%"),
        (47, 47, "100\u00a0%"),
        (513, 514, "99\u00a0%"),  # not all: never 100
        (1, 514, "1\u00a0%"),  # not none: never 0
        (0, 47, "0\u00a0%"),
        (0, 0, "n/a"),
    ],
)
def test_shares(part: int, whole: int, printed: str) -> None:
    assert m.percent(part, whole) == printed


def test_dates() -> None:
    assert m.weekday(date(2024, 11, 11)) == "Senin, 11 November 2024"
    assert m.weekday(date(2024, 8, 30)) == "Jumat, 30 Agustus 2024"
    assert m.week_range(date(2024, 11, 18), date(2024, 11, 24)) == "18–24 November 2024"
    assert m.week_range(date(2024, 10, 28), date(2024, 11, 3)) == "28 Oktober–3 November 2024"
    assert m.week_range(date(2024, 12, 30), date(2025, 1, 5)) == "30 Desember 2024–5 Januari 2025"


def test_two_days_to_choose_from() -> None:
    assert m.either_day(date(2024, 11, 25), date(2024, 11, 26)) == "25 atau 26 November 2024"
    assert m.either_day(date(2024, 9, 30), date(2024, 10, 1)) == "30 September atau 1 Oktober 2024"
    said = m.either_day(date(2024, 12, 31), date(2025, 1, 1))
    assert said == "31 Desember 2024 atau 1 Januari 2025"
    assert en.either_day(date(2024, 11, 25), date(2024, 11, 26)) == "25 or 26 November 2024"


def test_moments_are_in_wib() -> None:
    late = datetime(2024, 11, 10, 23, 5, tzinfo=UTC)
    assert m.moment(late) == "Senin, 11 November 2024 pukul 06.05\u00a0WIB"


def test_lists() -> None:
    assert m.listing(["a"]) == "a"
    assert m.listing(["a", "b"]) == "a dan b"
    assert m.listing(["a", "b", "c"]) == "a, b, dan c"
    assert m.listing(["hoaks, fitnah"]) == "hoaks, fitnah"
    assert m.listing(["hoaks, fitnah", "b"]) == "hoaks, fitnah; b"
    assert m.listing(["ASN (1)", "ibadah, sekolah (1)"]) == "ASN (1) dan ibadah, sekolah (1)"
    assert m.listing(["a", "hoaks, fitnah", "c"]) == "a; hoaks, fitnah; dan c"


def test_changes_in_words() -> None:
    assert m.change(14, 11) == "naik 3 dari pekan sebelumnya (11)"
    assert m.change(9, 1200) == "turun 1.191 dari pekan sebelumnya (1.200)"
    assert m.change(4, 4) == "sama dengan pekan sebelumnya"
    assert m.change(4, None) == "tanpa pembanding dari pekan sebelumnya"


def test_english() -> None:
    assert en.number(1_084_999) == "1,084,999"
    assert en.number(-12_345) == "−12,345"
    assert en.decimal(Decimal("1234.56")) == "1,234.6"
    assert en.percent(374, 393) == "95%"
    assert en.weekday(date(2024, 11, 11)) == "Monday, 11 November 2024"
    late = datetime(2024, 11, 10, 23, 5, tzinfo=UTC)
    assert en.moment(late) == "Monday, 11 November 2024, 06:05\u00a0WIB"
    assert en.listing(["a", "b", "c"]) == "a, b, and c"
    assert en.change(14, 11) == "up 3 from the previous week (11)"


def test_the_countrys_edition_says_otherwise_only_what_there_is() -> None:
    """Its messages are those of a province's; both languages say the same ones otherwise."""
    found = {}
    for language in LANGUAGES:
        own, country = messages(language), messages(language, is_of_country=True)
        assert [*country] == [*own]
        file = SOURCES / "translations" / f"{language}_country.yaml"
        said = yaml.safe_load(file.read_text(encoding="utf-8"))
        assert {key for key in said if not key.startswith("_")} <= own.keys()
        assert [key for key, text in said.items() if country.get(key, text) == own.get(key)] == []
        found[language] = [key for key in said if not key.startswith("_")]
    assert found["id"] == found["en"]
    assert messages("id", is_of_country=True)["violation_title"] == (
        "Dugaan pelanggaran menurut provinsi"
    )


def test_long_lists_say_how_many_more() -> None:
    items = [str(n) for n in range(1, 6)]
    assert m.listing(items, most=5) == "1, 2, 3, 4, dan 5"
    assert m.listing(items, most=2) == "1, 2, dan 3 lainnya"
    assert en.listing(items, most=2) == "1, 2, and 3 others"


def places_of(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}


def test_both_files_have_the_same_keys_once_in_the_same_order() -> None:
    """A message that is missing, extra or repeated in one language is found here."""
    keys = {}
    for language in LANGUAGES:
        source = (SOURCES / "translations" / f"{language}.yaml").read_text(encoding="utf-8")
        root = yaml.compose(source, yaml.CSafeLoader)
        assert isinstance(root, yaml.MappingNode)
        assert {value.tag for _, value in root.value} == {"tag:yaml.org,2002:str"}
        keys[language] = [key.value for key, _ in root.value]
        assert len(keys[language]) == len(set(keys[language]))
        parts = [key for key in keys[language] if key.startswith("_")]
        assert [part for part in parts if f"{{{part}}}" not in source] == []
        assert [text for text in messages(language).values() if "{_" in text] == []
    # English has more words for a regency and for the province.
    same = {
        language: [key for key in found if not re.match("_[a-zA-Z_]*([Rr]egenc|[Pp]rovince)", key)]
        for language, found in keys.items()
    }
    assert same["id"] == same["en"]
    assert len(keys["id"]) > 600


def test_both_languages_say_the_same() -> None:
    """In different words, with the same places to fill."""
    assert LANGUAGES == ("id", "en")
    same = []
    for key, pair in (TEXT | METRICS | CATEGORIES).items():
        indonesian, english = pair
        assert indonesian.strip(), key
        assert english.strip(), key
        assert places_of(indonesian) == places_of(english), key
        if indonesian == english and re.search(r"[a-z]{3}", re.sub(r"{\w+}", "", indonesian)):
            same.append(key)
    assert same == ["data_zone"]  # nothing was left untranslated


def test_no_sentence_stands_outside_the_messages() -> None:
    """Code and templates hold no words that a reader would see."""
    for source in PRINTING:
        tree = ast.parse(source.read_text(encoding="utf-8"))
        about = {id(n.value) for n in ast.walk(tree) if isinstance(n, ast.Expr)}
        for call in ast.walk(tree):  # errors are for those who run the office's machine
            if isinstance(call, ast.Call) and "Error" in ast.unparse(call.func):
                about |= {id(n) for n in ast.walk(call)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                text = re.sub(r"<[^>]*>?|[\w-]+=\S+", "", node.value)
                found = re.search(r"(?<![/\w])[A-Za-z]{3,} [A-Za-z]{3,}(?![/\w])", text)
                is_shown = id(node) not in about and "yyyy" not in text and text != FONT
                assert not (found and is_shown), (source, node.value)
    templates = list((SOURCES / "templates").rglob("*.j2"))
    assert len(templates) > 15
    for template in templates:
        text = template.read_text(encoding="utf-8")
        text = re.sub(r"<(style|code|id)>.*?</\1>|{%.*?%}|{{.*?}}|{#.*?#}", "", text, flags=re.S)
        said = re.findall(r'(?:aria-label|title|alt|data-filter)="([^"]*)"', text)
        said.append(re.sub(r'<[^>]*>|[\w-]+="[^"]*"', " ", text))
        assert not re.search(r"[A-Za-z]{3,}", " ".join(said)), (template.name, said)
    typst = re.sub(r"//.*", "", (SOURCES / "templates" / "edisi.typ").read_text(encoding="utf-8"))
    for text in re.findall(r'"([^"]*)"', typst):
        assert text == FONT or not re.search(r"[A-Za-z]{3,} ", text), text


def test_every_key_is_used() -> None:
    """What nobody prints is no message."""
    code = " ".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.py"))
    code += " ".join(path.read_text(encoding="utf-8") for path in SOURCES.rglob("*.j2"))
    code += " ".join(path.read_text(encoding="utf-8") for path in DAGS)
    made = (  # from a code
        r"(method|known|group|column|type|state|data|sheet|profile|restatement|delta|glance|need|sheet_due|reason|unit|short|about|tidy|agenda|channel|unpublished|deadline|participation|vulnerability|effect|running|rules)[_.]"
        r"|rising$|steady$|falling$|not_enough_weeks$|[A-Z_0-9]+$|[\w-]+\.\w*$"
    )
    used = set(re.findall(r"""["'](\w+)["']""", code))
    unused = [key for key in TEXT if key not in used and not re.match(made, key)]
    assert unused == []


QUALIFIED = (
    r"dugaan pelanggaran|penanganan pelanggaran|dinyatakan (bukan )?pelanggaran",
    r"alleged violation|found (not )?to be (a )?violations?",
)
"""What an allegation is called: an allegation, a review's own statement, the name of a division."""
PRINTED_NAMES = [
    "campaign_context", "campaign_method", "case_result", "deadline_rule", "deadline_state",
    "election", "forwarding_target", "non_registration_reason", "prevention_type",
]  # fmt: skip
"""The vocabularies whose names stand alone: themes and types have their heading's "dugaan"."""


def test_every_allegation_is_a_dugaan() -> None:
    """ "pelanggaran" never stands in a printed text as a fact, nor does "violation"."""
    texts = [*(TEXT | METRICS).values()]
    texts += [t.name for name in PRINTED_NAMES for t in registry.vocabulary(name).values()]
    texts += [t.label for name in PRINTED_NAMES for t in registry.vocabulary(name).values()]
    for index, word in enumerate(("pelanggar", "violat")):
        about = [pair[index] for pair in texts if word in pair[index].lower()]
        assert len(about) > 20
        for text in about:
            assert word not in re.sub(QUALIFIED[index], "", text.lower()), text
    stated = re.compile(
        r"terbukti|bersalah|pelaku|melanggar(?! larangan kampanye)|guilty|proven|offen"
    )
    # a placeholder is no word
    said = [re.sub(r"{\w+}", "", text).lower() for pair in texts for text in pair]
    assert [text for text in said if stated.search(text)] == []


def test_a_metric_by_theme_or_type_is_of_allegations() -> None:
    """Its name stands before that of a theme or type: "...: Pelanggaran administrasi"."""
    named = [
        metric.name
        for metric in registry.metrics().values()
        if {"issue", "violation_type"} & {*metric.dimension}
    ]
    assert len(named) >= 3
    for indonesian, english in named:
        assert "dugaan" in indonesian.lower(), indonesian
        assert "alleged" in english.lower(), english


BETTER = (
    r"keadaan data|memuat semua catatan|tersering|perkara|sudah lewat|pasti di atas|terpetakan"
    r"|tidak tertulis|dibekukan|sidik|dikode ulang|status berlanjut|yang tidak dihitung bab"
    r"|kali provinsi|dari kebetulan|kurang dari rencana|cegah langsung:",
    r"reporters|coded anew|went on|\btold\b|\btells?\b|most frequent|\brecaps?\b|short of plan"
    r"|times the province\b|set apart|\banew\b",
)
"""Words that the texts had, for which readers know clearer ones, by language."""


def test_texts_have_the_words_that_readers_know() -> None:
    texts = [*(TEXT | METRICS | CATEGORIES).values()]
    for index, former in enumerate(BETTER):
        said = [re.sub(r"{\w+}", "", pair[index]).lower() for pair in texts]
        assert [text for text in said if re.search(former, text)] == []


HEADS = {
    "to_date": "Kumulatif",
    "unknown_place": "Lokasi belum diketahui",
    "fact_frozen": "Data dikunci",
    "hash": "Nilai hash (SHA-256)",
    "recoded": "klasifikasi diperbaiki",
    "progressed": "perkembangan status",
    "not_counted_title": "Data yang tidak dihitung",
}
"""Short texts in which a search for former words finds nothing."""


def test_heads_have_the_words_that_readers_know() -> None:
    assert {key: TEXT[key][0] for key in HEADS} == HEADS


def test_no_sentence_begins_with_a_count() -> None:
    """Nor with another number that the code fills in; what is no sentence may."""
    first = re.compile(r"^{(?:\w*count|value|week|expected|submitted|tips?|received)}")
    said = [text for key, pair in TEXT.items() for text in pair if text.endswith(".")]
    assert len(said) > 400
    assert [text for text in said if first.match(text)] == []
    within = re.compile(r"\. {\w*count}|(^|(?<!jo)[.!?] )\d")
    assert [text for text in said if within.search(text)] == []


@pytest.mark.parametrize(
    "key",
    [
        *("need_note", "profile_note", "regency_themes_note", "participation_note"),
        *("column.kasus", "partisipasi.jumlah"),
    ],
)
def test_an_event_of_several_channels_is_said_beside_the_number(key: str) -> None:
    """Wherever reports and tips are added, the same event may have come as both."""
    indonesian, english = TEXT[key]
    assert "Satu peristiwa yang masuk lewat beberapa kanal dihitung pada tiap kanal." in indonesian
    assert "An event that came by several channels counts with each." in english


@pytest.mark.parametrize(("language", "tips"), [("id", "informasi awal"), ("en", "tips")])
def test_the_sheet_of_themes_is_not_said_to_count_tips(language: str, tips: str) -> None:
    """Of a regency, tips are published by week and not by theme."""
    assert tips not in messages(language)["sheet_themes_title"]


def test_no_text_claims_a_coverage_for_the_range_of_a_quotient() -> None:
    """It decides which themes stand out; how often it holds the true quotient is not known."""
    project = Path(__file__).parents[2]
    texts = [
        sentence
        for key, pair in TEXT.items()
        if not key.startswith(("effect_", "sebelum-sesudah."))  # an interval with a coverage
        for sentence in pair
    ]
    texts += [
        project.joinpath(name).read_text(encoding="utf-8")
        for name in (
            *(
                "dbt_project/models/marts/metrics/agg_issue_profile.yml",
                "docs/reference/dictionary.md",
                "docs/how-to/query-the-marts.md",
            ),
            *(
                "docs/explanation/publication.md",
                "docs/explanation/adr/0013-marks-at-a-false-discovery-rate.md",
            ),
        )
    ]
    claim = r"(?<!bukan )selang kepercayaan|(?<!no )confidence interval|at least 95 %"
    assert [found for text in texts for found in re.findall(claim, text, re.IGNORECASE)] == []
