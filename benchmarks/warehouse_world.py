"""A warehouse's worth of invented records, laid into `raw` by SQL: for measurements at volume.

Two channels of each province, of offices that do not exist: `buku_ukur_19`, a register of cases
(half of all) whose rows are edited now and then, and `formulir_ukur_19`, a form of tips, supervised
events and prevention actions. No personal field is among them. The server makes each row from its
number alone, so the same arguments give the same records. Content hashes are stand-ins of the right
width.
"""

from __future__ import annotations

import csv
import textwrap
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import psycopg
import yaml

BATCH = 5_000
"""Records a batch, as a pull writes them (`lumbung.intake.run.CHUNK_DELIVERIES`)."""

CHANNELS = {
    "buku_ukur": """\
        title: Buku register untuk pengukuran
        owner: {name: Kantor rekaan, email: ukur@lumbung.example}
        source: {kind: register}
        key: Nomor
        schedule: "0 5 * * *"
        expected_every: 1 day
        fields:
          register_number: {from: Nomor}
          received_date: {from: Diterima}
          known_date: {from: Diketahui}
          occurred_date: {from: Kejadian}
          regency: {from: Kab/Kota}
          district: {from: Kecamatan}
          issue: {from: Isu, separator: ";"}
          violation_type: {from: Jenis, separator: ","}
          accused_role: {from: Jabatan}
          status: {from: Status}
          narrative: {from: Uraian}
        """,
    "formulir_ukur": """\
        title: Formulir pengawasan untuk pengukuran
        owner: {name: Kantor rekaan, email: ukur@lumbung.example}
        source: {kind: kobo, asset: aUkur}
        connection: ukur
        schedule: "*/15 * * * *"
        expected_every: 1 day
        fields:
          record_kind: {from: jenis}
          activity_date: {from: tanggal}
          occurred_date: {from: tanggal}
          regency_code: {from: kode, scheme: kemendagri}
          district: {from: kecamatan}
          issue: {from: isu, separator: " "}
          election: {from: pemilihan}
          method: {from: metode}
          prevention_type: {from: pencegahan}
          narrative: {from: uraian}
        """,
}


def write_channels(folder: Path, provinces: Sequence[str]) -> None:
    """Write the channels' files, as an office has them in `channels/`, for each province."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in CHANNELS.items():
        shared = yaml.safe_load(textwrap.dedent(text))
        kind = shared["source"]["kind"]
        shared["matrix"] = {
            # two channels of one connection that read one form would count everything twice
            province: {"province": province}
            | ({"source": {"asset": f"aUkur{province}"}} if kind == "kobo" else {})
            for province in provinces
        }
        (folder / f"{name}.yaml").write_text(yaml.safe_dump(shared), encoding="utf-8")


def districts(seeds: Path) -> list[tuple[str, str, str]]:
    """The districts of a project's seeds: (regency's name, regency's code, district's name)."""
    with (seeds / "regency.csv").open(encoding="utf-8") as file:
        names = {row["regency_code"]: row["regency_name"] for row in csv.DictReader(file)}
    with (seeds / "district.csv").open(encoding="utf-8") as file:
        return [
            (names[row["regency_code"]], row["regency_code"], row["district_name"])
            for row in csv.DictReader(file)
        ]


@dataclass(frozen=True)
class History:
    """What was laid before: deliveries 1 to `count`, over `days` from `from_day` on."""

    count: int
    from_day: date
    days: int


def land(
    url: str,
    first: int,
    count: int,
    *,
    places: list[tuple[str, str, str]],
    from_day: date = date(2024, 1, 1),
    days: int = 330,
    edited: float = 0.0,
    history: History | None = None,
) -> int:
    """Lay `count` records into raw, in batches as landings write them.

    New deliveries have the numbers from `first` on; their days run from `from_day` over `days` in
    the order of their numbers, as they would come; every 20th is up to 60 days late.

    Args:
        url: the warehouse, migrated.
        first: number of the first record: what has another number is another delivery.
        count: records.
        places: where they lie (`districts`), those of a province one after the other.
        from_day: day of the first one.
        days: days over which they run.
        edited: this share of them (in steps of a thousandth) are new versions of deliveries of the
            last week of `history` instead: of other status, and in another place of the province.
        history: what was laid before.

    Returns:
        the highest batch id.

    """
    regencies, codes, names = (list(column) for column in zip(*places, strict=True))
    provinces = [code[:2] for code in codes]
    sizes = Counter(provinces)
    with psycopg.connect(url, application_name="lumbung benchmark") as connection:
        parameters = {
            "first": first,
            "count": count,
            "from_day": from_day,
            "days": days,
            "edited": edited,
            "known": history.count if history else 0,
            "known_from_day": history.from_day if history else from_day,
            "known_days": history.days if history else days,
            "batch": BATCH,
            "regencies": regencies,
            "codes": codes,
            "districts": names,
            "provinces": provinces,
            "distinct_provinces": [*sizes],
            "starts": [provinces.index(province) for province in provinces],
            "sizes": [sizes[province] for province in provinces],
            "places": len(places),
            "piece": BATCH * 2 * len(sizes),  # records that have a batch of every channel
        }
        connection.execute(_BATCHES.encode(), parameters)
        connection.execute(_RECORDS.encode(), parameters)
        row = connection.execute("select max(batch_id) from raw.batch").fetchone()
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("vacuum analyze raw.record, raw.batch")
    assert row is not None
    return int(row[0])


_BATCHES = """
create temporary table piece on commit drop as
with made as (
    insert into raw.batch (channel, run_key, started_at, read_count, landed_count,
        duplicate_count, quarantined_count)
    select channels.channel, 'ukur ' || %(first)s, now(), %(batch)s, %(batch)s, 0, 0
    from generate_series(0, ((%(count)s::bigint - 1) / %(piece)s)::int) as s (piece)
    cross join unnest(%(distinct_provinces)s::text[]) as provinces (province)
    cross join lateral (
        values ('buku_ukur_' || province), ('formulir_ukur_' || province)
    ) as channels (channel)
    returning batch_id, channel
)
select
    batch_id,
    channel,
    row_number() over (partition by channel order by batch_id) - 1 as piece
