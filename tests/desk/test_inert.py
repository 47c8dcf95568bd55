"""Hostile texts in every place that a page shows do nothing, whoever looks at it."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser

from lumbung.warehouse import exclusions, links, mappings
from lumbung.warehouse.mappings import PLACE
from tests.desk.conftest import HOSTILE, PAIRS, Desk
from tests.desk.test_browser import PHONE, accessible, served
from tests.desk.test_rights import PEOPLE, Case, Office, filled
from tests.support.inert import faults, overflow, watched

__all__ = ["filled"]


def test_the_check_finds_what_is_not_inert() -> None:
    for page, fault in (
        ("<p><script>alert(1)</script></p>", "element script"),
        ('<p onclick="x">a</p>', "attribute onclick of p"),
        ('<a href="javascript:alert(1)">a</a>', "address javascript:alert(1)"),
        ('<a href="//x.example">a</a>', "address //x.example"),
        ("<p>a</li>", "end of li"),
        ("<p>\u202ea</p>", "direction of '\\u202ea' in ['p']"),
    ):
        assert faults(page) == [fault]
    assert faults("<p><bdi>\u202e&lt;script&gt;</bdi></p>") == []


@pytest.fixture
def hostile(filled: Office) -> Office:
    """The office of every route, with hostile texts wherever a person or a source may write."""
    url = filled.desk.url
    for statement in (
        "update marts.fct_report set register_number = %s",
        "update marts.fct_report_pair set evidence = array[%s]",
        "update marts.fct_review_item set detail = %s where check_code <> 'word_unknown'",
        "insert into reporting.rpt_not_counted (channel, reason, record_count)"
        " values ('wa_aduan', left(%s, 200), 3)",
        "update ops.channel_hold set reason = %s",
        "update quarantine.record set locator = left(%s, 300), reason = left(%s, 300)",
    ):
        filled.desk.execute(statement, *[HOSTILE] * statement.count("%s"))
    reason = HOSTILE[:400]
    links.decide(url, *PAIRS["19.05"][0], "different", by=reason, note=reason)
    mappings.decide(url, "role", HOSTILE[:150], "ASN", by=reason)
    mappings.decide(url, PLACE, "19" + "b" * 32, "19.05", by=reason)
    exclusions.decide(url, 99999, "excluded", by=reason, reason=reason)
    filled.desk.execute(
        "update quarantine.record set resolved_at = now(), dismissed_by = %s,"
        " dismissed_reason = %s where reason_code = 'doubtful_message'",
        *(reason, reason),
    )
    return filled


def shown(office: Office) -> list[Case]:
    """Pages of the desk itself: files of editions and documentation have a policy of their own."""
    return [
        case
        for case in office.of("GET")
        if case.status == 200
        and not any(part in case.address for part in ("/berkas/", "/formulir/", "/desk."))
    ]


@pytest.mark.slow
def test_no_text_has_an_effect_on_any_page_and_each_is_accessible(
    hostile: Office, browser: Browser
) -> None:
    desk = hostile.desk
    seen = set()
    for account in sorted(PEOPLE):
        client = desk.client(account)
        for case in shown(hostile):
            if account in case.people:
                page = client.get(case.address)
                assert faults(page.text) == [], (account, case.address)
                assert len(page.content) < 60_000, case.address
                if "alert(1)" in page.text:
                    seen.add(case.address.partition("?")[0].rstrip("0123456789"))
    # the texts are there, on every page that shows what somebody wrote
    assert seen >= {
        *("/tinjauan", "/tinjauan/butir/place_unresolved", "/tinjauan/pasangan", "/tinjauan/kata"),
        *("/tinjauan/kata/role", "/tinjauan/tempat", "/tinjauan/dikeluarkan", "/karantina"),
        *("/karantina/", "/karantina/wa_aduan/required_field_missing", "/kanal/register_laporan"),
        "/catatan",
    }
    looked_at(desk, browser, hostile)


def looked_at(desk: Desk, browser: Browser, office: Office) -> None:
    """Each page in a browser, its details open, for some of those who may see it.

    For one of them it is checked on a phone and a screen, light and dark, by axe as well.
    """
    left = {case.address for case in shown(office)}
    with served(desk) as address:
        for account in ("provinsi", "pemeriksa", "ketua"):
            cases = [case for case in shown(office) if account in case.people]
            with (
                browser.new_context(extra_http_headers={"x-account": account}) as window,
                watched(window) as (page, done),
            ):
                for case in cases:
                    page.set_viewport_size(PHONE)  # type: ignore[arg-type]
                    page.goto(address + case.address)
                    page.evaluate(
                        "document.querySelectorAll('details').forEach(d => d.open = true)"
                    )
                    assert (done, overflow(page)) == ([], 0), (account, case.address)
                    if case.address in left:
                        accessible(page)
                        left.remove(case.address)
    assert left == set()
