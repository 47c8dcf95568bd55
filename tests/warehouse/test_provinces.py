"""Three provinces in one warehouse, whose regencies have the same names: each has its own figures.

Each province has a world of its own seed. The regions of 76 and 92 are those of 19 under other
codes, so that every name would be ambiguous if names were looked up in the whole warehouse.
"""

from __future__ import annotations

import csv
import json
import re
import shutil
import threading
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
import yaml

from lumbung.demo import reckoning, run, world, writers
from lumbung.demo.kobo_server import StandIn
from lumbung.demo.truth import METRIC, metric_differences
from lumbung.errors import ConfigurationError, PublicationError
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.run import pull
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.editions import freezing
from lumbung.settings import Settings
from lumbung.warehouse import mappings
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import acting_as, role_url
from tests.support.against_truth import facts_equal_truth, prevention_equals_truth
from tests.support.databases import fresh_database
from tests.warehouse.conftest import PROJECT, Raw, cheaper, query

PROVINCES = {"19": 1, "76": 2, "92": 3}
"""The provinces, with the seed of the world of each."""
NATION = "ID"
Truths = dict[str, dict[str, Any]]


def _another_code(text: str, province: str) -> str:
    """Give codes of regencies that stand alone in a cell, such as 19.05, another province."""
    return re.sub(r"(?<=>)19(?=\.?(0[1-6]|71)<)", province, text)


def _move(source: Path, target: Path, province: str) -> None:
    """Give a delivered file to another province."""
    if source.suffix == ".json":
        text = re.sub(r'(?<="kejadian/kode_kab": ")19', province, source.read_text())
        target.write_text(text)
    elif source.suffix == ".xlsx":
        with ZipFile(source) as old, ZipFile(target, "w") as new:
            for name in old.namelist():
                content = old.read(name)
                if name.endswith(".xml"):
                    content = _another_code(content.decode(), province).encode()
                new.writestr(name, content)
    else:
        shutil.copy(source, target)


def _project(folder: Path) -> Path:
    """Make a project with the regions of 19 under three codes, and its channels for each."""
    for name in ("config", "dbt_project", "expectations"):
        shutil.copytree(PROJECT / name, folder / name)
    for seed in ("regency", "district", "village", "region_alias"):
        file = folder / "dbt_project" / "seeds" / f"{seed}.csv"
        with file.open(encoding="utf-8", newline="") as lines:
            header, *rows = csv.reader(lines)
        with file.open("w", encoding="utf-8", newline="") as lines:
            csv.writer(lines, lineterminator="\n").writerows(
                [header]
                + [
                    [
                        re.sub("^19", province, cell) if name.endswith("code") else cell
                        for name, cell in zip(header, row, strict=True)
                    ]
                    for province in PROVINCES
                    for row in rows
                ]
            )
    (folder / "channels").mkdir()
    for name in run.CHANNELS:
        channel = yaml.safe_load((PROJECT / "channels" / f"{name}.yaml").read_text())
        for province in PROVINCES:
            text = yaml.safe_dump({**channel, "province": province})
            (folder / "channels" / f"{name}_{province}.yaml").write_text(text)
    return folder


def _pull(province: str, settings: Settings, url: str, folder: Path) -> dict[str, Any]:
    """Pull a province's world; return its truth under the codes of the province."""
    invented = world.generate(PROVINCES[province])
    writers.write(invented, folder)
    for name in run.CHANNELS:
        inbox = settings.inbox / f"{name}_{province}"
        if (file := folder / f"{name}.json").exists():
            _move(file, inbox.with_suffix(".json"), province)
            continue
        inbox.mkdir(parents=True)
        for file in sorted((folder / name).iterdir()):
            _move(file, inbox / file.name, province)
            shutil.copystat(file, inbox / file.name)
    with StandIn(settings.inbox / f"kobo_pemantau_{province}.json", 0, "rahasia") as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        for name in run.CHANNELS:
            pull(
                f"{name}_{province}",
                settings=settings,
                database_url=url,
                connection=SourceConnection(server.address, password="rahasia")
                if name == "kobo_pemantau"
                else None,
                run_key="test",
            )
        server.shutdown()
    text = json.dumps(reckoning.truth_of(invented), default=str)
    text = re.sub(r'"19(?=["./])', f'"{province}', text)
    for name in run.CHANNELS:
        text = text.replace(f'"{name}"', f'"{name}_{province}"')
    truth: dict[str, Any] = json.loads(text)
    return truth


