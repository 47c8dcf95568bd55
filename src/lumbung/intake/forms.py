"""Files that an office fills in: the form of prevention activities, and the plan of prevention.

Their choices are the codes and names of the seeds, which the seeds `map_<vocabulary>` read as
words. `forms/kobo_pencegahan.yaml` reads the answers to the form, for KoboToolbox and ODK;
`channels/rencana_pencegahan.yaml` reads the plan.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import xlsxwriter
from xlsxwriter.utility import xl_col_to_name

from lumbung import registry

PREVENTION_FORM = "formulir_pencegahan"

Rows = Iterable[Sequence[str]]

QUESTION_COLUMNS = (
    *("type", "name", "label", "hint", "required", "constraint", "choice_filter", "parameters"),
)


def _question(type: str, name: str, label: str = "", **columns: str) -> tuple[str, ...]:
    """A row of the sheet `survey`."""
    values = {"type": type, "name": name, "label": label, **columns}
    return tuple(values.get(column, "") for column in QUESTION_COLUMNS)


QUESTIONS = (
    _question("start", "start"),
    _question("end", "end"),
    _question("text", "petugas", "Nama petugas", required="yes"),
    _question("text", "instansi", "Instansi", required="yes"),
    _question("select_one office_level", "tingkat", "Tingkat", required="yes"),
    _question("date", "tanggal", "Tanggal kegiatan", required="yes", constraint=". <= today()"),
    _question("select_one regency", "kab", "Kabupaten/kota", required="yes"),
    _question("select_one district", "kecamatan", "Kecamatan", choice_filter="regency = ${kab}"),
    _question("text", "desa", "Desa/kelurahan"),
    _question("text", "tempat", "Tempat"),
    _question("select_one stage", "tahapan", "Tahapan"),
    _question("select_one prevention_form", "bentuk", "Bentuk pencegahan", required="yes"),
    _question(
        *("select_one prevention_kind", "jenis", "Jenis kegiatan"),
        choice_filter="prevention_form = ${bentuk}",
    ),
    _question("select_multiple target_group", "sasaran", "Sasaran", required="yes"),
    _question(
        *("select_multiple issue", "tema", "Tema yang hendak dicegah"),
        hint="Kosongkan bila umum",
    ),
    _question(
        *("integer", "peserta", "Jumlah peserta"),
        hint="Hanya jumlahnya, tanpa nama",
        constraint=". >= 0",
    ),
    _question("text", "uraian", "Uraian singkat", hint="Jangan menulis nama orang"),
    _question("image", "bukti", "Bukti dukung", parameters="max-pixels=1600"),
)


def write_prevention_form(path: Path) -> None:
    """Write the XLSForm of the Formulir Pencegahan, ready to be imported.

    Args:
        path: a file that ends in `.xlsx`; it is replaced.

    """
    places = [("regency", row["regency_code"], row["regency_name"], "", "") for row in _regencies()]
    places += [
        ("district", row["district_code"], row["district_name"], row["regency_code"], "")
        for row in registry.seed("district")
    ]
    stages = [
        ("stage", row["stage_code"], row["stage_name"], "", "") for row in registry.seed("stage")
    ]
    forms = registry.attribute("prevention_kind", "prevention_form_code")
    words = [
        (name, code, term.name[0], "", forms[code] if name == "prevention_kind" else "")
        for name in ("office_level", "prevention_form", "prevention_kind", "target_group", "issue")
        for code, term in registry.vocabulary(name).items()
    ]
    columns = ("list_name", "name", "label", "regency", "prevention_form")
    _write_sheets(
        path,
        survey=[QUESTION_COLUMNS, *QUESTIONS],
        choices=[columns, *places, *stages, *words],
        settings=[("form_title", "form_id"), ("Formulir Pencegahan", PREVENTION_FORM)],
    )


PLAN_COLUMNS = {
    "No": "",
    "Kab/Kota": "regency",
    "Tema": "issue",
    "Bentuk": "prevention_form",
    "Sasaran": "target_group",
    "Mulai": "",
    "Selesai": "",
    "Jumlah Kegiatan": "",
    "Jumlah Peserta": "",
    "Penanggung Jawab": "office_level",
    "Keterangan": "",
}
"""The columns of a plan, each with the list of its choices."""
PLAN_ROWS = 500
"""Rows of the template that offer the choices."""


def write_plan_template(path: Path) -> None:
    """Write the template of a plan of prevention: an empty table that offers the choices.

    Args:
        path: a file that ends in `.xlsx`; it is replaced.

    """
    choices = {
        name: [term.name[0] for term in registry.vocabulary(name).values()]
        for name in PLAN_COLUMNS.values()
        if name not in ("", "regency")
    } | {"regency": [row["regency_name"] for row in _regencies()]}
    with xlsxwriter.Workbook(str(path)) as book:
        bold = book.add_format({"bold": True})
        plan, lists = book.add_worksheet("Rencana"), book.add_worksheet("Pilihan")
        plan.freeze_panes(1, 0)
        for column, (label, name) in enumerate(PLAN_COLUMNS.items()):
            plan.write_string(0, column, label, bold)
            plan.set_column(column, column, 18)
            if name:
                lists.write_column(0, column, [label, *choices[name]])
                letter = xl_col_to_name(column)
                source = f"=Pilihan!${letter}$2:${letter}${len(choices[name]) + 1}"
                # a warning, no refusal: a cell may hold several themes or groups, divided by ;
                offer = {"validate": "list", "source": source, "error_type": "warning"}
                plan.data_validation(1, column, PLAN_ROWS, column, offer)


def _regencies() -> list[dict[str, str]]:
    return [row for row in registry.seed("regency") if row["is_unknown"] != "true"]


def _write_sheets(path: Path, **sheets: Rows) -> None:
    """A workbook with sheets of texts, whose first rows are their headers."""
    with xlsxwriter.Workbook(str(path)) as book:
        bold = book.add_format({"bold": True})
        for name, rows in sheets.items():
            sheet = book.add_worksheet(name)
            for number, row in enumerate(rows):
                for column, text in enumerate(row):
                    sheet.write_string(number, column, text, None if number else bold)
