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
from lumbung.desk import editions, places
from lumbung.desk.access import person
from lumbung.desk.scope import scope
from lumbung.errors import ConfigurationError, PublicationError
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.run import pull
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication import trace
from lumbung.publication.checks import checkpoint
from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.model import store
from lumbung.publication.portal import publish as portal
from lumbung.publication.proof.keys import trusted_keys
from lumbung.publication.proof.verify import verify_all
from lumbung.settings import Settings
from lumbung.warehouse import mappings
from lumbung.warehouse.build import build
from lumbung.warehouse.roles import acting_as, role_url
from tests.support.against_truth import facts_equal_truth, prevention_equals_truth
from tests.support.databases import fresh_database
from tests.warehouse.conftest import PROJECT, Raw, cheaper, query

pytestmark = pytest.mark.slow

PROVINCES = {"19": 1, "76": 2, "92": 3}
"""The provinces, with the seed of the world of each."""
NATION = "ID"
EDITIONS = {"19": "2024-W40-r1", "76": "76-2024-W40-r1", NATION: "ID-2024-W40-r1"}
"""The editions that offices publish, by their areas."""
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


def _offices(settings: Settings) -> dict[str, Settings]:
    """Let the installation's own office publish for 19, and further ones for 76 and the country."""
    files = {"": {"area_code": "19"}, "76": {}, NATION: {"province": "Indonesia"}}
    for code, changes in files.items():
        here = settings.at_office(code).config
        here.mkdir(exist_ok=True)
        for name in ("edition.yaml", "people.yaml"):
            found = yaml.safe_load((PROJECT / "config" / name).read_text())
            if name == "edition.yaml":
                found |= changes
            elif code:
                found["approval"]["users"] = {f"ketua_{code}": "Ketua (rekaan)"}
                found |= {"sheet_readers": {}, "stewards": {f"tono_{code}": "province"}}
            (here / name).write_text(yaml.safe_dump(found))
    return {"19": settings, "76": settings.at_office("76"), NATION: settings.at_office(NATION)}


@pytest.fixture(scope="module")
def published(nation: tuple[str, Settings, Truths]) -> dict[str, tuple[Settings, str]]:
    """The office of each area, and the edition of a week that it has published."""
    url, settings, _ = nation
    with pytest.raises(ConfigurationError, match="one of 19, 76, 92, ID"):
        freezing.freeze("2024-W40", settings=settings, database_url=url)
    settings.home.mkdir(exist_ok=True)
    settings.demo_claim.write_text("{}")  # nobody has a phone here
    done = {}
    for province, office in _offices(settings).items():
        edition_id = freezing.freeze("2024-W40", settings=office, database_url=url)
        reviewed = review.write_draft(edition_id, settings=office, database_url=url)
        checkpoint.check(edition_id, settings=office, database_url=url)
        review.approve(edition_id, by="demo", how="demo", reviewed=reviewed, database_url=url)
        publishing.publish(edition_id, settings=office, database_url=url)
        portal.build(settings=office, database_url=url)
        done[province] = office, edition_id
    return done


def _wanted(truths: Truths, area: str) -> Counter[tuple[str, ...]]:
    """Return the metrics of a week by metric, category, place and period."""
    found: Counter[tuple[str, ...]] = Counter()
    for province, truth in truths.items():
        for row in truth["metrics"]:
            place, key = row["regency_code"], (row["metric_code"], row["category_code"])
            if row["week_id"] != "2024-W40" or area not in (province, NATION):
                continue
            if area == province or place == province:
                found[*key, place, row["period"]] += row["value"]
            if area == NATION and place == province:
                found[*key, NATION, row["period"]] += row["value"]
    return found


@pytest.mark.parametrize(("area", "edition_id"), EDITIONS.items())
def test_an_office_publishes_the_figures_of_its_area(
    nation: tuple[str, Settings, Truths],
    published: dict[str, tuple[Settings, str]],
    area: str,
    edition_id: str,
) -> None:
    url, _, truths = nation
    assert published[area][1] == edition_id
    wanted = _wanted(truths, area)
    assert len(wanted) > 700
    found = query(
        url,
        "select metric_code, category_code, regency_code, period, value from published.metric"
        " cross join lateral (values ('week', week_value), ('to_date', to_date_value))"
        " as v (period, value) where edition_id = %s",
        edition_id,
    )
    assert {tuple(key): value for *key, value in found} == wanted
    for table, column in (("not_counted", "channel"), ("contributor_record", "record_id")):
        channels = query(
            url,
            f"select distinct channel from published.{table}"
            + (" inner join raw.record using (record_id)" if column == "record_id" else "")
            + " where edition_id = %s",
            edition_id,
        )
        assert channels
        assert {channel.rpartition("_")[2] for (channel,) in channels} == (
            {*PROVINCES} if area == NATION else {area}
        )