from made
"""

# Numbers are mixed by multipliers, so that columns do not depend on each other.
_RECORDS = """
insert into raw.record (record_id, channel, source_id, content_hash, batch_id, received_at, payload)
overriding system value
with numbers as (
    select
        place,
        case
            when place %% 1000 < %(edited)s * 1000
                then %(known)s::bigint - version * 7919
                    %% greatest(%(known)s::bigint * 7 / %(known_days)s / 2, 1) * 2 - version %% 2
            else version
        end as n,
        version
    from generate_series(%(first)s::bigint, %(first)s::bigint + %(count)s::bigint - 1)
        with ordinality as given (version, place)
),
placed as (
    select
        *,
        1 + (n * 7 + n / 11) %% %(places)s as first_district
    from numbers
),
dated as (
    select
        *,
        case n %% 2 when 0 then 'buku_ukur_' else 'formulir_ukur_' end
        || (%(provinces)s::text[])[first_district] as channel,
        n %% 2 = 0 as is_case,
        (place - 1) / %(piece)s as piece,
        case
            when n = version then first_district
            else 1 + (%(starts)s::int[])[first_district]
                + (version * 7 + version / 11) %% (%(sizes)s::int[])[first_district]
        end as district,
        case
            when n = version then %(from_day)s::date + ((place - 1) * %(days)s / %(count)s)::int
            else %(known_from_day)s::date + (n * %(known_days)s / greatest(%(known)s, 1))::int
        end
        - (case when n %% 20 = 0 then n * 31 %% 60 else 0 end)::int as day
    from placed
)
select
    ops.first_record_id(piece.batch_id) + (dated.place - 1) %% %(piece)s,
    dated.channel,
    case when is_case then 'nomor ' else 'uuid:' end || n,
    decode(md5('versi ' || version), 'hex'),
    piece.batch_id,
    (day + time '09:00') at time zone 'Asia/Jakarta',
    case
        when is_case then jsonb_build_object(
            'Nomor', lpad((n / 2 %% 9973)::text, 4, '0') || '/LP/PB/Kab/'
                || (%(codes)s::text[])[first_district] || '/'
                || (array['I', 'II', 'III', 'IV', 'V', 'VI', 'VII', 'VIII', 'IX', 'X', 'XI', 'XII'])
                    [extract(month from day)::int] || '/2024',
            'Diterima', to_char(day, 'DD-MM-YYYY'),
            'Diketahui', to_char(day - (n * 7 %% 9)::int, 'DD/MM/YYYY'),
            'Kejadian', to_char(day - (n * 7 %% 9 + n * 5 %% 4)::int, 'YYYY-MM-DD'),
            'Kab/Kota', case
                when n %% 50 = 0 then 'tidak jelas'
                else (%(regencies)s::text[])[district]
            end,
            'Kecamatan', (%(districts)s::text[])[district],
            'Isu', (array['politik uang', 'isu SARA', 'netralitas ASN', 'kampanye hitam',
                'politik uang; isu SARA'])[1 + n * 13 %% 5],
            'Jenis', (array['Pidana', 'Administrasi', 'Etik', 'Administrasi, Etik'])
                [1 + n * 19 %% 4],
            'Status', (array['Tidak diregistrasi', 'Terbukti pelanggaran', 'Selesai', 'Kajian awal',
                'Diregistrasi'])[1 + version * 23 %% 5],
            'Uraian', 'pembagian barang nomor ' || n * 37 %% 1000 || ' di rumah warga'
        )
        else jsonb_build_object(
            'jenis', (array['Kampanye', 'Pencegahan', 'Kampanye', 'Nihil', 'IA'])[1 + n / 2 %% 5],
            'tanggal', to_char(day, 'YYYY-MM-DD'),
            'kode', (%(codes)s::text[])[district],
            'kecamatan', (%(districts)s::text[])[district],
            'isu', (array['politik_uang', 'isu_sara', 'netralitas_asn'])[1 + n * 13 %% 3],
            'metode', (array['Tatap muka', 'Rapat umum', 'Pertemuan terbatas'])[1 + n * 19 %% 3],
            'pencegahan', (array['Sosialisasi', 'Koordinasi', 'Imbauan tertulis'])[1 + n * 29 %% 3],
            'pemilihan', 'Pilgub',
            'uraian', 'kegiatan nomor ' || n * 41 %% 1000 || ' di lapangan terbuka'
        )
    end
from dated
inner join piece on dated.channel = piece.channel and dated.piece = piece.piece
"""
