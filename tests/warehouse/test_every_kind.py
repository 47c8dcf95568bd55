"""An unseen world delivered over each other kind of channel: each gives exactly its facts.

The four channels of the demo have their own tests (register, whatsapp, kobo), http_json its own
(test_onboarding.py). Here the same tips come by mail, ODK Central, a Google Form,
Ushahidi and the WhatsApp Cloud API, cases by an export of SigapLapor, supervised events as Forms A.
"""

from __future__ import annotations

import csv
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from lumbung.demo import reckoning, vocabulary, world
from lumbung.intake.connectors.base import SourceConnection
from lumbung.intake.run import pull
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse.build import build
from tests.intake import test_email as email
from tests.intake import test_form_a as form_a
from tests.intake import test_form_csv as form_csv
from tests.intake import test_odk as odk
from tests.intake import test_ushahidi as ushahidi
from tests.intake import test_whatsapp_cloud as cloud
from tests.support.api_server import serve
from tests.support.channel_samples import workbook
from tests.warehouse.conftest import PROJECT, query, write_channel

pytestmark = pytest.mark.slow

SEED = 7
MONTHS = ["Januari", "Februari", "Maret", "April", "Mei", "Juni", "Juli", "Agustus", "September",
          "Oktober", "November", "Desember"]  # fmt: skip
CAMPAIGN_BEGINS = "2024-09-25"
TIP_KINDS = ("email", "odk", "form_csv", "ushahidi", "whatsapp_cloud")
TEMPLATE = {
    "occurred_date": {"from": "Tanggal"},
    "regency": {"from": "Lokasi"},
    "district": {"from": "Lokasi"},
    "issue": {"from": "Isu", "separator": ";"},
    "narrative": {"from": ["Uraian", "Teks"]},
}
CHANNELS: dict[str, dict[str, Any]] = {
    "email": {"source": {"kind": "email", "marker": "ADUAN"}, "fields": TEMPLATE},
    "whatsapp_cloud": {"source": {"kind": "whatsapp_cloud", "marker": "ADUAN"}, "fields": TEMPLATE},
    "odk": {
        "source": {"kind": "odk", "project": 7, "form": "form pantau/1"},
        "fields": {
            "occurred_date": {"from": "kejadian/tanggal"},
            "regency_code": {"from": "kejadian/kode_kab", "scheme": "bps"},
            "district": {"from": "kejadian/kecamatan"},
            "issue": {"from": "kejadian/isu", "separator": " "},
        },
    },
    "form_csv": {
        "source": {"kind": "form_csv"},
        "fields": {
            "occurred_date": {"from": "Tanggal"},
            "regency": {"from": "Kabupaten/Kota"},
            "district": {"from": "Kecamatan"},
            "issue": {"from": "Isu", "separator": ", "},
        },
    },
    "ushahidi": {
        "source": {"kind": "ushahidi"},
        "fields": {
            "occurred_date": {"from": "Tanggal"},
            "regency": {"from": "Kabupaten"},
            "district": {"from": "Kecamatan"},
            "issue": {"from": "Isu", "separator": ","},
        },
    },
    "sigaplapor": {
        "source": {"kind": "sigaplapor"},
        "fields": {
            "register_number": {"from": "No Laporan/Temuan"},
            "received_date": {"from": "Diterima"},
            "known_date": {"from": "Diketahui"},
            "occurred_date": {"from": "Kejadian"},
            "regency": {"from": "Wilayah"},
            "district": {"from": "Kecamatan"},
            "issue": {"from": "Isu", "separator": ";"},
            "violation_type": {"from": "Jenis", "separator": ","},
            "status": {"from": "Status"},
            "status_reason": {"from": "Alasan"},
            "narrative": {"from": "Pemeriksaan"},
        },
    },
    # The list that SigapLapor shows the public: numbers, and no date at all.
    "sigaplapor_publik": {
        "source": {"kind": "sigaplapor"},
        "fields": {"register_number": {"from": "No Laporan/Temuan"}},
    },
    "form_a": {
        "source": {"kind": "form_a"},
        "record_kind": "LHP",
        "fields": {
            "activity_date": {"from": "Kegiatan / Tanggal"},
            "regency": {"from": "Kegiatan / Waktu dan Tempat"},
            "district": {"from": "Kegiatan / Waktu dan Tempat"},
            "election": {"from": "Kegiatan / Pemilihan"},
            "method": {"from": "Kegiatan / Bentuk"},
        },
    },
}


