"""The main job, run as a person runs it, equals the invented world; twice is the same as once."""

from __future__ import annotations

import csv
import json
import re
from collections import Counter
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import psutil
import pytest
from psycopg.conninfo import conninfo_to_dict
from pypdf import PdfReader
from selectolax.lexbor import LexborHTMLParser

from lumbung.demo.truth import metric_differences
from lumbung.local.airflow import COMPONENTS
from lumbung.settings import JAKARTA
from tests.end_to_end.conftest import RETRY_AT_ONCE, ROOT, SEED, WEEKS, Installation, run_demo
from tests.support.against_truth import (
    edition_equals_truth,
    facts_equal_truth,
    prevention_equals_truth,
)

pytestmark = pytest.mark.slow

COUNTS = ("read", "landed", "duplicate", "quarantined")


def truth_of(installation: Installation) -> dict[str, Any]:
    truth: dict[str, Any] = json.loads((installation.settings.home / "truth.json").read_text())
    assert truth["seed"] == SEED
    assert len(truth["weeks"]) == WEEKS
    return truth


def batch_counts(installation: Installation, after: int = 0) -> dict[str, dict[str, int]]:
    rows = installation.query(
        "select channel, sum(read_count)::int, sum(landed_count)::int,"
        " sum(duplicate_count)::int, sum(quarantined_count)::int"
        " from raw.batch where batch_id > %s group by channel",
        after,
    )
    return {str(channel): dict(zip(COUNTS, values, strict=True)) for channel, *values in rows}


def test_everything_was_landed_once_and_one_edition_published(installation: Installation) -> None:
    """Whatever was read again after the kills is a duplicate."""
    wanted, counts = truth_of(installation)["channels"], batch_counts(installation)
    for name in ("landed", "quarantined"):
        assert {c: row[name] for c, row in counts.items()} == {
            c: row[name] for c, row in wanted.items()
        }, name
    rows = installation.query(
        "select channel, count(*) from raw.record where not is_tombstone group by channel"
    )
    assert dict(rows) == {channel: row["landed"] for channel, row in wanted.items()}
    assert installation.query("select edition_id, state from published.edition") == [
        ("2024-W40-r1", "published")
    ]


def test_the_demo_happens_on_the_monday_of_its_edition(installation: Installation) -> None:
    """Landed two years later, every case might have been open on that Monday, and have passed."""
    times = installation.query(
        "select min(landed_at) from raw.batch union all select max(landed_at) from raw.batch"
        " union all select data_at from published.edition"
        " union all select frozen_at from published.edition"
        " union all select decided_at from published.approval"
    )
    monday = datetime(2024, 10, 7, 5, tzinfo=JAKARTA)
    assert all(monday <= at < monday + timedelta(hours=2) for (at,) in times), times
    received = installation.query(
        "select min(received_at), max(received_at) from marts.fct_report"
        " inner join marts.dim_channel using (channel) where channel_kind = 'register'"
        " union all select min(first_received_at), max(last_received_at) from marts.obt_recap"
    )
    hours = [monday - timedelta(hours=1), monday]
    assert all(hours[0] <= at < hours[1] for pair in received for at in pair), received


def test_every_metric_equals_the_truth(installation: Installation) -> None:
    truth = truth_of(installation)
    assert len(truth["metrics"]) > 1000
    assert metric_differences(truth, installation.url) == []


def test_facts_equal_the_truth_row_by_row(installation: Installation) -> None:
    facts_equal_truth(installation.url, truth_of(installation))
    prevention_equals_truth(installation.url, truth_of(installation))


def test_what_is_not_counted_is_listed_with_its_reason(installation: Installation) -> None:
    truth = truth_of(installation)
    rows = installation.query(
        "select channel, reason_code, sum(record_count)::int from reporting.rpt_not_counted"
        " group by channel, reason_code"
    )
    wanted: Counter[tuple[str, str]] = Counter()
    for part in ("excluded", "quarantine"):
        for channel, reasons in truth[part].items():
            for reason, count in reasons.items():
                wanted[channel, reason] += count
    first_day = "2024-09-25"  # of the campaign
    for report in truth["reports"]:
        wanted[report["channel"], "before_campaign"] += report["received_date"] < first_day
    recap = [row for row in truth["preventions"] if not row["is_form_entry"]]
    for row in [*truth["supervisions"], *recap]:
        wanted["rekap_pengawasan", "before_campaign"] += row["activity_date"] < first_day
    assert {(c, r): n for c, r, n in rows} == {key: n for key, n in wanted.items() if n}


def test_edition_shows_the_truth_and_who_approved(installation: Installation) -> None:
    truth = truth_of(installation)
    week = truth["edition_week"]
    folder = installation.settings.editions / f"{week}-r1"
    edition_equals_truth(installation.url, truth, f"{week}-r1")
    html = (folder / "edisi.html").read_text()
    pdf = PdfReader(folder / "edisi.pdf")
    text = re.sub(r"\s+", " ", " ".join(page.extract_text() for page in pdf.pages))
    for shown in (html, text):
        assert "otomatis oleh demo" in shown


def edition_values(installation: Installation) -> dict[tuple[str, ...], int]:
    """What the edition must say, by metric, category, regency and period."""
    truth = truth_of(installation)
    return {
        (row["metric_code"], row["category_code"], row["regency_code"], row["period"]): row["value"]
        for row in truth["metrics"]
        if row["week_id"] == truth["edition_week"]
    }