def test_offices_have_portals_chains_and_readers_of_their_own(
    nation: tuple[str, Settings, Truths], published: dict[str, tuple[Settings, str]]
) -> None:
    url, settings, _ = nation
    for area, (office, edition_id) in published.items():
        site = {file.relative_to(office.portal).as_posix() for file in office.portal.rglob("*")}
        assert {name.split("/")[1] for name in site if name.startswith("edisi/")} == {edition_id}
        places = {Path(name).stem for name in site if name.startswith("wilayah/")}
        assert {place[:2] for place in places} == ({*PROVINCES} if area == NATION else {area})
    proofs = verify_all(settings.editions, trusted_keys(settings))
    assert {proof.edition_id for proof in proofs} == {*EDITIONS.values()}
    assert {(proof.previous, *proof.problems) for proof in proofs} == {(None,)}
    for office, edition_id in published.values():
        reader = person("pimpinan" if not office.office else f"ketua_{office.office}", settings)
        assert reader.may_decide
        assert [each.edition_id for each in editions.visible(reader, url)] == [edition_id]


def test_the_countrys_edition_speaks_of_provinces(
    nation: tuple[str, Settings, Truths], published: dict[str, tuple[Settings, str]]
) -> None:
    url, _, _ = nation
    edition = store.load(EDITIONS[NATION], database_url=url)
    assert [each.name for each in edition.regencies] == [
        "Kepulauan Bangka Belitung", "Sulawesi Barat", "Papua Barat",
    ]  # fmt: skip
    assert (edition.district_metrics, edition.profiles, edition.needs, edition.plans) == ((),) * 4
    assert edition.effects is None
    files = store.artefacts(edition.edition_id, database_url=url)
    for name, words, forbidden in (
        ("edisi.html", "Sulawesi Barat", "kabupaten/kota|seluruh provinsi"),
        ("siaran-pers.txt", "Pekan ini", "kabupaten/kota"),
        ("en/edition.html", "Sulawesi Barat", r"\bregenc|whole province"),
        ("en/press-release.txt", "this week", r"\bregenc"),
    ):
        text = files[name].decode()
        assert words in text
        assert re.findall(f".{{0,60}}(?:{forbidden}).{{0,40}}", text, re.IGNORECASE) == [], name
    traced = trace.trace(f"suspected_violation/ALL/ID/to_date@{EDITIONS[NATION]}", database_url=url)
    assert len(traced.contributors) == traced.value > 0


def test_an_area_stays_with_the_office_that_has_published_for_it(
    nation: tuple[str, Settings, Truths],
    published: dict[str, tuple[Settings, str]],
    tmp_path: Path,
) -> None:
    url, settings, _ = nation
    changed = _changed(settings, tmp_path)
    shutil.rmtree(changed.at_office("76").config)
    file = changed.config / "edition.yaml"
    file.write_text(file.read_text().replace("area_code: '19'", "area_code: '76'"))
    with pytest.raises(PublicationError, match="published by another office for this area"):
        freezing.freeze("2024-W41", settings=changed, database_url=url)
    shutil.copytree(changed.at_office(NATION).config, changed.at_office("92").config)
    frozen = freezing.freeze("2024-W41", settings=changed.at_office("92"), database_url=url)
    edition = store.load(frozen, database_url=url)
    assert (edition.area_code, edition.area_bps_code) == ("92", None)


def test_the_next_edition_of_an_office_is_compared_with_its_own(
    nation: tuple[str, Settings, Truths], published: dict[str, tuple[Settings, str]]
) -> None:
    url, _, _ = nation
    office, before = published["76"]
    following = freezing.freeze("2024-W41", settings=office, database_url=url)
    edition = store.load(following, database_url=url)
    assert (following, edition.previous_id) == ("76-2024-W41-r1", before)
    assert edition.restatements == ()


def test_a_steward_of_an_office_decides_places_of_its_province_alone(
    nation: tuple[str, Settings, Truths], published: dict[str, tuple[Settings, str]]
) -> None:
    url, settings, _ = nation
    steward = person("tono_76", settings)
    assert (steward.review_role, steward.sees_every_channel) == ("analyst_76", False)
    assert {each.province for each in scope(steward).files.values()} == {"76"}
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(places, "database_url", lambda role: role_url(url, role))
        found = places._found(steward)
    assert found
    assert {place_id[:2] for place_id in found} == {"76"}


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