def names(level: str) -> dict[str, str]:
    """Official names by Kemendagri code."""
    file = PROJECT / "dbt_project" / "seeds" / f"{level}.csv"
    with file.open(encoding="utf-8", newline="") as lines:
        return {row[f"{level}_code"]: row[f"{level}_name"] for row in csv.DictReader(lines)}


REGENCIES, DISTRICTS = names("regency"), names("district")
BPS = {"19.01": "1901", "19.02": "1902", "19.03": "1905", "19.04": "1904", "19.05": "1903",
       "19.06": "1906", "19.71": "1971"}  # fmt: skip


def spoken(day: str | None) -> str:
    if day is None:
        return "-"
    found = date.fromisoformat(day)
    return f"{found.day} {MONTHS[found.month - 1]} {found.year}"


def regency(fact: dict[str, Any]) -> str:
    return "" if fact["regency_code"] == "19.00" else REGENCIES[fact["regency_code"]]


def district(fact: dict[str, Any]) -> str:
    return DISTRICTS[fact["district_code"]] if fact["district_code"] else ""


def place(fact: dict[str, Any]) -> str:
    parts = [f"Kec. {district(fact)}" if fact["district_code"] else "", regency(fact)]
    return ", ".join(part for part in parts if part)


def moment(number: int, tip: dict[str, Any]) -> datetime:
    """Noon, and both sides of midnight in Jakarta: the day is not that of UTC."""
    hour = (time(0, 10), time(12), time(23, 50))[number % 3]
    day = date.fromisoformat(tip["received_date"])
    return datetime.combine(day, hour, JAKARTA) + timedelta(seconds=number)


def message(number: int, tip: dict[str, Any]) -> str:
    lines = ["ADUAN", f"Tanggal: {spoken(tip['occurred_date'])}", f"Lokasi: {place(tip)}",
             f"Isu: {'; '.join(words(tip))}", f"Uraian: kejadian ke-{number}"]  # fmt: skip
    return "\n".join(line for line in lines if not line.endswith(": "))


def words(fact: dict[str, Any]) -> list[str]:
    return [vocabulary.ISSUES[code][-1] for code in fact["issues"]]


def tell_by_mail(tips: list[dict[str, Any]], port: int) -> tuple[SourceConnection, str]:
    box = email.Mailbox(port)
    for number, tip in enumerate(tips):
        box.put(email.letter(message(number, tip)), at=int(moment(number, tip).timestamp()))
    box.imap.logout()
    return box.connection(), box.folder


def central_of(tips: list[dict[str, Any]]) -> odk.Central:
    central = odk.Central()
    for number, tip in enumerate(tips):
        at = moment(number, tip).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
        row = odk.submission(number, submissionDate=at)
        row["kejadian"] = {
            "tanggal": tip["occurred_date"],
            "kode_kab": BPS.get(tip["regency_code"]),
            "kecamatan": district(tip) or None,
            "isu": " ".join(vocabulary.KOBO_ISSUES[code] for code in tip["issues"]),
        }
        central.rows.append(row)
    return central


def deployment_of(tips: list[dict[str, Any]]) -> ushahidi.Deployment:
    deployment = ushahidi.Deployment()
    for number, tip in enumerate(tips, 1):
        at = moment(number, tip).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S+0000")
        values = {"Tanggal": spoken(tip["occurred_date"]), "Kabupaten": regency(tip),
                  "Kecamatan": district(tip)}  # fmt: skip
        fields: list[dict[str, Any]] = [
            {"id": 1, "label": label, "type": "varchar", "value": {"value": value}}
            for label, value in values.items()
            if value
        ]
        tags = [{"id": n, "tag": word} for n, word in enumerate(words(tip))]
        fields.append({"id": 2, "label": "Isu", "type": "tags", "value": {"value": tags}})
        content = [{"id": 1, "label": "Kejadian", "fields": fields}]
        deployment.posts.append(
            ushahidi.post(number, created=at, post_date=at, post_content=content)
        )
    return deployment


def write_form(tips: list[dict[str, Any]], inbox: Path) -> None:
    rows = [["Cap waktu", "Tanggal", "Kabupaten/Kota", "Kecamatan", "Isu"]]
    for number, tip in enumerate(tips):
        day = tip["occurred_date"]
        rows.append([
            f"{moment(number, tip):%d/%m/%Y %H.%M.%S}",
            f"{date.fromisoformat(day):%d/%m/%Y}" if day else "",
            regency(tip), district(tip), ", ".join(words(tip)),
        ])  # fmt: skip
    form_csv.put(inbox, rows)


