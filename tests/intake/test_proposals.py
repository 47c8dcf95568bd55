"""What `lumbung channel add` proposes is tried on the sample, and no odd file breaks it."""

from __future__ import annotations

import csv
import io
import json
import sqlite3
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from lumbung.errors import SourceError
from lumbung.intake.channel import scaffold
from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.trial import Places, try_label
from lumbung.intake.connectors import KINDS
from lumbung.intake.connectors.shared.proposal import day_order, find_key
from tests.support.channel_samples import workbook

SEEDS = Path(__file__).parents[2] / "dbt_project" / "seeds"
PLACES = Places(SEEDS)
KABUPATEN = ["Bangka", "Belitung", "Bangka Selatan", "Bangka Tengah", "Bangka Barat"]


def as_csv(header: Sequence[str], rows: Sequence[Sequence[object]]) -> bytes:
    buffer = io.StringIO()
    csv.writer(buffer).writerows([header, *rows])
    return buffer.getvalue().encode()


def proposed(tmp_path: Path, kind: str, name: str, content: bytes) -> tuple[str, dict[str, Any]]:
    """The text that is written for a sample, and what it says."""
    sample = tmp_path / name
    sample.write_bytes(content)
    folder = tmp_path / "channels"
    folder.mkdir(exist_ok=True)
    path = folder / "baru.yaml"
    path.unlink(missing_ok=True)
    text = scaffold.write(folder, SEEDS, kind, "baru", str(sample)).read_text()
    return text, yaml.safe_load(text)


# -- a key ----------------------------------------------------------------------------------------


def test_a_key_differs_in_every_row_of_a_long_sample(tmp_path: Path) -> None:
    """It proposed `prov_name`, the first column, for 33,571 rows."""
    rows = [
        ["Kepulauan Bangka Belitung", KABUPATEN[n % 5], f"TPS {n % 700}", n // 700, n % 300]
        for n in range(33_571)
    ]
    header = ["prov_name", "kab_name", "tps", "desa_kode", "dpt"]
    text, found = proposed(tmp_path, "register", "tps.csv", as_csv(header, rows))
    assert found["key"] == ["desa_kode", "tps"]
    assert "# differ together in all 33,571 rows of the sample" in text
    assert found["fields"]["regency"] == {"from": "kab_name"}
    assert "personal" not in found


@pytest.mark.parametrize(
    ("header", "rows", "key"),
    [
        # the legal number has a gap, and comes twice; the code of the row does not
        (
            ["Nomor Laporan", "Kode", "Isi"],
            [["1/LP", "a", "x"], ["", "b", "y"], ["1/LP", "c", "z"]],
            ("Kode",),
        ),
        (["Nomor Laporan", "Isi"], [["1/LP", "x"], ["2/LP", "y"]], ("Nomor Laporan",)),
        # a number of a person is none of a row, and a story no key
        (["NIK", "Uraian"], [["1" * 16, "x"], ["2" * 16, "y"]], ()),
        # a place in the list only where there is nothing else
        (
            ["No", "Tanggal", "Kab"],
            [[1, "6/11/2024", "A"], [2, "6/11/2024", "B"]],
            ("Tanggal", "Kab"),
        ),
        (["No", "Uraian"], [[1, "x"], [2, "y"]], ("No",)),
        (["Lintang", "Warna"], [["-2.13345", "biru"], ["-2.14455", "biru"]], ()),
    ],
)
def test_a_key_is_a_number_of_the_row(
    header: list[str], rows: list[list[object]], key: tuple[str, ...]
) -> None:
    filled = [
        {label: cell for label, cell in zip(header, row, strict=True) if cell != ""} for row in rows
    ]
    assert find_key(header, filled).labels == key


def test_a_register_without_a_key_says_what_was_tried(tmp_path: Path) -> None:
    rows = [["Bangka", "6/11/2024", "x"]] * 3
    text, found = proposed(tmp_path, "register", "a.csv", as_csv(["Kab", "Tanggal", "Isi"], rows))
    assert "key" not in found
    assert "# Not found: no column, nor two together, that is not personal differs in all 3" in text
    _, mistakes = read_channels(tmp_path / "channels")
    (reported,) = mistakes["baru"]
    assert "key: is missing" in reported


def test_rows_that_are_numbered_anew_in_each_sheet(tmp_path: Path) -> None:
    sheets = {
        month: [["Nomor", "Kab", "Isi"], ["1", "Bangka", "x"], ["2", "Bangka", "y"]]
        for month in ("Oktober", "November")
    }
    _, found = proposed(tmp_path, "register", "a.xlsx", workbook(sheets))
    assert found["key"] == "Nomor"
    assert found["source"]["sheet_in_key"] in (True, "True")


def test_an_id_of_an_interface_differs_in_every_record(tmp_path: Path) -> None:
    records = [{"code": "A", "ref": n, "updated": "x", "created": "2024-11-06"} for n in range(3)]
    text, found = proposed(tmp_path, "http_json", "a.json", json.dumps(records).encode())
    assert found["source"]["id"] == "ref"
    assert found["source"]["received"] == "created"
    assert "differs in all 3 rows" in text


# -- dates, places, people ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("label", "values", "field", "note"),
    [
        ("Tanggal lapor", ["6/11/2024", "Rabu, 6 Nopember 2024", "45602"], "received_date", ""),
        ("Tanggal lapor", ["11/25/2024", "11/26/2024"], None, "0 of 2 values are dates"),
        ("Tanggal lapor", ["segera", "6/11/2024"], None, "1 of 2 values are dates"),
        ("Tanggal lapor", [], "received_date", "no value"),
        ("Kabupaten", ["Kab. Bangka", "PANGKAL PINANG", "Basel"], "regency", ""),
        ("Kabupaten", ["Georgetown", "Lethem", "Bangka"], None, "1 of 3 values are known places"),
        ("kab_name", KABUPATEN, "regency", ""),
        ("Nama Kecamatan", ["Mentok", "Sungailiat"], "district", ""),
        ("Lokasi kejadian", ["di warung, Kec. Rangkui"], "regency", ""),
        ("Kabupaten", ["1903", "1971"], "regency_code", ""),
        ("nama akun", ["warga_babel"], "personal", "its label says so"),
        ("Account", ["warga_babel"], "personal", "its label says so"),
        ("Sumber", ["@warga_babel", "@lain"], "personal", "2 of 2 values look like account names"),
        ("Hubungi", ["0812-3456-7890", "-"], "personal", "1 of 2 values look like phone numbers"),
        ("Kolom 3", ["a@contoh.example.id"], "personal", "look like e-mail addresses"),
        ("ID", ["1901011505900001"], "personal", "look like identity numbers"),
        ("Isi", ["Hubungi 081234567890 segera"], "narrative", ""),
    ],
)
def test_a_guess_is_tried_on_the_values(
    label: str, values: list[str], field: str | None, note: str
) -> None:
    found = try_label(label, [{label: value} for value in values] or [{"lain": 1}], PLACES)
    assert (found.field if found.is_confirmed else None) == field
    assert note in found.note


