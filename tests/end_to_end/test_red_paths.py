"""What must not happen does not: each run here fails, and nothing was published or shown."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from lumbung.errors import ServiceError
from lumbung.local.airflow import Airflow
from lumbung.local.processes import hold_port
from tests.end_to_end.conftest import Installation
from tests.support.post import Post, post_office

pytestmark = pytest.mark.slow


def published(installation: Installation) -> list[tuple[object, ...]]:
    return installation.query(
        "select edition_id, state from published.edition where state = 'published' order by 1"
    )


def builds(installation: Installation) -> list[tuple[object, ...]]:
    return installation.query("select count(*) from ops.build where state = 'success'")


CURSOR = "select * from ops.channel_cursor where channel = 'kobo_pemantau'"


@pytest.fixture(scope="module", autouse=True)
def unreachable(installation: Installation) -> tuple[str, list[tuple[object, ...]]]:
    """A pull of a source that is gone, begun first: its patience runs beside the other tests."""
    cursor = installation.query(CURSOR)
    assert cursor
    installation.stack.processes.stop("kobo-stand-in")
    return installation.client.trigger("intake__kobo_pemantau"), cursor


def set_mail_server(installation: Installation, port: int) -> None:
    installation.client.set_connection(
        "smtp_publication",
        conn_type="smtp",
        host="127.0.0.1",
        port=port,
        extra='{"security": "none"}',
    )


@pytest.fixture(scope="module")
def post(installation: Installation) -> Iterator[Post]:
    """A mail server that the installation knows, as long as this module's tests last."""
    with post_office() as office:
        set_mail_server(installation, office.address.port)
        yield office
        installation.client.call("DELETE", "/connections/smtp_publication")


def reported(post: Post, subject: str) -> str:
    """The last notice of that subject to the owners."""
    *_, body = [
        message.get_body(("plain",))
        for address, message in post.got
        if address == "data@babel.example.id" and message["Subject"] == subject
    ]
    assert body is not None
    return str(body.get_content())


def plant(installation: Installation, channel: str, received_at: str, count: int = 1) -> None:
    """Tips that came in a batch of their own; an expression says when they were received."""
    installation.execute(
        "with batch as (insert into raw.batch (channel, run_key, started_at, read_count,"
        " landed_count, duplicate_count, quarantined_count)"
        f" values ('{channel}', 'planted', now(), {count}, {count}, 0, 0) returning batch_id)"
        " insert into raw.record (record_id, channel, source_id, content_hash, batch_id,"
        " received_at, payload) overriding system value"
        " select ops.first_record_id(batch.batch_id) + n, channel, concat('planted', nullif(n, 0)),"
        f" content_hash, batch.batch_id, {received_at}, payload"
        f" from batch, generate_series(0, {count} - 1) as n, raw.record where record_id ="
        f" (select min(record_id) from marts.fct_report where channel = '{channel}')"
    )


def test_a_held_channel_and_a_failing_dbt_test_change_nothing_for_readers(
    installation: Installation, post: Post
) -> None:
    """A clock that is a month fast: its rows wait, the owner is notified, the build goes on.

    There a test of dbt fails: a case is in another week than its day's. A tip that came in
    meanwhile waits, and is there as soon as the fault is gone, while the channel is still held.
    """
    before, built = published(installation), builds(installation)
    cases = installation.query(
        "select channel, count(*) from marts.fct_report group by 1 order by 1"
    )
    plant(installation, "kobo_pemantau", "now() + interval '30 days'", count=6)
    plant(installation, "wa_aduan", "received_at")
    located = "intermediate.int_reports__located"
    move = f"update {located} set week_id = %s where report_id = %s"
    (case,) = installation.query(  # of the tip's regency and day
        f"select week_id, report_id from {located} where report_id = (select report_id"
        " from marts.fct_report where channel = 'wa_aduan' order by record_id limit 1)"
    )
    installation.execute(move, "2024-W01", case[1])
    try:
        state, tasks = installation.run("warehouse")
    finally:
        installation.execute(move, *case)
    assert (state, tasks) == ("failed", {"raw_checkpoint": "success", "build": "failed"})
    holds = "select channel, check_name from ops.channel_hold where released_at is null"
    assert installation.query(holds) == [("kobo_pemantau", "channel_clock_is_right")]
    letter = reported(post, "Kanal Formulir Pemantau (KoboToolbox): kiriman barunya ditahan")
    assert "6 kiriman" in letter
    assert (builds(installation), published(installation)) == (built, before)
    assert cases == installation.query(
        "select channel, count(*) from marts.fct_report group by 1 order by 1"
    )
    reason = installation.client.reason("warehouse", installation.last_run_id, "build")
    # both find it, and either may be the first
    assert re.search(r"test (every_fact_is_in_a_week|metrics_agree) failed", reason), reason

    try:
        state, tasks = installation.run("warehouse")
        assert (state, tasks) == ("success", {"raw_checkpoint": "success", "build": "success"})
        assert dict(
            installation.query("select channel, count(*) from marts.fct_report group by 1")
        ) == {channel: count + (channel == "wa_aduan") for channel, count in cases}
        assert published(installation) == before
    finally:
        installation.execute(
            "delete from raw.record where channel = 'kobo_pemantau' and source_id ~ '^planted'"
        )
        installation.execute(
            "delete from raw.batch where channel = 'kobo_pemantau' and run_key = 'planted'"
        )
        installation.execute(
            "update ops.channel_hold set released_at = now() where released_at is null"
        )