@pytest.fixture(scope="module")
def nation(
    server: EmbeddedPostgres, empty_warehouse: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, Settings, Truths]]:
    """The warehouse of three provinces, its settings and the truth of each province."""
    url = fresh_database(server, empty_warehouse, "nation")
    folder = tmp_path_factory.mktemp("nation")
    settings = Settings(folder / "home", _project(folder), None)
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("LUMBUNG_PROJECT", str(folder))  # whose places are no names of people
        truths = {
            province: _pull(province, settings, url, tmp_path_factory.mktemp(province))
            for province in PROVINCES
        }
        with cheaper(tmp_path_factory):
            build(settings=settings, database_url=url)
        yield url, settings, truths


def of_province(url: str, province: str) -> str:
    return acting_as(role_url(url, "desk"), f"analyst_{province}")


@pytest.mark.parametrize("province", PROVINCES)
def test_a_province_has_its_own_figures_and_its_analyst_reads_no_other(
    nation: tuple[str, Settings, Truths], province: str
) -> None:
    url, _, truths = nation
    analyst = of_province(url, province)
    facts_equal_truth(analyst, truths[province])
    prevention_equals_truth(analyst, truths[province], url)
    assert metric_differences(truths[province], analyst) == []


def test_the_country_is_the_sum_of_its_provinces(nation: tuple[str, Settings, Truths]) -> None:
    url, _, truths = nation
    wanted: Counter[tuple[str, ...]] = Counter()
    for province, truth in truths.items():
        for row in truth["metrics"]:
            if row["regency_code"] == province:
                metric, category, _, *rest, value = (row[name] for name in METRIC)
                wanted[metric, category, *rest] += value
    assert sum(wanted.values()) > 1000
    found = query(
        url,
        "select metric_code, category_code, week_id, period, value from reporting.rpt_metric"
        " where regency_code = %s and week_id = any(%s)",
        NATION,
        truths["19"]["weeks"],
    )
    assert {tuple(key): value for *key, value in found} == wanted


def test_a_regencys_analyst_reads_one_regency_of_one_province(
    nation: tuple[str, Settings, Truths],
) -> None:
    url, _, truths = nation
    own = acting_as(role_url(url, "desk"), "analyst_76_01")
    found = query(own, "select distinct regency_code from marts.fct_report")
    assert found == [("76.01",)]
    ((count,),) = query(own, "select count(*) from marts.fct_report")
    assert count == sum(row["regency_code"] == "76.01" for row in truths["76"]["reports"])


def test_themes_are_compared_with_the_own_province(nation: tuple[str, Settings, Truths]) -> None:
    url, _, _ = nation
    compared = query(
        url,
        "select left(regency_code, 2), issue_code, week_id,"
        " sum(case_count) = round(min(province_share_pct) * sum(base_count) / 100),"
        " count(distinct province_share_pct) from marts.agg_issue_profile"
        " group by 1, 2, 3 having sum(base_count) > 0",
    )
    assert len(compared) > 100
    assert {row[3:] for row in compared} == {(True, 1)}


def test_what_concerns_a_channel_is_listed_for_its_province(
    nation: tuple[str, Settings, Truths],
) -> None:
    url, _, _ = nation
    listed = query(
        url, "select distinct left(regency_code, 2), right(channel, 2) from marts.fct_review_item"
    )
    assert listed
    assert {own == named for own, named in listed} == {True}


