"""A word that no seed knows is stored under a pseudonym; one row of a seed makes it count."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from lumbung.intake.landing.pseudonyms import term_pseudonym
from lumbung.intake.run import pull
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from lumbung.stewardship import items
from lumbung.warehouse.build import build
from lumbung.warehouse.raw_checkpoint import check_raw
from tests.warehouse.conftest import CHANNELS, PROJECT, query, write_channel

pytestmark = pytest.mark.slow

FIELDS = ("register_number", "received_date", "regency", "issue", "status", "narrative")
BOOK = """Nomor,Diterima,Kab/Kota,Isu,Status,Uraian
001/LP/PB/Kab/09.01/XI/2024,2024-11-06,Bangka,SARA,dalam kajian Budi,amplop
002/LP/PB/Kab/09.01/XI/2024,2024-11-06,Bangka,SARA,Dalam  kajian budi.,amplop
003/LP/PB/Kab/09.01/XI/2024,2024-11-06,Bangka,bagi bagi Sari,diregistrasi,amplop
004/LP/PB/Kab/09.01/XI/2024,2024-11-06,Bangka,SARA,urusan Tono,amplop
００5/LP/PB/Kab/09.01/XI/2024,6 Ｎｏｖ\u200bember 2024,Bаngkа,ＳＡ\u200bＲＡ,diregistrаsi,amplop
006/LP/PB/Kab/09.01/XI/2024,2024-11-06,Бангка,SARA,diregistrasi,amplop
"""
PLANS = """Kab/Kota,No,Tema,Bentuk,Sasaran,Mulai,Selesai,Jumlah Kegiatan,Jumlah Peserta,Penanggung Jawab
Bangka,1,perjudian daring,,,2024-11-01,2024-11-20,4,,
Bangka,2,SARA; perjudian daring,Pendidikan,Warga,2024-11-01,2024-11-20,4,,Bawaslu kabupaten atau kota
Bangka,3,SARA,Pendidikan,Warga,2024-11-01,2024-11-20,6,,Bawaslu kabupaten atau kota
Bangka,4,SARA,Pendidikan,Warga,2024-11-01,2024-11-20,6,,Bawaslu provinsi
Kepulauan Bangka Belitung,5,SARA,Pendidikan,Warga,2024-11-01,2024-11-20,6,,Bawaslu provinsi
"""  # noqa: E501


def test_a_word_that_is_mapped_later_counts_in_what_was_landed_before(
    database_url: str, tmp_path: Path
) -> None:
    project = tmp_path / "project"
    shutil.copytree(PROJECT / "dbt_project", project / "dbt_project")
    for name in ("config", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    (project / "channels").mkdir()
    settings = Settings(tmp_path / "home", project, None)
    book = CHANNELS["buku"]
    fields = {name: book["fields"][name] for name in FIELDS}
    write_channel(settings.channels / "buku.yaml", {**book, "fields": fields})
    shutil.copy(PROJECT / "channels" / "rencana_pencegahan.yaml", settings.channels)
    plans = settings.inbox / "rencana_pencegahan"
    plans.mkdir(parents=True)
    (plans / "rencana.csv").write_text(PLANS)
    pull("rencana_pencegahan", settings=settings, database_url=database_url, run_key="rencana")
    (settings.inbox / "buku").mkdir(parents=True)
    (settings.inbox / "buku" / "buku.csv").write_text(BOOK)
    counts = pull("buku", settings=settings, database_url=database_url, run_key="uji")
    assert counts.landed == 6
    vault = Vault.load(settings.home)
    said = "select payload ->> 'Status' from raw.record where channel = 'buku' order by source_id"
    kajian, tono = (term_pseudonym(vault, term) for term in ("dalam kajian budi", "urusan tono"))
    before = query(database_url, said)
    assert sorted(before) == sorted(
        (each,) for each in [kajian, kajian, "diregistrasi", tono, "diregistrаsi", "diregistrasi"]
    )

    # a steward adds the word, and the pseudonym of one that must not stand in a seed
    with (project / "dbt_project" / "seeds" / "map_status.csv").open("a") as seed:
        seed.write("dalam kajian budi,kajian_awal,\n")
    with (project / "dbt_project" / "seeds" / "map_issue.csv").open("a") as seed:
        seed.write(f"{term_pseudonym(vault, 'bagi bagi sari')},PU\n")
    check_raw(settings=settings, database_url=database_url)
    build(settings=settings, database_url=database_url)
    assert query(database_url, said) == before
    assert query(
        database_url,
        "select register_number, status_code, array(select issue_code"
        "   from marts.bridge_report_issue as b where b.report_id = r.report_id)"
        " from marts.fct_report as r order by 1",
    ) == [
        ("001/LP/PB/Kab/09.01/XI/2024", "kajian_awal", ["SARA"]),
        ("002/LP/PB/Kab/09.01/XI/2024", "kajian_awal", ["SARA"]),
        ("003/LP/PB/Kab/09.01/XI/2024", "diregistrasi", ["PU"]),
        ("004/LP/PB/Kab/09.01/XI/2024", None, ["SARA"]),
        ("005/LP/PB/Kab/09.01/XI/2024", "diregistrasi", ["SARA"]),
        ("006/LP/PB/Kab/09.01/XI/2024", "diregistrasi", ["SARA"]),
    ]
    places = "select regency_code from marts.fct_report where register_number ~ '^00[56]' order by"
    assert query(database_url, f"{places} register_number") == [("19.01",), ("19.00",)]
    assert query(
        database_url,
        "select count(*) from intermediate.int_status_events__ordered"
        " where to_status_code = 'kajian_awal'",
    ) == [(2,)]
    listed = items(database_url)
    unknown = [each.detail for each in listed if each.check_code == "word_unknown"]
    daring = term_pseudonym(vault, "perjudian daring")
    assert sorted(unknown) == [f"issue: {daring}", f"status: {tono}"]
    assert [each.check_code for each in listed].count("place_unresolved") == 1
    # a plan: of an unknown theme, of a known and an unknown one, the same again, of another office
    assert query(
        database_url,
        "select issue_codes, unknown_fields, regency_code from marts.fct_prevention_plan"
        " inner join raw.record using (record_id) order by record_id",
    ) == [
        ([], ["issue"], "19.01"),
        *[(["SARA"], [], "19.01")] * 3,
    ]
    about_plans = [
        (each.check_code, each.record_count)
        for each in listed
        if each.check_code.startswith("plan_")
    ]
    assert sorted(about_plans) == [("plan_repeated", 2), ("plan_without_regency", 1)]
