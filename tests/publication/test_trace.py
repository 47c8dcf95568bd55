"""A published number leads back to records and to the hash of what was delivered."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
from selectolax.lexbor import LexborHTMLParser

from lumbung import registry
from lumbung.errors import PublicationError
from lumbung.publication import trace
from lumbung.publication.editions import freezing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings
from tests.publication.conftest import Metrics
from tests.support.edition_sample import DEADLINES, MONEY, WEEK, WEEKS, pass_checkpoint

pytestmark = pytest.mark.usefixtures("paper_as_text")


@pytest.fixture
def frozen(url: str, settings: Settings) -> str:
    """A draft whose profile counts the sample's facts (the sample's own is made up)."""
    execute(
        url,
        "insert into marts.bridge_report_issue (report_id, issue_code)"
        " values ('IA-2024-W47-0', 'PU')",
    )
    execute(
        url,
        "update marts.agg_issue_profile as p set base_count = 99, case_count = (select count(*)"
        " from marts.bridge_report_issue join marts.fct_report as r using (report_id)"
        " where r.regency_code = p.regency_code and issue_code = p.issue_code),"
        " last_4_weeks_prevention_count = (select count(*) from reporting.rpt_metric_contributor "
        "as m"
        " where metric_code = 'prevention' and m.regency_code = p.regency_code"
        " and m.week_id >= '2024-W44')",
    )
    execute(
        url,
        "update marts.agg_prevention_need as n set case_count = p.case_count"
        " from marts.agg_issue_profile as p"
        " where p.regency_code = n.regency_code and p.issue_code = n.issue_code",
    )
    return freezing.freeze(WEEK, settings=settings, database_url=url)


def execute(url: str, statement: str, *parameters: object) -> int:
    with psycopg.connect(url) as connection:
        return connection.execute(statement.encode(), parameters).rowcount


def test_a_metric_leads_to_its_records(url: str, frozen: str, metrics: Metrics) -> None:
    found = trace.trace(f"suspected_violation_by_issue/PU/19/to_date@{frozen}", database_url=url)
    assert found.value == metrics["suspected_violation_by_issue", "PU", "19", WEEK, "to_date"]
    assert len(found.contributors) == found.value > 20
    for contributor in found.contributors:
        (record,) = contributor.records
        assert record.channel == "register_laporan"
        assert record.evidence_sha256 == hashlib.sha256(contributor.week_id.encode()).hexdigest()
        assert record.locator is not None
        assert record.locator.startswith(f"sheet {contributor.week_id}, row ")
        assert record.run_key == f"run {contributor.week_id}"
        assert record.now == "current"
    assert len({r.record_id for m in found.contributors for r in m.records}) == found.value


def test_every_number_of_the_page_can_be_traced(url: str, frozen: str, metrics: Metrics) -> None:
    page = LexborHTMLParser(
        render.render(store.load(frozen, database_url=url))["edisi.html"].decode()
    )
    cells = [c for c in page.css("td.n[title]") if "fakta:" in (c.attributes["title"] or "")]
    assert len(cells) > 300
    for cell in cells[::25]:
        count, reference = re.fullmatch(  # type: ignore[union-attr]
            r"([\d.]+) fakta: (\S+)", cell.attributes["title"] or ""
        ).groups()
        found = trace.trace(reference, database_url=url)
        assert len(found.contributors) == int(count.replace(".", ""))
        if not (cell.attributes["data-figure"] or "").startswith("rate/"):
            assert len(found.contributors) == int(cell.text().replace(".", ""))
        # the sample's districts and deadlines rest on nothing
        assert all(
            contributor.records
            for contributor in found.contributors
            if found.metric_code[:8] not in ("district", "deadline")
        )
    assert {c.attributes["data-figure"] for c in page.css("td.n")} > {
        c.attributes["data-figure"] for c in cells
    }
    shown = {(c.attributes["data-figure"] or "").split("/")[0]: c for c in cells}
    assert {"deadline", "rate", "profile", "need", "not_counted"} <= set(shown)
    done = trace.trace(f"need/done/19.71/PU@{frozen}", database_url=url)
    assert [c.contributor_id for c in done.contributors] == [
        f"F-19.71-PU-{n}" for n in (3, 2, 1, 0)
    ]
    for cell in page.css("td[data-figure^='deadline/'], td[data-figure^='rate/voters']"):
        assert "fakta: " in (cell.attributes["title"] or "")
    for section in page.css("section:has(td.n[title*='fakta:'])"):
        assert len(section.css("details dd")) >= 1


@pytest.mark.parametrize(
    ("reference", "key"),
    [
        ("tip/ALL/19.71@{}", ("tip", "ALL", "19.71", WEEK)),
        ("tip/ALL/19/previous@{}", ("tip", "ALL", "19", WEEKS[-2])),
        ("suspected_violation/PU/19@{}", ("suspected_violation_by_issue", "PU", "19", WEEK)),
        ("district_submitted/ALL/19.01@{}", ("district_submitted", "ALL", "19.01", WEEK)),
        ("suspected_violation/ALL/19.00@{}", ("suspected_violation", "ALL", "19.00", WEEK)),
    ],
)
def test_references(
    url: str, frozen: str, metrics: Metrics, reference: str, key: tuple[str, str, str, str]
) -> None:
    found = trace.trace(reference.format(frozen), database_url=url)
    assert found.value == len(found.contributors) == metrics[*key, "week"]
    assert found.definition
    if key[0] == "district_submitted":
        assert all(len(m.records) == 1 for m in found.contributors)


LATER_PLANS = (
    "update marts.fct_prevention_plan set planned_activity_count = 50,"
    " record_id = (select max(record_id) from raw.record)",
    "update marts.fct_prevention_plan set start_date = '2025-01-01', end_date = '2025-01-31'",
    "delete from marts.fct_prevention_plan",
)
"""What becomes of the plans after an edition: corrected, moved, withdrawn."""


def test_what_is_planned_leads_to_the_plans_that_were_frozen(url: str, frozen: str) -> None:
    execute(url, "update marts.dim_prevention_rule set precedence = 99")
    for statement in ("select", *LATER_PLANS):
        execute(url, statement)
        for name, value in (("planned", 2), ("gap", 0)):
            found = trace.trace(f"need/{name}/19.02/SARA@{frozen}", database_url=url)
            assert (found.value, found.is_of_today) == (value, False)
            (plan,) = found.contributors  # the one that ends on the edition's Sunday
            assert execute(
                url,
                "select from raw.record having min(record_id) = %s",
                plan.records[0].record_id,
            )
        # those of Pangkal Pinang begin after the week
        found = trace.trace(f"need/planned/19.71/PU@{frozen}", database_url=url)
        assert (found.value, found.contributors) == (10, ())
    # the rule that suggests the next step, and its conditions as they were
    assert found.rule
    assert (found.rule["rule_code"], found.rule["precedence"]) == ("GAP_PU", 11)
    said = trace.lines(f"need/gap/19.71/PU@{frozen}", database_url=url)
    assert any("rule_code GAP_PU" in line and "precedence 11" in line for line in said)
    assert not any("today" in line for line in said)


def test_an_edition_that_kept_no_plans_leads_to_those_of_today(url: str, frozen: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(
            "delete from published.metric_contributor where metric_code = 'prevention_plan'"
        )
        connection.execute("update published.edition set label = label - 'prevention_rule'")
    found = trace.trace(f"need/gap/19.02/SARA@{frozen}", database_url=url)
    assert found.is_of_today
    assert trace.visible(found, database_url=url) == {found.contributors[0].contributor_id}
    said = trace.lines(f"need/gap/19.02/SARA@{frozen}", database_url=url)
    assert said[2].startswith("The plans as they stand today")


def test_deadlines_lead_to_their_cases(url: str, frozen: str) -> None:
    def contributors(reference: str) -> tuple[int, set[str]]:
        found = trace.trace(f"deadline/{reference}@{frozen}", database_url=url)
        assert found.value == len(found.contributors)
        return found.value, {contributor.regency_code for contributor in found.contributors}

    def wanted(is_in: Callable[[str, str, str], bool]) -> tuple[int, set[str]]:
        keys = [
            (rule, place, state)
            for rule, place, state in DEADLINES
            if state and is_in(rule, place, state)
        ]
        return sum(DEADLINES[key][0] for key in keys), {place for _, place, _ in keys}

    assert contributors("PENANGANAN/19.71/OVERDUE") == (2, {"19.71"})
    assert contributors("PENANGANAN/19.03/OVERDUE") == (0, set())
    assert contributors("ALL/19/OVERDUE") == wanted(lambda _r, _p, state: state == "OVERDUE")
    running = registry.deadline_states("running")
    assert contributors("ALL/19/running") == wanted(lambda _r, _p, state: state in running)

    def in_state(wanted_state: str) -> Callable[[str, str, str], bool]:
        return lambda _r, _p, state: state == wanted_state

    for state in ("MAYBE_OVERDUE", "MAYBE_OPEN", "MAYBE_MISSED"):
        assert contributors(f"ALL/19/{state}") == wanted(in_state(state))
    for wrong in ("PENANGANAN/19/LATE", "NOTHING/19/MET", "PENANGANAN/18/MET", "ALL/19/week"):
        with pytest.raises(PublicationError, match="no deadlines"):
            contributors(wrong)


def ask(url: str, query: str, *parameters: object) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(query.encode(), parameters).fetchall()


def test_a_profile_leads_to_its_cases_of_every_kind(url: str, frozen: str) -> None:
    (place,) = ask(
        url, "select regency_code from marts.fct_report where report_id ~ '^IA-' limit 1"
    )[0]
    wanted = ask(
        url,
        "select report_id from marts.fct_report as r"
        " join marts.bridge_report_issue using (report_id)"
        " where r.regency_code = %s and issue_code = 'PU' order by 1",
        place,
    )
    found = trace.trace(f"profile/cases/{place}/PU@{frozen}", database_url=url)
    assert sorted((contributor.contributor_id,) for contributor in found.contributors) == wanted
    assert found.value == len(wanted) > 1
    assert all(contributor.records for contributor in found.contributors)
    actions = trace.trace(f"profile/prevention/19.05/PU@{frozen}", database_url=url)
    assert {contributor.week_id for contributor in actions.contributors} == set(WEEKS[-4:])
    assert {contributor.regency_code for contributor in actions.contributors} == {"19.05"}
    record = found.contributors[0].records[0].record_id
    assert any(
        line.startswith(f"counted in profile/cases/{place}/PU@{frozen}")
        for line in trace.lines(str(record), database_url=url)
    )


def test_a_district_leads_to_its_cases_and_a_hidden_one_to_nothing(
    url: str, settings: Settings
) -> None:
    execute(url, MONEY)
    frozen = freezing.freeze(WEEK, settings=settings, database_url=url)
    cells = ask(
        url,
        "select coalesce(nullif(district_code, ''), regency_code), group_code, to_date_value"
        " from published.district_metric where edition_id = %s",
        frozen,
    )
    shown = next(cell for cell in cells if cell[2])
    hidden = next(cell for cell in cells if cell[2] is None)
    themes = {"UANG": ["PU"], "NETRAL": ["ASN", "KADES", "TNIPOL", "PENY"], "ISI": ["SARA", "KH"]}
    themes |= {"SARANA": ["APK", "FAS"], "LAIN": ["ANAK", "DPH", "PUNGHIT", "LOG", "LAIN"]}
    wanted = ask(
        url,
        "select report_id from marts.fct_report as r"
        " join marts.bridge_report_issue using (report_id)"
        " where coalesce(district_code, r.regency_code) = %s and issue_code = any(%s)"
        " and record_kind <> 'IA' and week_id between '2024-W43' and '2024-W46' order by 1",
        shown[0],
        themes[shown[1]],
    )
    reference = "district/{}/{}/weeks@{}"
    found = trace.trace(reference.format(*shown[:2], frozen), database_url=url)
    assert sorted((contributor.contributor_id,) for contributor in found.contributors) == wanted
    assert found.value == shown[2] == len(wanted)
    with pytest.raises(PublicationError, match="does not publish"):
        trace.trace(reference.format(*hidden[:2], frozen), database_url=url)
    # Repeated by a later edition, they are those of the first, whatever became of a case.
    pass_checkpoint(url, frozen)
    review.approve(frozen, by="Ketua Contoh", database_url=url)
    execute(
        url, "delete from reporting.rpt_metric_contributor where contributor_id = %s", wanted[0][0]
    )
    execute(url, "delete from marts.fct_report where report_id = %s", wanted[0][0])
    execute(url, "update marts.dim_regency set voter_count = voter_count + 1")
    later = freezing.freeze(WEEK, settings=settings, database_url=url)
    assert later != frozen
    again = trace.lines(reference.format(*shown[:2], later), database_url=url)
    assert again[0] == f"{reference.format(*shown[:2], later)} = {shown[2]}"
    assert sum(line.startswith(("LP-", "TM-")) for line in again) == shown[2]
    assert sum(line.startswith("  record ") for line in again) == shown[2]


def test_what_is_not_counted_leads_to_what_was_delivered(url: str, frozen: str) -> None:
    reference = f"not_counted/wa_aduan/not_a_report/{{}}@{frozen}"
    found = trace.trace(reference.format("to_date"), database_url=url)
    assert found.value == len(found.contributors) == 58
    assert {contributor.records[0].channel for contributor in found.contributors} == {"wa_aduan"}
    found = trace.trace(reference.format("week"), database_url=url)
    assert found.value == len(found.contributors) == 27
    assert {contributor.week_id for contributor in found.contributors} == {WEEK}
    closed = f"not_counted/register_laporan/unreadable_date/to_date@{frozen}"
    execute(url, "update quarantine.record set resolved_at = now()")  # it was open then
    head, reason, contributor, record = trace.lines(closed, database_url=url)
    assert head == f"{closed} = 1"
    assert reason == "Tanggal tidak terbaca."
    assert contributor.startswith("quarantine/")
    assert record.startswith("  quarantine ")
    # what a corrected map reads is no longer apart, and the trace says so
    execute(
        url,
        "delete from intermediate.int_records__excluded where record_id ="
        " (select max(record_id) from intermediate.int_records__excluded"
        " where reason_code = 'not_a_report' and week_id = %s)",
        WEEK,
    )
    lines = trace.lines(reference.format("week"), database_url=url)
    assert lines[0].endswith(" = 27")
    assert lines[2].startswith("26 of them are still excluded")
    with pytest.raises(PublicationError, match="no deliveries of that channel"):
        trace.trace(f"not_counted/wa_aduan/nothing/week@{frozen}", database_url=url)


@pytest.mark.parametrize(
    "reference",
    [
        "district/19.01/UANG@2024-W47-r1",
        "profile/cases/19.01/XX@2024-W47-r1",
        "suspected_violation/ALL/19/OVERDUE@2024-W47-r1",
        "suspected_violation",
        "suspected_violation/ALL/19",
        "suspected_violation/XX/19@2024-W47-r1",
        "suspected_violation/ALL/19@2024-W47-r9",
        "nothing/ALL/19@2024-W47-r1",
        "tip/ALL/18@2024-W47-r1",
    ],
)
def test_what_is_no_metric_is_reported(url: str, frozen: str, reference: str) -> None:
    with pytest.raises(PublicationError):
        trace.trace(reference, database_url=url)


def test_later_versions_are_named_and_the_old_one_kept(url: str, frozen: str) -> None:
    reference = f"suspected_violation/ALL/19@{frozen}"
    before = trace.trace(reference, database_url=url)
    edited, withdrawn = (m.records[0].record_id for m in before.contributors[:2])
    for record, is_tombstone in ((edited, False), (withdrawn, True)):
        execute(
            url,
            "insert into raw.record (channel, source_id, content_hash, batch_id, received_at,"
            " is_tombstone, payload) select channel, source_id, 'new', batch_id, received_at, %s,"
            " '{}' from raw.record where record_id = %s",
            is_tombstone,
            record,
        )
    after = trace.trace(reference, database_url=url)
    assert [m.contributor_id for m in after.contributors] == [
        m.contributor_id for m in before.contributors
    ]
    states = [m.records[0].now for m in after.contributors]
    assert states[:2] == ["edited", "withdrawn"]
    assert set(states[2:]) == {"current"}
    assert [m.records[0].record_id for m in after.contributors[:2]] == [edited, withdrawn]


def test_a_record_leads_to_the_metrics_that_count_it(url: str, frozen: str) -> None:
    contributor = trace.trace(
        f"suspected_violation/ALL/19@{frozen}", database_url=url
    ).contributors[0]
    lines = trace.lines(str(contributor.records[0].record_id), database_url=url)
    assert contributor.records[0].evidence_sha256
    assert contributor.records[0].evidence_sha256 in lines[0]
    assert (
        f"counted in suspected_violation/ALL/{contributor.regency_code}@{frozen} of week {WEEK}"
        in lines
    )
    assert sum("report_received" in line for line in lines) == 1
    found = trace.content(str(contributor.records[0].record_id), database_url=url)
    assert found["evidence_sha256"] == contributor.records[0].evidence_sha256
    assert {
        "edition_id": frozen,
        "metric_code": "suspected_violation",
        "category_code": "ALL",
        "regency_code": contributor.regency_code,
        "week_id": WEEK,
    } in found["counted_in"]
    with pytest.raises(PublicationError, match="no record 999999"):
        trace.lines("999999", database_url=url)


@pytest.mark.parametrize(
    "reference",
    [
        "tip/ALL/19",
        "deadline/ALL/19/running",
        "district/19.02.01/PU/weeks",
        "not_counted/wa_aduan/excluded/week",
    ],
)
def test_an_edition_that_was_never_made(url: str, frozen: str, reference: str) -> None:
    with pytest.raises(PublicationError, match="there is no edition 2019-W01-r1"):
        trace.trace(f"{reference}@2019-W01-r1", database_url=url)


def test_printed_lines(url: str, frozen: str) -> None:
    first, definition, *rest = trace.lines(f"tip/ALL/19@{frozen}", database_url=url)
    count = int(first.rpartition("= ")[2])
    found = trace.content(f"tip/ALL/19@{frozen}", database_url=url)
    assert (found["value"], len(found["contributors"])) == (count, count)
    assert first == f"tip/ALL/19/week@{frozen} = {count}"
    assert "bukan dugaan pelanggaran" in definition
    assert sum(line.startswith("IA-") for line in rest) == count
    assert sum(line.startswith("  record ") for line in rest) == count


def test_a_record_slipped_in_is_noticed(url: str, frozen: str) -> None:
    execute(
        url,
        "insert into published.contributor_record values (%s, 'IA-2024-W47-0', 1)",
        frozen,
    )
    with pytest.raises(PublicationError, match="not those that were frozen"):
        trace.trace(f"tip/ALL/19@{frozen}", database_url=url)


def test_the_watermark_is_what_the_build_rests_on(url: str, settings: Settings) -> None:
    execute(url, "insert into ops.build (state, max_batch_id, inputs_hash, seeds_hash)"
                 " values ('success', 3, '', ''), ('failed', 9, '', '')")  # fmt: skip
    edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
    with psycopg.connect(url) as connection:
        row = connection.execute(
            "select batch_watermark from published.edition where edition_id = %s", (edition_id,)
        ).fetchone()
    assert row == (3,)
