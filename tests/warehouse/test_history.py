"""Any sequence of increments leaves the rows that a full refresh of the same records gives.

Random histories are landed by the product's own landing: new, edited, withdrawn and returning
deliveries, late ones and slips of the pen, corrections that are taken back, test rows, dates that
are missing, numbers that two rows have, places and dates as clerks write them, rows excluded,
withdrawals that are held, quarantine that opens and closes, a channel of which nothing could be
read yet, cases that move to another regency or week, people's decisions on pairs and on single
deliveries, channels that are held back and released, days and weeks that pass, other mappings of a
channel, what was landed computed again, builds that fail half-way, are resumed or are not. After
each history every column of every table of readers is compared with a full refresh.
LUMBUNG_HISTORIES=20 plays twenty longer ones instead of the two of CI.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any
from unittest.mock import patch

import psycopg
import pytest
import yaml

from lumbung.errors import BuildError
from lumbung.intake.channel import load
from lumbung.intake.connectors.base import Delivery, SeenIds, Unreadable
from lumbung.intake.landing import Landing
from lumbung.intake.vault import Vault
from lumbung.settings import Settings
from lumbung.warehouse import build as warehouse_build
from lumbung.warehouse.build import build
from lumbung.warehouse.links import Decision, decide
from tests.warehouse.conftest import CHANNELS as USUAL
from tests.warehouse.conftest import query, write_channel

pytestmark = pytest.mark.slow

PREVENTION: dict[str, dict[str, Any]] = {
    "cegah": {
        "record_kind": "PREV",
        "fields": {
            "activity_date": {"from": "Tanggal"},
            "prevention_form": {"from": "Bentuk"},
            "participants": {"from": "Peserta"},
        },
    },
    "rencana": {
        "record_kind": "PLAN",
        "fields": {
            "plan_start_date": {"from": "Mulai"},
            "plan_end_date": {"from": "Selesai"},
            "planned_activities": {"from": "Kegiatan"},
        },
    },
}
for document in PREVENTION.values():
    document |= {"source": {"kind": "register"}, "key": "No", "kept": "No"}
    document["fields"] |= {
        "regency": {"from": "Kab/Kota"},
        "issue": {"from": "Tema", "separator": ";"},
        "target_group": {"from": "Sasaran", "separator": ";"},
    }
CHANNELS = USUAL | PREVENTION

PLACES = ["Bangka", "Belitung", "Pangkalpinang", "Bangka Tengah", "entah di mana", "1903", None,
          "Bangka Sltn", "Kec. Kelapa Bangka Barat", "19.03", "tes"]  # fmt: skip
DISTRICTS = ["Sungailiat", "Tanjung Pandan", "Rangkui", "Koba", "Mendo Barat", None, "Air Gegas",
             "Desa Dendang"]  # fmt: skip
CODES = ["19.01", "19.02", "19.03", "19.71", "1905", None]
ISSUES = ["politik uang", "isu SARA", "netralitas ASN", "kampanye hitam", "isu entah apa",
          "terlalu panjang " * 100, "tes"]  # fmt: skip
STATUSES = ["Diterima", "Diregistrasi", "Kajian awal", "Tidak diregistrasi", "Terbukti pelanggaran",
            "Selesai", "entah", None, "tes"]  # fmt: skip
ODD_DATES = [None, "-", "31 September 2024", "2031-01-01", "nihil", "2023-01-01", "6" * 2000,
             "24/11/06", "Rabu, 7 November 2024", "30 Des - 2 Jan 2025",
             "7 Nov 2024 malam"]  # fmt: skip
EXCLUDE = (
    "insert into ops.exclusion_decision"
    " (channel, source_id, record_id, decision_code, decided_by, reason)"
    " select channel, source_id, max(record_id), 'excluded', 'rekan', 'rekaan'"
    " from raw.record group by channel, source_id"
)
BLOCK_SIZE = 5
"""About as many cases as there are alike ones in a channel: blocks cross the bound both ways."""
STORIES = ["pembagian beras di rumah warga", "spanduk hitam di jalan raya", "test", None]


class Office:
    """An office whose channels deliver at random; remembers what it delivered."""

    def __init__(self, url: str, settings: Settings, seed: int) -> None:
        self.url = url
        self.settings = settings
        self.random = random.Random(seed)
        self.ids: dict[str, list[str]] = {name: [] for name in CHANNELS}
        self.first: dict[tuple[str, str], dict[str, Any]] = {}
        self.pulls = 0
        self.today = date(2024, 11, 8)

    def day(self) -> str | None:
        """Mostly of a few weeks, some before the campaign, a few that widen the span, some none."""
        chance = self.random.random()
        first, days = date(2024, 10, 28), 28
        if chance < 0.15:
            first, days = date(2024, 8, 1), 90
        elif chance < 0.2:
            first, days = date(2024, 12, 1), 60
        elif chance < 0.25:
            return self.random.choice(ODD_DATES)
        return (first + timedelta(days=self.random.randrange(days))).isoformat()

    def fields(self, channel: str, source_id: str) -> dict[str, Any]:
        pick = self.random.choice
        story = pick(STORIES)
        is_alike = self.random.random() < 0.4
        if channel == "buku":
            return {
                "Nomor": pick([
                    source_id, source_id.replace("/", "/Reg/", 1), None, "999" + source_id[3:],
                    pick(self.ids[channel]),
                ]),
                "Diterima": self.day(), "Diketahui": self.day(), "Kejadian": self.day(),
                "Kab/Kota": pick(PLACES), "Kecamatan": pick(DISTRICTS),
                "Isu": ";".join(self.random.sample(ISSUES, self.random.randrange(4))),
                "Jenis": pick(["Pidana", "Administrasi, Etik", None]), "Status": pick(STATUSES),
                "Alasan": pick(["formil", None]), "Uraian": story,
            }  # fmt: skip
        if channel == "rekap":
            return {
                "No": source_id, "Tanggal": self.day(), "Kode": pick(CODES),
                "Kecamatan": pick(DISTRICTS), "Pemilihan": pick(["Pilgub", "Pilbup", None]),
                "Kegiatan": pick(["Kampanye", "Pencegahan", "Nihil", "rapat entah"]),
                "Bentuk": pick(["Tatap muka", "Sosialisasi", "Rapat umum", None]),
                "Keterangan": story,
            }  # fmt: skip
        if channel in PREVENTION:
            return {
                "No": source_id, "Tanggal": self.day(), "Kab/Kota": pick(PLACES),
                "Bentuk": pick(["Pendidikan", "Publikasi", None]), "Peserta": pick(["40", "1-2"]),
                "Tema": ";".join(self.random.sample(ISSUES[:4], self.random.randrange(3))),
                "Sasaran": pick(["Warga; Media massa", "ASN", None]), "Mulai": "2024-10-28",
                "Selesai": pick(["2024-11-24", self.day()]), "Kegiatan": pick(["4", "empat"]),
            }  # fmt: skip
        if channel == "grup":
            if self.random.random() < 0.3:
                return {"Teks": pick(["selamat pagi", "Pesan ini dihapus"])}
            if is_alike:
                return {
                    "Tanggal": "2024-11-05", "Lokasi": "Kec. Rangkui, Pangkal Pinang",
                    "Isu": "politik uang", "Uraian": story,
                }  # fmt: skip
            return {
                "Tanggal": self.day(), "Lokasi": pick(["Kec. Rangkui, Pangkal Pinang", "Bangka"]),
                "Isu": pick(ISSUES), "Uraian": story,
            }  # fmt: skip
        if is_alike:
            return {
                "tanggal": "2024-11-05", "kode": "1971", "kecamatan": "Rangkui",
                "isu": "politik_uang",
            }  # fmt: skip
        return {
            "tanggal": self.day(), "kode": pick(["1901", "1903", "1971", None]),
            "nama": pick(PLACES), "kecamatan": pick(DISTRICTS), "isu": pick(["politik_uang", None]),
        }  # fmt: skip

    def new_id(self, channel: str) -> str:
        number = len(self.ids[channel]) + 1
        made = f"{number:03}/{self.random.choice(['LP', 'TM'])}/PB/Kab/09.01/XI/2024"
        self.ids[channel].append(made if channel == "buku" else f"{channel} {number}")
        return self.ids[channel][-1]

    def pull(
        self, channel: str, *, new: int, old: int = 0, gone: Sequence[str] = (), bad: int = 0
    ) -> None:
        """New deliveries, old ones changed, as they first were or back again, withdrawals, bad."""
        self.pulls += 1
        some = self.random.sample(self.ids[channel], min(old, len(self.ids[channel])))
        ids = some + [self.new_id(channel) for _ in range(new)]
        items: list[Delivery | Unreadable] = []
        for each in ids:
            fields = self.fields(channel, each)
            first = self.first.setdefault((channel, each), fields)
            items.append(Delivery(each, self.moment(), self.random.choice([fields, first])))
        items += [
            Unreadable("unreadable_date", "tanggal tidak ada", [self.pulls, n], self.moment())
            for n in range(bad)
        ]
        known = load.load_channels(self.settings.channels)[channel]
        with psycopg.connect(self.url, autocommit=True) as connection:
            landing = Landing(
                connection, known, Vault.load(self.settings.home), f"tarikan {self.pulls}"
            )
            if items:
                landing.land(items)
            if gone:
                landing.write_tombstones(gone)
            if self.random.random() < 0.2:
                landing.resolve_quarantine(SeenIds(), [""])  # a complete listing without them

    def moment(self) -> datetime:
        return datetime(2024, 11, 1, tzinfo=UTC) + timedelta(hours=self.random.randrange(600))

    def decide(self) -> None:
        """A person decides on a listed pair, on one that is none, or takes a decision back."""
        decisions: list[Decision] = ["same_event", "different", "undone"]
        pairs = query(self.url, "select report_id_a, report_id_b from marts.fct_report_pair")
        reports = query(self.url, "select report_id from marts.fct_report order by 1")
        if self.random.random() < 0.3 or not pairs:
            pairs = [tuple(each for (each,) in self.random.sample(reports, 2))]
        first, second = self.random.choice(sorted(pairs))
        decide(self.url, first, second, self.random.choice(decisions), by="analis rekaan")

    def miss(self) -> None:
        """Files lack rows that are not withdrawn, because a row without a number may be them."""
        query(
            self.url,
            "with found as (delete from ops.missing_record where md5(record_id::text || %s) < '8')"
            " insert into ops.missing_record (record_id, channel, listing, is_held, batch_id)"
            " select max(record_id), channel, '', true, max(batch_id) from raw.record"
            " group by channel, source_id order by md5(source_id || %s) limit 2"
            " on conflict do nothing",
            *(str(self.random.random()) for _ in range(2)),
        )

    def hold(self) -> None:
        """A check does not trust what a channel landed since it was built, nor what follows."""
        query(
            self.url,
            "insert into ops.channel_hold (channel, check_name, after_batch_id, judged_batch_id,"
            " reason, reason_en) select channel, 'rekaan', after_batch_id, 0, 'x', 'x'"
            " from ops.channel_window where channel = %s on conflict do nothing",
            self.random.choice(list(CHANNELS)),
        )

    def release(self) -> None:
        """Some of the channels that are held are so no longer."""
        query(
            self.url,
            "update ops.channel_hold set released_at = clock_timestamp() where released_at is null"
            " and (%s or channel < 'g')",
            self.random.random() < 0.5,
        )

    def exclude(self) -> None:
        """A person excludes two deliveries, whatever has become of them, and restores some."""
        query(
            self.url,
            EXCLUDE + " order by md5(source_id || %s) limit 2",
            str(self.random.random()),
        )
        query(
            self.url,
            "insert into ops.exclusion_decision"
            " (channel, source_id, record_id, decision_code, decided_by, reason)"
            " select channel, source_id, record_id, 'restored', 'rekan', 'rekaan'"
            " from ops.exclusion_decision order by md5(source_id || %s) limit 1",
            str(self.random.random()),
        )

    def part(self) -> None:
        """A case that a person has linked is excluded, or its source withdraws it."""
        linked = query(
            self.url,
            "select distinct channel, source_id from raw.record inner join ops.link_decision"
            " on md5(channel || '/' || source_id) in (report_id_a, report_id_b) order by 1, 2",
        )
        if not linked:
            return
        channel, source_id = self.random.choice(linked)
        if self.random.random() < 0.5:
            self.pull(channel, new=0, gone=[source_id])
        else:
            having = " having channel = %s and source_id = %s"
            query(self.url, EXCLUDE + having, channel, source_id)

    def remap(self) -> None:
        """A channel's field is read from another label, or as another code system."""
        channel, field, one, other = self.random.choice([
            ("buku", "status", {"from": "Status"}, {"from": "Alasan"}),
            ("rekap", "regency_code", {"from": "Kode", "scheme": "kemendagri"},
             {"from": "Kode", "scheme": "bps"}),
        ])  # fmt: skip
        path = self.settings.channels / f"{channel}.yaml"
        document = yaml.safe_load(path.read_text())
        document["fields"][field] = other if document["fields"][field] == one else one
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    def change(self) -> None:
        """What happens between two builds."""
        channels = list(CHANNELS)
        for _ in range(self.random.randint(1, 4)):
            channel = self.random.choice(channels)
            self.pull(
                channel,
                new=self.random.randint(0, 3),
                old=self.random.randint(0, 3),
                gone=self.random.sample(
                    self.ids[channel], min(self.random.choice([0, 0, 1, 2]), len(self.ids[channel]))
                ),
                bad=self.random.choice([0, 0, 1]),
            )
        for _ in range(self.random.randint(0, 3)):
            self.decide()
        if self.random.random() < 0.7:
            self.exclude()
        if self.random.random() < 0.5:
            self.miss()
        if self.random.random() < 0.5:
            self.part()

    def build(self, **options: Any) -> bool:
        """As on `today`; whether it was a full one."""
        given = {"as_of_date": self.today.isoformat(), "link_block_size": BLOCK_SIZE}
        arguments = ("--vars", json.dumps(given))
        with patch.object(warehouse_build, "BUILD", (*warehouse_build.BUILD, *arguments)):
            return build(settings=self.settings, database_url=self.url, **options).is_full

    def step(self, kind: str) -> None:
        """What happens, and the build after it: an increment, or a full one by another map."""
        self.change()
        if kind in ("hold", "release"):
            getattr(self, kind)()
            assert not self.build()
        elif kind == "break":
            failed = self.fail()
            if self.random.random() < 0.7:
                self.change()
            assert not self.build(resume=self.random.random() < 0.5 or not failed)
        elif kind == "map again":
            self.remap()
            assert self.build()
        else:
            if kind == "time passes":
                self.today += timedelta(days=self.random.choice([1, 3, 10]))
            assert not self.build()

    def fail(self) -> bool:
        """A build that meets a table which takes no row; whether that stopped it."""
        (table,) = self.random.choice(
            query(
                self.url,
                "select table_schema || '.' || table_name from information_schema.tables"
                " where table_schema in ('intermediate', 'marts', 'reporting') and table_type ="
                " 'BASE TABLE' and table_name ~ '^(int_(rep|act|reg|fig|rec|ter)|fct|bri|rpt)'"
                " order by 1",
            )
        )
        query(self.url, f"alter table {table} add constraint shut check (false) not valid")
        try:
            self.build()
        except (BuildError, psycopg.Error):  # of dbt, or of the publication
            return True
        finally:
            query(self.url, f"alter table {table} drop constraint if exists shut")
        return False


