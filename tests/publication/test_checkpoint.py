"""The publication checkpoint: what is planted is found, and what is found stops the edition."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
import xlsxwriter
import yaml

from lumbung.errors import CheckpointError, PublicationError
from lumbung.publication.checks import checkpoint, disclosure
from lumbung.publication.checks.pii import find_personal_data
from lumbung.publication.delivery import notify
from lumbung.publication.editions import freezing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.translations.formatting import INDONESIAN
from lumbung.settings import Settings
from tests.support.edition_sample import WEEK

METRIC = "update reporting.rpt_metric set value = value {change} where metric_code = '{code}' and "
THIS_WEEK = f"week_id = '{WEEK}' and period = 'week'"

FAULTS = {
    "regencies_sum_to_province_this_week": [
        METRIC.format(change="+ 1", code="tip") + f"{THIS_WEEK} and regency_code = '19'"
    ],
    "regencies_sum_to_province_to_date": [
        METRIC.format(change="+ 1", code="tip")
        + f"week_id = '{WEEK}' and period = 'to_date' and regency_code = '19.02'"
    ],
    "nothing_is_negative": [
        "update reporting.rpt_metric set value = -1 where metric_code = 'prevention'"
        f" and {THIS_WEEK} and regency_code = '19.03'"
    ],
    "to_date_holds_the_weeks": [
        "update reporting.rpt_metric set value = 1 where metric_code = 'prevention'"
        f" and week_id = '{WEEK}' and period = 'to_date'"
    ],
    "every_regency_is_present": [
        "delete from reporting.rpt_metric where metric_code = 'campaign_event_by_method'"
        " and category_code = 'RAPAT_UMUM' and regency_code = '19.71'"
    ],
    "funnel_adds_up_this_week": [
        METRIC.format(change="+ 1", code="report_pending")
        + f"category_code = 'LP' and week_id = '{WEEK}' and regency_code in ('19', '19.01')"
    ],
    "parts_add_up_this_week": [
        METRIC.format(change="+ 1", code="campaign_event")
        + f"week_id = '{WEEK}' and regency_code in ('19', '19.01')"
    ],
    "parts_add_up_to_date": [
        METRIC.format(change="+ 1", code=code)
        + f"week_id = '{WEEK}' and period = 'to_date' and regency_code in ('19', '19.01')"
        f" and category_code = '{category}'"
        for code, category in (
            ("report_registered_by_result", "CLOSED"),
            ("report_not_registered_by_reason", "LATE"),
        )
    ],
    "parts_are_within_their_whole_this_week": [
        METRIC.format(change="+ 9", code="report_follow_up_closed_by_target")
        + f"{THIS_WEEK} and category_code = 'BKN' and regency_code in ('19', '19.01')"
    ],
    "parts_are_within_their_whole_to_date": [
        METRIC.format(change="+ 9", code="report_follow_up_closed_by_target")
        + f"week_id = '{WEEK}' and period = 'to_date' and category_code = 'BKN'"
        " and regency_code in ('19', '19.01')"
    ],
    "every_regency_has_its_districts": [
        "delete from marts.fct_submission where regency_code = '19.04'"
    ],
    "funnel_adds_up_to_date": [
        METRIC.format(change="+ 1", code="report_pending")
        + f"category_code = 'LP' and week_id = '{WEEK}' and period = 'to_date'"
        " and regency_code in ('19', '19.01')"
    ],
    "some_district_is_expected": [
        "update reporting.rpt_metric set value = 0 where metric_code like 'district_%'"
        " and regency_code = '19.02'"
    ],
    "every_regency_is_on_the_map": [
        "update marts.dim_regency set tile_col = null where regency_code = '19.06'"
    ],
    "expected_districts_are_listed": [
        f"delete from marts.fct_submission where district_code = '19.05.01' and week_id = '{WEEK}'"
    ],
    "submitted_districts_are_listed": [
        "update marts.fct_submission set is_submitted = false where district_code = '19.06.01'"
    ],
    "completeness_is_known": [
        "delete from reporting.rpt_metric where metric_code like 'district_%'"
        " and regency_code = '19.06'"
    ],
    "contributors_are_the_metric_this_week": [
        "delete from reporting.rpt_metric_contributor where metric_code = 'tip' and ctid in (select"
        f" min(ctid) from reporting.rpt_metric_contributor where metric_code = 'tip'"
        f" and week_id = '{WEEK}')"
    ],
    "contributors_are_the_metric_to_date": [
        "delete from reporting.rpt_metric_contributor where metric_code = 'tip' and ctid in (select"
        " min(ctid) from reporting.rpt_metric_contributor where metric_code = 'tip'"
        " and week_id = '2024-W39')"
    ],
    # it has deadlines that no row of the edition can count
    "contributors_are_the_deadlines": [
        "update marts.fct_deadline set regency_code = '19.99' where regency_code = '19.06'"
    ],
    "every_artefact_is_there": [
        "delete from reporting.rpt_metric where metric_code = 'prevention'"
    ],
    "districts_sum_to_regency": [
        "update reporting.rpt_metric set value = 0 where period = 'to_date'"
        " and metric_code = 'suspected_violation_by_issue' and regency_code <> '19'"
    ],
    "artefacts_can_be_read": ["delete from reporting.rpt_metric where metric_code = 'tip'"],
    "artefacts_hold_no_personal_data": [
        "update reference.channel set owner_name = 'Sdr. Contoh, contoh@kantor.invalid'"
    ],
}


def results(url: str) -> dict[str, tuple[bool, str]]:
    with psycopg.connect(url) as connection:
        return {
            name: (is_passed, severity)
            for name, is_passed, severity in connection.execute(
                "select check_name, is_passed, severity from ops.check_result"
                " where suite = 'publication'"
            )
        }


def test_a_sound_draft_passes_and_can_be_approved(url: str, settings: Settings) -> None:
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    found = checkpoint.check(edition_id, settings=settings, database_url=url)
    assert found.failures == []
    assert set(FAULTS) <= set(results(url))
    assert all(is_passed for is_passed, _ in results(url).values())
    assert found.summary()["failures"] == []
    asked = notify.question(edition_id, settings=settings, database_url=url)
    for said in (
        *(lead for lead, _ in render.document(store.load(edition_id, database_url=url)).points),
        f"Pemeriksaan yang terpenuhi: {len(found.results)}",
        f"{settings.home}/drafts/{edition_id}/edisi.pdf",
    ):
        assert said in asked
    assert len(asked.splitlines()) < 40
    review.approve(edition_id, by="Ketua Contoh", database_url=url)


@pytest.mark.parametrize(
    "names",
    [
        {
            "regencies_sum_to_province_this_week",
            "nothing_is_negative",
            "funnel_adds_up_this_week",
            "parts_add_up_this_week",
            "parts_are_within_their_whole_this_week",
            "contributors_are_the_deadlines",
        },
        {
            "regencies_sum_to_province_to_date",
            "parts_add_up_to_date",
            "parts_are_within_their_whole_to_date",
            "to_date_holds_the_weeks",
            "funnel_adds_up_to_date",
            "every_regency_has_its_districts",
            "some_district_is_expected",
            "every_regency_is_on_the_map",
            "submitted_districts_are_listed",
            "contributors_are_the_metric_to_date",
            "districts_sum_to_regency",
        },
        {
            "every_regency_is_present",
            "expected_districts_are_listed",
            "completeness_is_known",
            "contributors_are_the_metric_this_week",
        },
        {"artefacts_can_be_read", "every_artefact_is_there"},
        {"artefacts_hold_no_personal_data"},
    ],
    ids=["metrics", "to_date", "rows", "unreadable", "personal"],
)
def test_planted_faults_are_found_and_stop_the_edition(
    url: str, settings: Settings, names: set[str], request: pytest.FixtureRequest
) -> None:
    if not any(name.startswith("artefacts") for name in names):
        request.getfixturevalue("paper_as_text")
    with psycopg.connect(url) as connection:
        for statement in [statement for name in sorted(names) for statement in FAULTS[name]]:
            assert connection.execute(statement.encode()).rowcount > 0
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with pytest.raises(CheckpointError, match="owner: "):
        checkpoint.check(edition_id, settings=settings, database_url=url)
    failed = {name for name, outcome in results(url).items() if outcome == (False, "fail")}
    assert names <= failed
    with pytest.raises(PublicationError):
        review.approve(edition_id, by="Ketua Contoh", database_url=url)


@pytest.mark.parametrize(
    ("suppress", "missed"),
    [
        (lambda values, _: list(values), "small_cells_are_hidden"),
        # each small cell is hidden, and nothing with it
        (
            lambda values, threshold: [None if 0 < v < threshold else v for v in values],
            "hidden_cells_cannot_be_recomputed",
        ),
    ],
    ids=["shown", "without complement"],
)
def test_small_cells_that_show_are_found(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch, suppress: object, missed: str
) -> None:
    monkeypatch.setattr(disclosure, "suppress", suppress)
    monkeypatch.setattr(checkpoint, "render", lambda _: {})  # what is rendered is tried elsewhere
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with pytest.raises(CheckpointError, match=missed):
        checkpoint.check(edition_id, settings=settings, database_url=url)
    failed = {name for name, outcome in results(url).items() if outcome == (False, "fail")}
    assert failed == {missed, "every_artefact_is_there"}


def test_a_case_may_be_withdrawn_after_its_districts_were_published(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table is repeated with its cases; the themes are those of today."""
    monkeypatch.setattr(checkpoint, "render", lambda _: {})
    first = freezing.freeze("2024-W46", settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "update published.edition set state = 'published' where edition_id = %s", (first,)
        )
        connection.execute(FAULTS["districts_sum_to_regency"][0].encode())
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with pytest.raises(CheckpointError):  # nothing is rendered, and the province is not its sum
        checkpoint.check(edition_id, settings=settings, database_url=url)
    assert results(url)["districts_sum_to_regency"] == (True, "fail")