def test_failing_check_at_the_publication_checkpoint_publishes_nothing(
    installation: Installation, post: Post
) -> None:
    before = published(installation)
    assert len(before) == 1
    week = str(before[0][0]).rsplit("-r", 1)[0]
    where = (
        f" where metric_code = 'report_received' and category_code = 'LP'"
        f" and regency_code = '19.71' and week_id = '{week}' and period = 'week'"
    )
    installation.execute("update reporting.rpt_metric set value = value + 100" + where)
    try:
        state, tasks = installation.run("publication", {"week_id": week})
    finally:
        installation.execute("update reporting.rpt_metric set value = value - 100" + where)
    assert state == "failed"
    assert tasks["checkpoint"] == "failed"
    assert tasks["approve"] == tasks["publish"] == tasks["mail"] == "upstream_failed"
    assert published(installation) == before
    assert "regencies_sum_to_province_this_week" in reported(post, "Gagal: publication.checkpoint")


def log_in(page: Page, airflow: Airflow, account: str = "pimpinan") -> None:
    page.fill("input[name=username]", account)
    page.fill("input[name=password]", airflow.password(account))
    page.click("button[type=submit]")


def reject_at_the_desk(
    installation: Installation, post: Post, browser: Browser, edition_id: str, reason: str
) -> None:
    """Open the mail's link on a phone, log in on the way, and reject the draft with a reason."""
    *_, asked = (message for _, message in post.got if edition_id in message["Subject"])
    body = asked.get_body(("plain",))
    assert body is not None
    (link,) = re.findall(r"http://\S+/lumbung/\S+", body.get_content())
    airflow = installation.stack.airflow(installation.url)
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(link)
    log_in(page, airflow)
    page.get_by_text("Tolak rancangan ini").click()
    page.get_by_label("Alasan penolakan").fill(reason)
    page.wait_for_timeout(6_000)  # no sooner than a person could: see AirflowClient.respond
    page.get_by_role("button", name="Tolak", exact=True).click()
    page.get_by_text(f"Edisi {edition_id} ditolak.").wait_for()
    assert page.get_by_text(reason).is_visible()
    for missed in ("Airflow belum meneruskannya", "Tidak ada proses di Airflow"):
        assert not page.get_by_text(missed).count()
    page.close()


def test_rejected_at_the_desk_publishes_nothing(
    installation: Installation, post: Post, browser: Browser
) -> None:
    before = published(installation)
    (first_week,) = installation.query("select min(week_id) from reporting.rpt_metric")[0]
    reason = "Angka Belitung belum diperiksa"

    def reject(run_id: str, states: dict[str, str | None]) -> None:
        if states.get("approve") == "awaiting_input":
            with pytest.raises(ServiceError, match="not a respondent"):
                installation.client.respond("publication", run_id, "approve", "Approve")
            installation.client.unpause("publication_reminder")
            reminder = installation.client.trigger("publication_reminder")
            for _ in installation.client.follow("publication_reminder", reminder, 240):
                pass
            reject_at_the_desk(installation, post, browser, f"{first_week}-r1", reason)

    state, tasks = installation.run("publication", {"week_id": first_week}, reject)
    assert (state, tasks["approve"]) == ("success", "success")
    assert tasks["publish"] == tasks["mail"] == "skipped"
    assert published(installation) == before
    assert installation.query(
        "select state, decided_by, comment from published.edition"
        " join published.approval using (edition_id) where week_id = %s",
        first_week,
    ) == [("rejected", "Rara Rekaan, Ketua (rekaan)", reason)]
    assert not (installation.settings.editions / f"{first_week}-r1" / "edisi.pdf").exists()
    assert reason in reported(post, f"Edisi {first_week}-r1 ditolak")
    subjects = [message["Subject"] for address, message in post.got if address[:9] == "pimpinan@"]
    assert (subjects[0], subjects[-1]) == (
        f"Mohon persetujuan: edisi {first_week}-r1", f"Edisi {first_week}-r1 ditolak",
    )  # fmt: skip
    # two tasks of the DAG that reminds people, side by side
    assert sorted(subjects[1:-1]) == [
        "Batas waktu penanganan segera berakhir",
        f"Pengingat: edisi {first_week}-r1 menunggu persetujuan",
    ]


