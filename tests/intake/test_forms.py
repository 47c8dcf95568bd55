"""The form of prevention activities: a form tool reads it, and every answer becomes a code."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import yaml
from python_calamine import CalamineWorkbook
from pyxform.xls2xform import xls2xform_convert

from lumbung import registry
from lumbung.intake.channel.load import load_channel
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.register.config import RegisterSource
from lumbung.intake.forms import write_plan_template, write_prevention_form

ROOT = Path(__file__).parents[2]


@pytest.fixture
def form(tmp_path: Path) -> dict[str, list[dict[str, str]]]:
    """The sheets of the form, row by row."""
    write_prevention_form(tmp_path / "form.xlsx")
    book = CalamineWorkbook.from_path(str(tmp_path / "form.xlsx"))
    sheets = {}
    for name in book.sheet_names:
        header, *rows = book.get_sheet_by_name(name).to_python()
        sheets[name] = [dict(zip(map(str, header), map(str, row), strict=True)) for row in rows]
    return sheets


def test_a_form_tool_reads_it_without_a_warning(tmp_path: Path) -> None:
    write_prevention_form(tmp_path / "form.xlsx")
    warnings = xls2xform_convert(tmp_path / "form.xlsx", tmp_path / "form.xml", validate=False)
    assert warnings == []
    written = (tmp_path / "form.xml").read_text(encoding="utf-8")
    assert "<h:title>Formulir Pencegahan</h:title>" in written
    assert 'ref="/data/sasaran"' in written


def test_its_channel_file_reads_every_question(form: dict[str, list[dict[str, str]]]) -> None:
    document = yaml.safe_load((ROOT / "forms" / "kobo_pencegahan.yaml").read_text("utf-8"))
    channel = Channel.model_validate({**document, "id": "kobo_pencegahan"})
    asked = {row["name"] for row in form["survey"]} - {"start", "end"}
    mapped = {label for field in channel.fields.values() for label in field.labels}
    assert asked == mapped | {*channel.personal, *channel.kept}
    assert {"petugas", "bukti"} == set(channel.personal)


def test_every_choice_is_a_word_of_its_vocabulary(form: dict[str, list[dict[str, str]]]) -> None:
    lists = {row["list_name"] for row in form["choices"]}
    assert lists == {
        row["type"].split()[1] for row in form["survey"] if row["type"].startswith("select")
    }
    for name in lists - {"regency", "district"}:
        with (ROOT / "dbt_project" / "seeds" / f"map_{name}.csv").open(encoding="utf-8") as file:
            codes = {row["term"]: row["code"] for row in csv.DictReader(file)}
        choices = [row for row in form["choices"] if row["list_name"] == name]
        assert len(choices) > 5
        for row in choices:
            for word in (row["name"].replace("_", " "), row["label"]):
                assert codes.get(word.lower()) == row["name"], (name, word)
    kinds = [row for row in form["choices"] if row["list_name"] == "prevention_kind"]
    assert {row["prevention_form"] for row in kinds} == set(registry.vocabulary("prevention_form"))
    districts = [row for row in form["choices"] if row["list_name"] == "district"]
    assert len(districts) == 47
    assert all(row["name"].startswith(row["regency"] + ".") for row in districts)


def test_the_template_of_a_plan_is_what_its_channel_reads(tmp_path: Path) -> None:
    write_plan_template(tmp_path / "plan.xlsx")
    book = CalamineWorkbook.from_path(str(tmp_path / "plan.xlsx"))
    assert book.sheet_names == ["Rencana", "Pilihan"]
    ((*labels,),) = book.get_sheet_by_name("Rencana").to_python()
    channel = load_channel(ROOT / "channels", "rencana_pencegahan")
    assert isinstance(channel.source, RegisterSource)
    assert channel.source.skip_sheets == ("Pilihan",)
    assert set(labels) == set(channel.public.values())
    assert channel.key == ("Kab/Kota", "No")  # two offices may both begin with 1
    header, *rows = book.get_sheet_by_name("Pilihan").to_python(skip_empty_area=False)
    columns = {
        str(label): [str(row[number]) for row in rows if row[number]]
        for number, label in enumerate(header)
        if label
    }
    vocabularies = {"Tema": "issue", "Bentuk": "prevention_form", "Sasaran": "target_group"}
    vocabularies["Penanggung Jawab"] = "office_level"
    assert set(columns) == {"Kab/Kota", *vocabularies}
    assert len(columns["Kab/Kota"]) == 7
    for label, name in vocabularies.items():
        with (ROOT / "dbt_project" / "seeds" / f"map_{name}.csv").open(encoding="utf-8") as file:
            codes = {row["term"]: row["code"] for row in csv.DictReader(file)}
        assert [codes.get(word.lower()) for word in columns[label]] == [*registry.vocabulary(name)]


def test_rules_of_prevention_name_themes_that_exist() -> None:
    for row in registry.seed("prevention_rule"):
        assert set(row["issue_codes"].split()) <= set(registry.vocabulary("issue"))
        conditions = [name for name in row if name.startswith(("min_", "max_"))]
        assert len(conditions) == 4
        assert any(row[name] for name in ("issue_codes", "trend_code", "is_marked", *conditions))
        assert row["suggestion"]
        assert row["source"]
