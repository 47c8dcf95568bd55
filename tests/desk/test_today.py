"""The first page counts what waits, each number for those who may see its page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from lumbung.desk.pages import in_wib
from lumbung.settings import JAKARTA
from tests.desk.conftest import Desk


def test_deadlines_that_end_are_counted_for_readers_of_the_sheet(desk: Desk) -> None:
    today = datetime.now(JAKARTA).date()
    for days, state in ((0, "DAYS_0"), (1, "DAYS_1"), (2, "DAYS_2"), (-1, "OVERDUE"), (0, "MET")):
        desk.execute(
            "insert into marts.fct_deadline (report_id, rule_code, regency_code, start_from_date,"
            " start_to_date, extended_due_date, state_code) values (%s, 'x', '19.01', %s, %s, %s,"
            " %s)",
            *(f"{days}{state}", today, today, today + timedelta(days=days), state),
        )
    for account in ("ketua", "koordinator", "sekretaris"):
        page = desk.client(account).get("/").text
        assert '<a href="/lembar">2 tenggat berakhir hari ini atau besok</a>' in page
    for account in ("orang", "pemeriksa", "penangan"):
        assert "tenggat berakhir" not in desk.client(account).get("/").text


def test_channels_that_are_held_back_are_counted(pulls: Desk) -> None:
    for account, count in (("penangan", 1), ("insinyur", 1), ("orang", None)):
        page = pulls.client(account).get("/").text
        assert (f'<a href="/kanal">{count} kanal ditahan</a>' in page) == (count is not None)
    pulls.execute("update ops.channel_hold set released_at = now()")
    assert "0 kanal ditahan" in pulls.client("penangan").get("/").text


def test_what_waits_is_for_those_who_read_drafts(stewarded: Desk) -> None:
    for account in ("ketua", "sekretaris", "penangan", "sari", "orang"):
        page = stewarded.client(account).get("/").text
        assert ("Menunggu keputusan" in page) == (account in ("ketua", "sekretaris"))


def test_a_link_in_a_mail_keeps_the_session(desk: Desk) -> None:
    cookie = desk.client("ketua").get("/").headers["set-cookie"]
    assert "lumbung_desk=" in cookie
    assert "SameSite=lax" in cookie
    assert "HttpOnly" in cookie


def test_a_day_begins_at_midnight_in_wib() -> None:
    for hour, day in ((16, 20), (17, 21)):
        assert in_wib(datetime(2024, 11, 20, hour, 30, tzinfo=UTC)) == date(2024, 11, day)