def test_every_number_of_the_html_edition_is_the_truth(installation: Installation) -> None:
    values = edition_values(installation)
    (file,) = installation.settings.editions.glob("*-r1/edisi.html")
    reported = set()
    for cell in LexborHTMLParser(file.read_text()).css("td[data-figure]"):
        keys = [tuple(key.split("/")) for key in str(cell.attributes["data-figure"]).split()]
        if all(key in values for key in keys):
            assert number(cell.text()) == sum(values[key] for key in keys), keys
            reported.update(keys)
    assert len(reported) > 300
    regencies = [row["regency_code"] for row in seed("regency")]
    assert len(regencies) == 8
    for regency in (*regencies, "19"):
        for code in ("suspected_violation", "prevention", "tip"):
            assert (code, "ALL", regency, "week") in reported
        assert ("suspected_violation", "ALL", regency, "to_date") in reported


def test_a_table_of_the_pdf_edition_is_the_truth(installation: Installation) -> None:
    """By regency: cases this week and to date, campaign events and prevention."""
    values = edition_values(installation)
    (file,) = installation.settings.editions.glob("*-r1/edisi.pdf")
    text = "\n".join(page.extract_text() for page in PdfReader(file).pages)
    names = {row["regency_name"].split(" ", 1)[1]: row["regency_code"] for row in seed("regency")}
    assert names.pop("belum diketahui") == "19.00"
    for name, code in {**names, "Lokasi belum diketahui": "19.00", "Provinsi": "19"}.items():
        row = re.search(rf"^{name}" + r" ([\d.]+)" * 4 + " ", text, re.M)
        assert row is not None, name
        week, since, events, prevention = map(number, row.groups())
        assert week == values["suspected_violation", "ALL", code, "week"]
        assert since == values["suspected_violation", "ALL", code, "to_date"]
        assert events == values["campaign_event", "ALL", code, "week"]
        assert prevention == values["prevention", "ALL", code, "week"]


def number(text: str) -> int:
    """A number as an edition writes it."""
    return int(text.replace(".", ""))


def seed(name: str) -> list[dict[str, str]]:
    with (ROOT / "dbt_project" / "seeds" / f"{name}.csv").open(encoding="utf-8") as lines:
        return list(csv.DictReader(lines))


def test_the_command_pulls_with_the_connection_that_airflow_has(installation: Installation) -> None:
    done = installation.lumbung("intake", "kobo_pemantau", "--dry-run")
    assert done.returncode == 0, done.stderr
    read = truth_of(installation)["channels"]["kobo_pemantau"]["read"]
    assert f"{read:,} read: 0 landed, {read:,} duplicate," in done.stdout


def test_no_process_of_airflow_knows_the_password_of_the_owner(installation: Installation) -> None:
    password = str(conninfo_to_dict(installation.url)["password"])
    seen = 0
    for name in COMPONENTS:
        process = installation.stack.processes.find(name)
        assert process is not None, name
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):
                assert password not in str(each.environ()), name
                assert password not in str(each.cmdline()), name
                seen += 1
    assert seen >= len(COMPONENTS)
    logins = {
        str(login)
        for (login,) in installation.query(
            "select distinct usename from pg_stat_activity where application_name ilike '%airflow%'"
            " or datname = 'airflow'"
        )
    }
    assert logins == {"airflow_metadata"}


def test_demo_says_what_it_did(installation: Installation) -> None:
    said = installation.said
    assert re.search(r"\[7/7\] truth .* all \d+ metrics equal", said)
    for stage, words in (
        # the checkpoint may have passed before everything was killed
        ("warehouse", r"[1-9]\d+ models and [1-9]\d* tests passed(, [1-9]\d* checks passed.*)?\n"),
        ("publication", r"2024-W40-r1; [1-9]\d* checks passed"),
    ):
        assert re.search(rf"{stage} .* s  {words}", said), said
    for name in ("edisi.pdf", "edisi.html", "lumbung psql", "Airflow"):
        assert name in said
    pulled = batch_counts(installation, installation.interrupted_batches)
    assert pulled.keys() == truth_of(installation)["channels"].keys()
    for channel, counts in pulled.items():
        row = next(line for line in said.splitlines() if line.strip().startswith(channel))
        assert [int(number) for number in row.split()[1:]] == [counts[name] for name in COUNTS]


def test_second_demo_adds_no_row_and_no_edition(installation: Installation) -> None:
    tables = (
        "raw.record",
        "vault.identity",
        "quarantine.record",
        "marts.fct_report",
        "published.edition",
        "published.metric",
    )

    def sizes() -> dict[str, object]:
        return {t: installation.query(f"select count(*) from {t}")[0][0] for t in tables}

    before = sizes()
    (last,) = installation.query("select max(batch_id) from raw.batch")[0]
    pdf = next(installation.settings.editions.glob("*/edisi.pdf"))
    stamp = pdf.stat().st_mtime_ns
    second = run_demo(installation.settings, SEED, WEEKS, RETRY_AT_ONCE)
    assert sizes() == before
    said = second.console.file.getvalue()  # type: ignore[attr-defined]
    assert re.search(r"warehouse .* nothing new since build [1-9]", said)
    assert re.search(r"publication .* 2024-W40-r1; nothing new", said)
    again = batch_counts(installation, int(str(last)))
    first = truth_of(installation)["channels"]
    assert again.keys() == first.keys()
    for channel, counts in again.items():
        assert counts["read"] == counts["duplicate"] == first[channel]["read"], channel
    assert pdf.stat().st_mtime_ns == stamp
    (run, *_) = installation.client.runs("publication")
    tasks = installation.client.tasks("publication", run["dag_run_id"])
    assert (tasks["render"], tasks["publish"], tasks["portal"]) == ("skipped", "skipped", "success")