def test_an_increment_counts_the_province_and_the_country_again(
    nation: tuple[str, Settings, Truths],
) -> None:
    url, settings, _ = nation
    before = dict(query(url, _TO_DATE))
    Raw(url).land(
        "register_laporan_92",
        [{"Nomor Register": "991/LP/PB/Kab/33.01/X/2024", "Tanggal / Diterima": "2024-10-01",
          "Tempat Kejadian / Kab/Kota": "Belitung"}],
    )  # fmt: skip
    build(settings=settings, database_url=url)
    after = dict(query(url, _TO_DATE))
    assert {place: after[place] - before[place] for place in after if after != before} == {
        **dict.fromkeys(before, 0), "92.02": 1, "92": 1, NATION: 1,
    }  # fmt: skip


_TO_DATE = """
select regency_code, value from reporting.rpt_metric
where metric_code = 'suspected_violation' and period = 'to_date' and week_id = '2024-W41'
"""


def test_an_edition_of_several_provinces_is_refused(nation: tuple[str, Settings, Truths]) -> None:
    url, settings, _ = nation
    with pytest.raises(PublicationError, match="several provinces"):
        freezing.freeze("2024-W40", settings=settings, database_url=url)


def test_a_place_is_given_a_region_of_its_own_province(
    nation: tuple[str, Settings, Truths],
) -> None:
    url, _, _ = nation
    ((place,),) = query(
        url,
        "select min(place_id) from intermediate.int_places__resolved"
        " where regency_code = '76.00' and location_method = 'unresolved'",
    )
    offered = mappings.codes(mappings.PLACE, place)
    assert len(offered) == 54
    assert {code[:2] for code in offered} == {"76"}
    with pytest.raises(ConfigurationError, match=r"place has no code '19\.05'"):
        mappings.decide(url, mappings.PLACE, place, "19.05", by="tono")


def _changed(settings: Settings, folder: Path) -> Settings:
    """Return the same home with a project of its own."""
    shutil.copytree(settings.project, folder / "project")
    return Settings(settings.home, folder / "project", None)


def _provinces_of(url: str, channel: str) -> list[tuple[str]]:
    """Return the provinces in which a channel's cases count."""
    return query(
        url,
        "select distinct left(regency_code, 2) from marts.fct_report where channel = %s",
        channel,
    )


def test_a_province_stays_in_the_seeds_as_long_as_a_channel_has_it(
    nation: tuple[str, Settings, Truths], tmp_path: Path
) -> None:
    url, settings, _ = nation
    changed = _changed(settings, tmp_path)
    regencies = changed.dbt_project / "seeds/regency.csv"
    kept = [row for row in regencies.read_text().splitlines() if not row.startswith("92")]
    regencies.write_text("\n".join(kept) + "\n")
    with pytest.raises(ConfigurationError, match=r"province of form_pencegahan_92 \(92\), "):
        build(settings=changed, database_url=url)


def test_a_channel_that_moves_takes_all_its_records_along(
    nation: tuple[str, Settings, Truths], tmp_path: Path
) -> None:
    url, settings, _ = nation
    changed = _changed(settings, tmp_path)
    file = changed.channels / "register_laporan_19.yaml"
    file.write_text(yaml.safe_dump({**yaml.safe_load(file.read_text()), "province": "76"}))
    assert _provinces_of(url, file.stem) == [("19",)]
    build(settings=changed, database_url=url)
    assert _provinces_of(url, file.stem) == [("76",)]
    build(settings=settings, database_url=url)
    assert _provinces_of(url, file.stem) == [("19",)]


def test_a_channel_without_a_province_stands_still(
    nation: tuple[str, Settings, Truths], tmp_path: Path
) -> None:
    url, settings, _ = nation
    changed = _changed(settings, tmp_path)
    file = changed.channels / "register_laporan_76.yaml"
    channel = yaml.safe_load(file.read_text())
    for province, mistake in ((None, "is missing"), ("11", "'11' is not in the seed regency")):
        channel["province"] = province
        file.write_text(yaml.safe_dump(channel))
        result = build(settings=changed, database_url=url)
        (warning,) = result.warnings
        assert "register_laporan_76" in warning
        assert mistake in warning
    assert _provinces_of(url, file.stem) == [("76",)]