def write_requests(tips: list[dict[str, Any]], inbox: Path) -> None:
    lines = [
        cloud.line(cloud.body(cloud.message(
            f"wamid.{number}", message(number, tip), at=int(moment(number, tip).timestamp())
        )))
        for number, tip in enumerate(tips)
    ]  # fmt: skip
    (inbox / "kiriman.jsonl").write_bytes(b"".join(lines))


def write_export(cases: list[dict[str, Any]], inbox: Path) -> None:
    head = ["No", "No Laporan/Temuan", "Pemeriksaan", "Diterima", "Diketahui", "Kejadian",
            "Wilayah", "Kecamatan", "Isu", "Jenis", "Status", "Alasan"]  # fmt: skip
    rows = [
        [number, case["register_number"], "Dugaan pelanggaran",
         date.fromisoformat(case["received_date"]), spoken(case["known_date"]),
         spoken(case["occurred_date"]), regency(case), district(case), "; ".join(words(case)),
         ", ".join(vocabulary.VIOLATION_TYPES[code][-1] for code in case["violation_types"]),
         vocabulary.STATUSES[case["status_code"]][-1] if case["status_code"] else "",
         vocabulary.NON_REGISTRATION_REASONS[case["non_registration_reason_code"]][-1]
         if case["non_registration_reason_code"] else ""]
        for number, case in enumerate(cases, 1)
    ]  # fmt: skip
    (inbox / "ekspor.xlsx").write_bytes(workbook({"Data": [head, *rows]}))


def write_forms_a(events: list[dict[str, Any]], inbox: Path) -> None:
    for number, event in enumerate(events):
        where = f"{spoken(event['activity_date'])}, pukul 09.30 WIB di Lapangan, {place(event)}"
        election = vocabulary.ELECTIONS[event["election_code"]][0] if event["election_code"] else ""
        lines = [
            "LAPORAN HASIL PENGAWASAN", f"Nomor : {number:03}/LHP/PM.00.02/K.BB-03/XI/2024",
            "I. Data Pengawas Pemilihan", "a. Nama : Petugas Rekaan",
            "II. Kegiatan Pengawasan",
            f"a. Bentuk : {vocabulary.METHODS.get(event['method_code'], '-')[0]}",
            f"b. Pemilihan : {election}", f"c. Waktu dan Tempat : {where}",
            "III. Uraian Singkat Hasil Pengawasan", "Acara berlangsung tertib.",
        ]  # fmt: skip
        (inbox / f"{number:03}.docx").write_bytes(form_a.written("\n".join(lines)))