@pytest.mark.parametrize(
    ("text", "order"),
    [
        *(("6/11/2024", "dmy"), ("25-11-24", "dmy"), ("11/25/2024", "mdy"), ("2024-11-06", "ymd")),
        *(
            ("2024-11-06T10:00:00Z", "ymd"),
            ("6 Peb 2024", "dmy"),
            ("Senin, 4 November 2024", "dmy"),
        ),
        *(("31/02/2024", None), ("32/13/2024", None), ("0812", None), ("6 Kuintal 2024", None)),
    ],
)
def test_the_order_of_a_day(text: str, order: str | None) -> None:
    assert day_order(text) == order


def test_what_could_not_be_confirmed_stands_in_the_file_without_any_value(tmp_path: Path) -> None:
    rows = [[f"K-{n}", "lusa", "Lethem", "@warga", "rahasia besar"] for n in range(4)]
    header = ["Kode", "Tanggal lapor", "Kabupaten", "Sumber", "Uraian"]
    text, found = proposed(tmp_path, "register", "a.csv", as_csv(header, rows))
    assert found["key"] == "Kode"
    assert found["personal"] == ["Sumber"]
    assert [*found["fields"]] == ["narrative"]
    for reported in (
        "- Sumber # 4 of 4 values look like account names",
        "#  - Tanggal lapor # looks like received_date, but 0 of 4 values are dates",
        "#  - Kabupaten # looks like regency, but 0 of 4 values are known places",
        "key: Kode # differs in all 4 rows of the sample, and is never empty",
    ):
        assert reported in text
    for value in ("lusa", "Lethem", "@warga", "rahasia", "K-1"):
        assert value not in text


# -- what is no table, and odd files --------------------------------------------------------------


@pytest.mark.parametrize(
    "rows",
    [
        [["1", "06/11/2024", "Bangka"], ["2", "07/11/2024", "Belitung"]],
        [["a@contoh.example.id", "0812345678"], ["b@contoh.example.id", "0812345679"]],
        [["biru", "Mentok"], ["biru", "Muntok"], ["hijau", "Mentok"]],
    ],
)
def test_a_row_of_data_is_no_header(tmp_path: Path, rows: list[list[str]]) -> None:
    with pytest.raises(SourceError, match="its first row is one of data"):
        proposed(tmp_path, "register", "a.csv", as_csv(rows[0], rows[1:]))