def test_an_approval_that_nobody_gives_publishes_nothing(
    installation: Installation, post: Post
) -> None:
    before = published(installation)
    (first_week,) = installation.query("select min(week_id) from reporting.rpt_metric")[0]
    people = installation.settings.config / "people.yaml"
    original = people.read_text()
    people.write_text(original.replace("time_limit_hours: 72", "time_limit_hours: 0.003"))
    try:
        state, tasks = installation.run("publication", {"week_id": first_week})
    finally:
        people.write_text(original)
    assert (state, tasks["approve"]) == ("failed", "failed")
    assert tasks["publish"] == tasks["mail"] == "upstream_failed"
    assert published(installation) == before
    assert "nobody answered" in reported(post, "Gagal: publication.approve")


def approve_on_the_page(installation: Installation, browser: Browser, run_id: str) -> None:
    """Click Approve in Airflow's page, as one of the people who approve, and fill in nothing."""
    airflow = installation.stack.airflow(installation.url)
    page = browser.new_page()
    page.goto(f"{airflow.url}/auth/login/")
    log_in(page, airflow)
    page.get_by_role("link", name="Dags").first.wait_for()
    page.goto(f"{airflow.url}/dags/publication/runs/{run_id}/tasks/approve/required_actions")
    page.wait_for_timeout(6_000)  # no sooner than a person could: see AirflowClient.respond
    with page.expect_response(lambda given: given.url.endswith("/hitlDetails")
                              and given.request.method == "PATCH") as answer:  # fmt: skip
        page.get_by_role("button", name="Approve", exact=True).click()
    assert answer.value.ok
    page.close()


def test_approved_on_the_page_and_a_mail_server_that_is_down(
    installation: Installation, post: Post, browser: Browser
) -> None:
    """An approval needs no reason. The mail is tried again; nobody gets the edition twice."""
    (first_week,) = installation.query("select min(week_id) from reporting.rpt_metric")[0]
    nobody = hold_port()
    set_mail_server(installation, nobody.number)
    letters = [f"{name}@babel.example.id" for name in ("ketua", "humas", "ppid")]

    def approve(run_id: str, states: dict[str, str | None]) -> None:
        if states.get("approve") == "awaiting_input":
            approve_on_the_page(installation, browser, run_id)
        if states.get("mail") == "up_for_retry":
            assert states["publish"] == "success"
            assert (f"{first_week}-r2", "published") in published(installation)
            assert installation.query("select count(*) from published.mailing") == [(0,)]
            set_mail_server(installation, post.address.port)
            nobody.release()

    state, tasks = installation.run("publication", {"week_id": first_week}, approve)
    assert (state, tasks["mail"]) == ("success", "success")
    reason = installation.client.log("publication", installation.last_run_id, "mail", 1)
    assert "mail server" in str(reason)
    assert [address for address in post.addresses if address in letters] == letters


def test_unreachable_source_fails_its_run_and_moves_nothing(
    installation: Installation, unreachable: tuple[str, list[tuple[object, ...]]]
) -> None:
    run_id, cursor = unreachable
    for _ in installation.client.follow("intake__kobo_pemantau", run_id, 300):
        pass
    assert installation.client.run("intake__kobo_pemantau", run_id)["state"] == "failed"
    reason = installation.client.reason("intake__kobo_pemantau", run_id, "pull")
    assert "does not answer" in reason
    assert cursor == installation.query(CURSOR)


def test_an_owner_pulls_and_pauses_a_channel_at_the_desk(
    installation: Installation, browser: Browser
) -> None:
    dag = "intake__register_laporan"
    client, airflow = installation.client, installation.stack.airflow(installation.url)
    before = {run["dag_run_id"] for run in client.runs(dag)}
    page = browser.new_page(viewport={"width": 390, "height": 844})
    try:
        page.goto(f"{airflow.url}/lumbung/kanal/register_laporan")
        log_in(page, airflow, "koordinator")  # a viewer in Airflow
        page.get_by_role("button", name="Tarik sekarang").click()
        page.get_by_text("Penarikan telah diminta").wait_for()
        (run_id,) = {run["dag_run_id"] for run in client.runs(dag)} - before
        for _ in client.follow(dag, run_id, 240):
            pass
        assert client.run(dag, run_id)["state"] == "success"
        for button, said, is_paused in (
            ("Jeda penarikan", "Penarikan dijeda.", True),
            ("Lanjutkan penarikan", "Penarikan dilanjutkan.", False),
        ):
            page.get_by_role("button", name=button).click()
            page.get_by_text(said).wait_for()
            assert client.call("GET", f"/dags/{dag}")["is_paused"] is is_paused
    finally:
        page.close()
    asked = "select line::jsonb -> 'content' ->> 'request' from ops.audit_log"
    asked += " where line::jsonb ->> 'event' = 'ops.channel_request' order by entry_id"
    assert installation.query(asked) == [("pull",), ("pause",), ("resume",)]