def test_a_week_unlike_the_others_is_pointed_out(
    url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As if a channel had been counted ten times over."""
    monkeypatch.setattr(checkpoint, "render", lambda _: {})
    with psycopg.connect(url) as connection:
        connection.execute(
            "update reporting.rpt_metric set value = 10 * value where metric_code = 'prevention'"
            f" and {THIS_WEEK}"
        )
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with pytest.raises(CheckpointError):
        checkpoint.check(edition_id, settings=settings, database_url=url)
    assert results(url)["this_week_is_within_history"] == (False, "warn")
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select failing from ops.check_result where check_name = 'this_week_is_within_history'"
        ).fetchone()
    assert row is not None
    assert row[0] == [{"metric_code": "prevention", "category_code": "ALL"}]


@pytest.mark.usefixtures("paper_as_text")
def test_a_warning_is_shown_and_lets_pass(
    url: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "update marts.fct_submission set is_submitted = false where regency_code = '19.02'"
            " and week_id = %s",
            (WEEK,),
        )
        connection.execute(
            "update reporting.rpt_metric as f set value = value - g.gap from (select"
            " 5 as gap) as g where metric_code = 'district_submitted' and week_id = %s"
            " and regency_code in ('19', '19.02')",
            (WEEK,),
        )
        connection.execute(
            "delete from reporting.rpt_metric_contributor where metric_code = 'district_submitted'"
            " and week_id = %s and regency_code = '19.02'",
            (WEEK,),
        )
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    found = checkpoint.check(edition_id, settings=settings, database_url=url)
    assert [w.name for w in found.warnings] == ["most_districts_submitted"]
    assert found.warnings[0].failing == [{"regency_code": "19.02"}]
    assert "head of supervision" in capsys.readouterr().out
    asked = notify.question(edition_id, settings=settings, database_url=url)
    assert "Perlu perhatian: Kurang dari empat perlima kecamatan menyampaikan rekap." in asked
    assert "(penanggung jawab: kepala bagian pengawasan)" in asked
    assert "Mintalah rekap yang belum disampaikan" in asked


def test_every_warning_is_translated_for_the_approvers() -> None:
    file = Path(__file__).parents[2] / "expectations" / "publication.yaml"
    checks = [
        check
        for batch in yaml.safe_load(file.read_text(encoding="utf-8"))["batches"]
        for check in batch["checks"]
        if check["severity"] == "warn"
    ]
    assert len(checks) == 4
    for check in checks:
        assert notify.title(check["name"]) != check["name"]
        for key in (f"remediation.{check['name']}", f"owner.{check['owner'].replace(' ', '_')}"):
            assert key in INDONESIAN, key
    assert notify.title("one_of_the_office") == "one_of_the_office"


@pytest.mark.parametrize(
    "text",
    [
        "0812-3456-7890",
        "+62\u00a0812\u20113456\u20117890",
        "hub. 081234567890",
        "+62 812 3456 7890",
        "6281234567890",
        "1971054511900001",
        "19800101 200501 1 003",
        "198001012005011003",
        "197105 451190 0001",
        "1971-0545-1190-0001",
        "Jalan Contoh RT 003/RW 002",
        "rt. 3 rw. 12",
        "contoh@kantor.invalid",
    ],
)
def test_personal_data_is_seen(text: str) -> None:
    assert len(find_personal_data("x.html", f"<p>{text}</p>".encode())) == 1
    assert len(find_personal_data("x.html", f'<p title="{text}">x</p>'.encode())) == 1
    assert len(find_personal_data("x.json", json.dumps({"a": [text]}).encode())) == 1
    assert len(find_personal_data("data/x.csv", f'a,b\r\n1,"{text}"\r\n'.encode())) == 1
    assert len(find_personal_data("x.txt", text.encode())) == 1
    target = io.BytesIO()
    with xlsxwriter.Workbook(target) as book:
        book.add_worksheet().write_string(3, 3, text)
    assert len(find_personal_data("x.xlsx", target.getvalue())) == 1


@pytest.mark.parametrize(
    "text",
    [
        "1.084.999",
        "Senin, 25 November 2024 pukul 06.00 WIB",
        "</p><p>0</p><p>812</p><p>345</p><p>678",
        "005/LP/PB/Kab/09.05/XI/2024",
        "ab83a104d42e8423f03c75f44e8511f69ca2da0971ddcbef6fa453a55d22adf7",
        "2024-W47-r1",
        "1971 0545 1190",
        "pekan 46, RT/RW tidak dimuat",
        "a08123456789" + "b" * 52,  # a sha256
    ],
)
def test_metrics_are_not_personal_data(text: str) -> None:
    assert find_personal_data("x.html", f"<p>{text}</p>".encode()) == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("x.pdf", b"%PDF-1.7 cut"),
        ("x.pdf", b""),
        ("x.html", b"<p></p>"),
        ("x.xlsx", b"PK cut"),
        ("x.json", b'{"cut": '),
        ("x.csv", b"a,b\r\n1,2,3\r\n"),
        ("x.csv", b"\xff\xfe"),
        ("x.txt", b"  "),
    ],
)
def test_unreadable_files_are_reported(name: str, content: bytes) -> None:
    with pytest.raises(ValueError):
        find_personal_data(name, content)


def test_nothing_heavy_is_imported_before_it_is_needed() -> None:
    code = (
        "import sys, lumbung.publication.checks.checkpoint;"
        "from lumbung.publication.editions import freezing, publishing;"
        "heavy = ('great_expectations', 'typst', 'pypdf', 'xlsxwriter');"
        "print([m for m in heavy if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.usefixtures("paper_as_text")
def test_outside_of_the_campaign_no_recap_is_due(url: str, settings: Settings) -> None:
    with psycopg.connect(url) as connection:
        for statement in (
            "delete from marts.fct_submission where week_id = %s",
            "delete from reporting.rpt_metric_contributor where metric_code ~ '^district_'"
            " and week_id = %s",
            "update reporting.rpt_metric as f set value = f.value - w.value"
            " from reporting.rpt_metric as w where w.period = 'week'"
            " and f.metric_code ~ '^district_'"
            " and f.metric_code = w.metric_code and f.regency_code = w.regency_code"
            " and f.week_id = w.week_id and f.week_id = %s",
        ):
            assert connection.execute(statement.encode(), (WEEK,)).rowcount > 0
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    assert checkpoint.check(edition_id, settings=settings, database_url=url).failures == []
    assert results(url)["some_district_is_expected"] == (True, "fail")