@pytest.fixture(scope="module")
def seen_facts(
    new_warehouse: Callable[[], str], tmp_path_factory: pytest.TempPathFactory
) -> tuple[str, list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    """A database built from the channels above; tips, cases and events of the world."""
    truth = reckoning.truth_of(world.generate(SEED))
    tips = [each for each in truth["reports"] if each["record_kind"] == "IA"]
    cases = [each for each in truth["reports"] if each["record_kind"] != "IA"]
    events = truth["supervisions"][::40]

    project = tmp_path_factory.mktemp("kinds")
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    (project / "channels").mkdir()
    settings = Settings(tmp_path_factory.mktemp("home"), project, None)
    url = new_warehouse()
    for name in CHANNELS:
        (settings.inbox / name).mkdir(parents=True)

    def land(name: str, connection: SourceConnection | None = None, **source: Any) -> None:
        document = {"record_kind": "IA"} if name in TIP_KINDS else {}
        document |= CHANNELS[name] | {"source": CHANNELS[name]["source"] | source}
        if connection:
            document["connection"] = name
        write_channel(settings.channels / f"{name}.yaml", document)
        counts = pull(
            name, settings=settings, database_url=url, connection=connection, run_key="uji"
        )
        assert counts.landed == counts.read > 20, name

    with email.imap_server("--no-tls") as port:
        connection, folder = tell_by_mail(tips, port)
        land("email", connection, folders=[folder])
    with contextmanager(serve)(central_of(tips)) as stand:
        account = {"login": "a@contoh.example.id", "password": "sandi"}
        land("odk", stand.connection(**account))
    with contextmanager(serve)(deployment_of(tips)) as stand:
        land("ushahidi", stand.connection())
    write_form(tips, settings.inbox / "form_csv")
    write_requests(tips, settings.inbox / "whatsapp_cloud")
    write_export(cases, settings.inbox / "sigaplapor")
    write_export(cases, settings.inbox / "sigaplapor_publik")
    write_forms_a(events, settings.inbox / "form_a")
    land("whatsapp_cloud", cloud.CONNECTION)
    for name in ("form_csv", "sigaplapor", "sigaplapor_publik", "form_a"):
        land(name)
    build(settings=settings, database_url=url)
    return url, tips, cases, events


SeenFacts = tuple[str, list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]
COLUMNS = ("record_kind", "register_number", "regency_code", "district_code", "occurred_date",
           "known_date", "received_date", "week_id", "registration_outcome", "status_code",
           "non_registration_reason_code")  # fmt: skip


@pytest.mark.parametrize("kind", [*TIP_KINDS, "sigaplapor"])
def test_every_kind_gives_the_facts_of_the_world(seen_facts: SeenFacts, kind: str) -> None:
    url, tips, cases, _ = seen_facts
    rows = query(
        url,
        f"select {', '.join(f'{column}::text' for column in COLUMNS)},"
        " array(select issue_code from marts.bridge_report_issue as b"
        "  where b.report_id = f.report_id order by 1),"
        " array(select violation_type_code from marts.bridge_report_violation_type as b"
        "  where b.report_id = f.report_id order by 1)"
        " from marts.fct_report as f where channel = %s",
        kind,
    )
    found = Counter((*row[:-2], tuple(row[-2]), tuple(row[-1])) for row in rows)
    wanted = Counter(
        (
            *(fact[column] for column in COLUMNS),
            tuple(sorted(fact["issues"])),
            tuple(sorted(fact["violation_types"])),
        )
        for fact in (cases if kind == "sigaplapor" else tips)
    )
    assert wanted.total() > 20
    assert found - wanted == Counter()
    assert wanted - found == Counter()


def test_forms_a_give_the_events_of_the_world(seen_facts: SeenFacts) -> None:
    url, _, _, events = seen_facts
    columns = ("regency_code", "district_code", "activity_date", "election_code", "method_code")
    selected = ", ".join(f"{column}::text" for column in columns)
    rows = query(url, f"select {selected} from marts.fct_supervision")
    assert Counter(rows) == Counter(tuple(event[c] for c in columns) for event in events)
    assert len(rows) > 20


def test_what_has_no_date_or_an_early_one_is_in_no_count_and_on_no_list(
    seen_facts: SeenFacts,
) -> None:
    """SigapLapor's public list serves to compare numbers: it is excluded, and asks nobody."""
    url, tips, cases, _ = seen_facts

    def early(facts: list[dict[str, Any]]) -> int:
        return sum(fact["received_date"] < CAMPAIGN_BEGINS for fact in facts)

    assert early(tips)
    assert early(cases)
    rows = query(
        url,
        "select channel, reason_code, sum(record_count) from reporting.rpt_not_counted"
        " group by channel, reason_code",
    )
    assert {(channel, reason): count for channel, reason, count in rows} == {
        ("sigaplapor_publik", "date_missing"): len(cases),
        ("sigaplapor", "before_campaign"): early(cases),
        **{(kind, "before_campaign"): early(tips) for kind in TIP_KINDS},
    }
    assert query(url, "select count(*) from marts.fct_review_item where channel = %s",
                 "sigaplapor_publik") == [(0,)]  # fmt: skip


def test_counts_by_regency_and_week_are_the_worlds(seen_facts: SeenFacts) -> None:
    url, tips, cases, _ = seen_facts

    def by_cell(facts: list[dict[str, Any]], times: int) -> dict[tuple[str, str], int]:
        counts = Counter((fact["regency_code"], fact["week_id"]) for fact in facts)
        return {cell: count * times for cell, count in counts.items()}

    for column, wanted in (
        ("tip_count", by_cell(tips, len(TIP_KINDS))),
        ("suspected_violation_count", by_cell(cases, 1)),
    ):
        rows = query(
            url,
            f"select regency_code, week_id, {column} from marts.fct_regency_week"
            f" where {column} > 0",
        )
        assert {(place, week): count for place, week, count in rows} == wanted, column
