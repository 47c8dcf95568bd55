"""Sources that nobody has seen become facts by `lumbung channel add` and a few words of YAML."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path

import pytest
from typer.testing import CliRunner

from lumbung import cli
from lumbung.settings import Settings
from lumbung.warehouse.build import build
from tests.support.api_server import Reply, serve
from tests.support.unseen import PEOPLE, api, table, workbook
from tests.warehouse.conftest import PROJECT, Raw, query

OWNER = (
    ("Kantor yang bertanggung jawab", "Panwascam Rekaan"),
    ("ganti@contoh.example.id", "panwascam@contoh.example.id"),
)
CHAT = """\
title: Grup warga
owner: {name: Posko Rekaan, email: posko@contoh.example.id}
schedule: "0 5 * * *"
record_kind: IA
source: {kind: whatsapp, marker: ADUAN}
personal: [Pengirim]
subject: [Pengirim]
kept: [Tanda]
fields:
  regency: {from: Lokasi}
  narrative: {from: [Uraian, Teks]}
"""


@pytest.fixture
def desk(tmp_path: Path) -> Settings:
    """An installation without a channel."""
    project = tmp_path / "project"
    (project / "channels").mkdir(parents=True)
    for name in ("config", "dbt_project", "expectations"):
        (project / name).symlink_to(PROJECT / name)
    return Settings(tmp_path / "home", project, None)


def test_unseen_sources_reach_the_facts_by_yaml_alone(
    desk: Settings, new_warehouse: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url = new_warehouse()
    monkeypatch.setenv("LUMBUNG_HOME", str(desk.home))
    monkeypatch.setenv("LUMBUNG_PROJECT", str(desk.project))
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)

    def lumbung(*arguments: str) -> str:
        result = CliRunner().invoke(cli.app, arguments, catch_exceptions=False)
        assert result.exit_code == 0, result.output
        return result.output

    def add(kind: str, name: str, sample: str, *edits: tuple[str, str]) -> None:
        """The steps that the documentation gives an office, with its few edits."""
        lumbung("channel", "add", kind, name, "--sample", sample)
        file = desk.channels / f"{name}.yaml"
        text = file.read_text()
        for before, after in (*OWNER, *edits):
            assert before in text
            text = text.replace(before, after)
        file.write_text(text)

    for name, file, content in (
        ("agenda", "agenda 2024.xlsx", workbook()),
        ("portal", "ekspor.csv", table()),
        ("grup", "obrolan.txt", b"06/11/24 19.33 - Warga: ADUAN\nUraian: amplop\n"
         b"06/11/24 19.34 - Warga: Selamat malam\n"),
    ):  # fmt: skip
        (desk.inbox / name).mkdir(parents=True)
        (desk.inbox / name / file).write_bytes(content)
    (desk.channels / "grup.yaml").write_text(CHAT)
    with contextmanager(serve)(lambda request: Reply(api(request.query))) as stand:
        address = f"http://127.0.0.1:{stand.port}"
        add("register", "agenda", str(desk.inbox / "agenda" / "agenda 2024.xlsx"),
            ('# kept:\n#  - "No. Urut"\n', 'kept:\n  - "No. Urut"\n'),
            ('#  - "Waktu / Tgl. Peristiwa" # looks like occurred_date,', "#"),
            ("\nfields:",
             '\nfields:\n  occurred_date: {from: "Waktu / Tgl. Peristiwa"}'))  # fmt: skip
        add("register", "portal", str(desk.inbox / "portal" / "ekspor.csv"))
        add("http_json", "aplikasi", f"{address}/api/v3/reports?status=open",
            ('# kept:\n#  - "device.os"', 'kept:\n  - "device.os"'))  # fmt: skip
        given = {"conn_type": "http", "host": address}
        monkeypatch.setenv("AIRFLOW_CONN_APLIKASI", json.dumps(given))
        assert "4 channels, no mistake" in lumbung("channel", "check")
        trial = lumbung("intake", "aplikasi", "--dry-run")
        assert "3 read: 3 landed" in trial
        assert "notice" not in trial
        for name, counts in (
            ("agenda", "3 read: 3 landed"),
            ("portal", "2 read: 2 landed"),
            ("aplikasi", "3 read: 3 landed"),
            ("grup", "2 read: 2 landed"),
        ):
            assert f"{counts}, 0 duplicate, 0 quarantined" in lumbung("intake", name)
    # a list may come as one
    Raw(url).land("portal", [{"Topik": ["hoaks", "money politic", ""], "Dikirim Pada": "8/11/2024"},
                             {"Topik": [], "Dikirim Pada": "9/11/2024"}])  # fmt: skip
    build(settings=desk, database_url=url)

    facts = query(
        url,
        "select channel, record_kind, register_number, regency_code, district_code,"
        " received_date::text, occurred_date::text,"
        " array(select issue_code from marts.bridge_report_issue as b"
        "   where b.report_id = f.report_id order by 1)"
        " from marts.fct_report as f order by channel, received_date, district_code",
    )
    number = "00{}/LP/PB/Kab/09.03/{}/2024"
    assert facts == [
        ("agenda", "LP", number.format(1, "X"), "19.03", "19.03.01", "2024-10-03", "2024-10-02",
         ["PU", "SARA"]),
        ("agenda", "LP", number.format(2, "X"), "19.03", "19.03.03", "2024-10-04", "2024-10-03",
         ["ASN"]),
        ("agenda", "LP", number.format(3, "XI"), "19.03", "19.03.01", "2024-11-06", None, ["PU"]),
        ("aplikasi", "IA", None, "19.03", "19.03.01", "2024-11-06", None, ["SARA"]),
        ("aplikasi", "IA", None, "19.04", "19.04.01", "2024-11-06", None, []),
        ("aplikasi", "IA", None, "19.05", "19.05.01", "2024-11-06", None, ["ASN", "PU"]),
        ("grup", "IA", None, "19.00", None, "2024-11-06", None, []),
        ("portal", "IA", None, "19.71", "19.71.04", "2024-11-06", None, ["KH", "PU"]),
        ("portal", "IA", None, "19.02", "19.02.02", "2024-11-07", None, ["APK"]),
        ("portal", "IA", None, "19.00", None, "2024-11-08", None, ["KH", "PU"]),
        ("portal", "IA", None, "19.00", None, "2024-11-09", None, []),
    ]  # fmt: skip
    stored = str(query(url, "select payload::text, source_id, locator from raw.record"))
    assert not [name for name in (*PEOPLE, "0812", "62812") if name in stored]
    assert query(url, "select distinct field from ops.drift_notice") == []