def rows_of_readers(url: str) -> dict[str, list[str]]:
    """Every row of every relation of readers, all columns, as text."""
    relations = query(
        url,
        "select table_schema || '.' || table_name from information_schema.tables"
        " where table_schema in ('marts', 'reporting') order by 1",
    )
    return {
        name: [row for (row,) in query(url, f"select t::text from {name} as t order by 1")]
        for (name,) in relations
    }


def differences(found: dict[str, list[str]], wanted: dict[str, list[str]]) -> dict[str, Any]:
    assert found.keys() == wanted.keys()
    return {
        name: (sorted(set(found[name]) - set(wanted[name])), sorted(set(wanted[name]) - set(rows)))
        for name, rows in found.items()
        if rows != wanted[name]
    }


KINDS = ["go on", "break", "time passes", "map again", "hold", "hold", "release"]
SHORT = [["hold", "break", "release"], ["map again", "time passes", "hold"]]
"""The histories of CI."""


@pytest.fixture(scope="module")
def settings(office: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The office with channel files, and a day, of its own."""
    project = tmp_path_factory.mktemp("histories")
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to((office.project / name).resolve())
    (project / "channels").mkdir()
    return Settings(tmp_path_factory.mktemp("home"), project, None)


@pytest.mark.parametrize("seed", range(int(os.environ.get("LUMBUNG_HISTORIES", len(SHORT)))))
def test_increments_give_what_a_full_refresh_gives(
    seed: int, warehouse_url: str, settings: Settings
) -> None:
    url = warehouse_url
    for path in settings.channels.iterdir():
        path.unlink()
    for name, document in CHANNELS.items():
        write_channel(settings.channels / f"{name}.yaml", document)
    office = Office(url, settings, seed)
    for channel in CHANNELS:  # one has delivered nothing that can be read yet
        office.pull(channel, new=0 if channel == "tanpa_skema" else 12, bad=1)
    assert office.build(full_refresh=True)
    first = rows_of_readers(url)

    steps = SHORT[seed % len(SHORT)]
    if "LUMBUNG_HISTORIES" in os.environ:
        steps = office.random.choices(KINDS, k=office.random.randint(3, 6))
    for kind in steps:
        office.step(kind)
    found = rows_of_readers(url)
    if "map again" in steps:  # and all that was landed, computed again by an increment
        assert not office.build(since=date(2024, 1, 1))
        assert differences(rows_of_readers(url), found) == {}
    assert office.build(full_refresh=True)
    assert differences(found, rows_of_readers(url)) == {}
    # the tables that a full build put in place of the old ones are shut and opened as those were
    assert query(
        url,
        "select relname from pg_class as c where relnamespace in"
        " ('marts'::regnamespace, 'reporting'::regnamespace) and relkind = 'r'"
        " and relname !~ '^dim_' and (not relrowsecurity or not exists"
        " (select from pg_policy where polrelid = c.oid and polname = 'own_regency')) order by 1",
    ) == [("rpt_channel_completeness",), ("rpt_edition_name",), ("rpt_not_counted",)]
    changed = {name for name, rows in found.items() if rows != first[name]}
    assert changed >= {"marts.fct_report", "marts.fct_regency_day", "reporting.rpt_metric"}