def sqlite_bytes() -> bytes:
    with closing(sqlite3.connect(":memory:")) as made:
        made.execute("create table t (id integer primary key, uraian text)")
        made.execute("insert into t values (1, 'x')")
        made.commit()
        return made.serialize()


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"sql"}))
def test_an_sqlite_file_is_no_sample_of_another_kind(tmp_path: Path, kind: str) -> None:
    """It gave a channel file full of NULs."""
    with pytest.raises(SourceError):
        proposed(tmp_path, kind, "a.csv", sqlite_bytes())
    assert not [*(tmp_path / "channels").iterdir()]


def test_a_sample_that_is_no_file_is_refused(tmp_path: Path) -> None:
    for sample in (tmp_path, tmp_path / "tidak-ada", Path("/dev/zero")):
        with pytest.raises(SourceError):
            scaffold.write(tmp_path, SEEDS, "register", "baru", str(sample))


TABLE = as_csv(
    ["Nomor", "Tanggal", "Isu", "Isu", "Nama"],
    [[n, "6/11/2024", "a", "b", "Warga"] for n in range(3)],
)
BOOK = workbook({"S": [["Nomor", "Kab", "Isi"], ["1", "Bangka", "x"]]})
DOCUMENT = json.dumps({"results": [{"_id": 1, "a/b": None, "c": [1], "d": {"e": "x"}}]}).encode()
CHAT = b"06/11/24 19.33 - Warga Contoh: ADUAN\nTanggal: 5 November 2024\nLokasi: Bangka\n"
MAIL = b"From: a@b.example.id\nSubject: x\n\nADUAN\nTanggal: 5 November 2024\nLokasi: Bangka\n"
PAGE = b"<html><table><tr><th>No</th><th>Isi</th></tr><tr><td>1</td><td>x</td></tr></table>"
ODD = [
    *(
        b"",
        b" \n\n",
        b"\0" * 3_000,
        b"\xff\xfe",
        "Nomor,Isi\n1,x\n".encode("utf-16"),
        b"PK\x03\x04",
    ),
    *(
        "\ufeffNomor,Isi\n1,x\n".encode(),
        "Nomor,Isi\n1,x\n".encode("utf-16-le"),
        b"\xd0\xcf\x11\xe0",
    ),
    *(b"Isi\nx\ny\n", b"6/11/2024\n7/11/2024\n", b"Nomor,Isi\n", b"Nomor,Nomor,Nomor\n1,2,3\n"),
    *(
        b'a,"b\n1,2\n',
        b"a;b\r\n" * 3,
        b"[" * 5_000,
        b"[]",
        b"[{}]",
        b"null",
        b'{"a":' * 200,
        b"%PDF-1.7\n",
    ),
    *(b",".join([b"a"] * 20_000), b"a," * 10 + b"\n" + b"," * 10, b"\x89PNG\r\n\x1a\n" + bytes(99)),
    *(
        sqlite_bytes(),
        sqlite_bytes()[:600],
        TABLE,
        BOOK,
        BOOK[: len(BOOK) // 2],
        DOCUMENT,
        CHAT,
        MAIL,
        PAGE,
    ),
    *(
        b"Nomor,Isi\n" + b'1,"' + b"x" * 200_000 + b'"\n',
        b"\x1f\x8b\x08" + bytes(50),
        b"-,-\n-,-\n",
    ),
    *(
        b"id,tanggal\n1,\n",
        b"#,: ,'\n1,2,3\n",
        b"true,null,~\n1,2,3\n",
        b"Nomor \x07,Isi\x85\n1,2\n",
        "Nomor,Isi,a\x7f,b\x9f,c\ufffe,d\u2028\n1,x,1,2,3,4\n".encode(),
        '[{"id": 1, "Uraian": "x", "a\x7f": 1, "x\x85y": 2, "u\u2028v": 3, "q\ufffe": 4}]'.encode(),
    ),
    *(json.dumps([{"\ud800": "\ud800", "a": 1 << 70, "": ""}]).encode(), b'[{"a\\u0000":1}]'),
]
PIECES = st.sampled_from(
    [b"\0", b"\xff", b'"', b",", b";", b"\n", b"{", b"[", b"<td>", b": ", b"\xe2\x80\xa8"]
)


@st.composite
def odd_files(draw: Callable[[st.SearchStrategy[Any]], Any]) -> bytes:
    """An odd file, whole, cut, or with something put into it."""
    content: bytes = draw(st.one_of(st.sampled_from(ODD), st.binary(max_size=200)))
    if draw(st.booleans()):
        content = content[: draw(st.integers(0, len(content)))]
    for _ in range(draw(st.integers(0, 3))):
        at = draw(st.integers(0, len(content)))
        content = content[:at] + draw(PIECES) + content[at:]
    return content


NAMES = ["a.csv", "a.xlsx", "a.json", "a.txt", "a", "a.zip", "a.eml", "a.docx", "a.html", "a.db"]


def hold(tmp_path: Path, kind: str, name: str, content: bytes) -> None:
    """A sample is refused with an error of the tree, or gives a file that can be completed."""
    try:
        text, _ = proposed(tmp_path, kind, name, content)
    except SourceError:
        assert not [*(tmp_path / "channels").iterdir()]
        return
    assert all(each.isprintable() or each == "\n" for each in text)
    _, mistakes = read_channels(tmp_path / "channels")
    for reported in mistakes.get("baru", ()):
        assert any(each in reported for each in ("key: is missing", ": fields: ")), reported


@pytest.mark.parametrize("kind", KINDS)
def test_no_odd_file_breaks_it(tmp_path: Path, kind: str) -> None:
    for content in ODD:
        for name in ("a.csv", "a.xlsx"):
            hold(tmp_path, kind, name, content)


@given(kind=st.sampled_from([*KINDS]), name=st.sampled_from(NAMES), content=odd_files())
@example(kind="register", name="a.csv", content=b"a,b\n\x00,\n")
def test_nothing_that_is_delivered_breaks_it(
    tmp_path: Path, kind: str, name: str, content: bytes
) -> None:
    hold(tmp_path, kind, name, content)


# -- held-out samples ------------------------------------------------------------------------------

TRUTH: dict[tuple[str, str], tuple[str | None, set[str]] | None] = {
    ("register", "xlsx/table-multiple.xlsx"): ("Item", set()),
    ("register", "xlsx/date.xlsx"): None,  # no header
    ("register", "xlsx/pass_protected.xlsx"): None,
    ("register", "xlsx/too_small.xls"): None,
    ("register", "email/cpython_msg_02.txt"): None,
    ("register", "geo/babel_kab.geojson"): None,
    ("http_json", "geo/babel_kab.geojson"): ("id", set()),
    ("http_json", "geo/babel_kec.geojson"): ("id", set()),
    ("http_json", "kobo/data_page_1.json"): ("_id", {"username", "_submitted_by"}),
    ("http_json", "odk/gc_submissions.json"): ("__id", {"__system.submitterName"}),
    ("kobo", "kobo/data_page_1.json"): (None, set()),
    ("kobo", "kobo/data_page_2.json"): (None, set()),
    ("kobo", "xlsx/date.xlsx"): None,
    ("odk", "odk/gc_submissions.json"): (None, set()),
    ("odk", "kobo/asset.json"): None,
    ("whatsapp", "xlsx/date.xlsx"): None,
    ("sql", "kobo/asset.json"): None,
    ("form_csv", "xlsx/table-multiple.xlsx"): None,
}
"""What a person who read the samples finds: the key (None: the kind makes it) and what is personal
beyond what the kind's own software adds; None: nothing can be proposed."""
MISSED = {
    ("register", "email/cpython_msg_02.txt"),  # lines of prose with commas pass for a table
    ("http_json", "geo/babel_kab.geojson"),  # a place's `nama` passes for a person's
    ("http_json", "geo/babel_kec.geojson"),
}


def test_held_out_samples(samples: Path, tmp_path: Path) -> None:
    """Of 18 proposals 15 are as a person judged the sample before.

    At first sight 12 were: `submitterName` and `_submitted_by` were not personal, and the
    definition of a form passed for its submissions. These three were corrected since, and one
    judgement that had overlooked an `id`; what is measured next needs other samples.
    """
    right = {}
    for (kind, name), truth in TRUTH.items():
        try:
            _, found = proposed(tmp_path, kind, Path(name).name, (samples / name).read_bytes())
        except SourceError:
            right[kind, name] = truth is None
            continue
        key = found.get("key") or found["source"].get("id")
        right[kind, name] = truth is not None and (key, {*found.get("personal", ())}) == truth
    assert {each for each, is_right in right.items() if not is_right} == MISSED


@pytest.mark.parametrize("kind", KINDS)
def test_no_held_out_sample_breaks_a_kind(samples: Path, tmp_path: Path, kind: str) -> None:
    for file in sorted(each for each in samples.rglob("*") if each.is_file()):
        hold(tmp_path, kind, file.name, file.read_bytes())


def test_dates_with_the_month_first_are_proposed_so(tmp_path: Path) -> None:
    rows = [[f"K-{n}", f"11/{day}/2024"] for n, day in enumerate((6, 12, 25))]
    header = ["Kode", "Tanggal lapor"]
    _, found = proposed(tmp_path, "register", "a.csv", as_csv(header, rows))
    assert found["source"]["date_order"] == "mdy"
    assert found["fields"]["received_date"] == {"from": "Tanggal lapor"}
    _, found = proposed(
        tmp_path, "register", "a.csv", as_csv(header, [*rows, ["K-9", "25/11/2024"]])
    )
    assert "date_order" not in found["source"]
