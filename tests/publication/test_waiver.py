"""A failing check passes only by a named person, with a reason, for a time; and it is printed."""

from __future__ import annotations

import io
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from pypdf import PdfReader

from lumbung.errors import CheckpointError, PublicationError
from lumbung.publication.checks import checkpoint, waiver
from lumbung.publication.editions import freezing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.settings import Settings
from tests.support.edition_sample import WEEK

CHECK = "contributors_are_the_metric_to_date"
REASON = "Rekap dua kecamatan dihitung ulang, selesai pekan depan"
TO_COME = datetime.now(UTC).date() + timedelta(days=2)


@pytest.fixture
def draft(url: str, settings: Settings) -> str:
    """A draft that the checkpoint stops: an older member is gone."""
    with psycopg.connect(url) as connection:
        gone = connection.execute(
            "delete from reporting.rpt_metric_contributor where metric_code = 'tip' and ctid in "
            "(select"
            " min(ctid) from reporting.rpt_metric_contributor where metric_code = 'tip'"
            " and week_id = '2024-W39')"
        )
        assert gone.rowcount == 1
    return freezing.freeze(WEEK, settings=settings, database_url=url)


def waive(url: str, settings: Settings, edition_id: str, **given: object) -> None:
    arguments: dict[str, object] = {"by": "Ketua Contoh", "reason": REASON, "until": TO_COME}
    arguments |= given
    check = str(arguments.pop("check", CHECK))
    waiver.waive(
        check,
        edition_id=edition_id,
        settings=settings,
        database_url=url,
        **arguments,  # type: ignore[arg-type]
    )


def test_a_waived_check_lets_pass_and_is_printed(
    url: str, settings: Settings, draft: str, capsys: pytest.CaptureFixture[str]
) -> None:
    waive(url, settings, draft, check="nothing_is_negative")  # of another check: no help
    with pytest.raises(CheckpointError, match=CHECK):
        checkpoint.check(draft, settings=settings, database_url=url)
    assert [row[0] for row in waiver.waivable(draft, database_url=url)] == [CHECK]
    assert waiver.waivable("2024-W46-r1", database_url=url) == []
    with pytest.raises(PublicationError, match="has not passed the publication checkpoint"):
        review.approve(draft, by="Ketua Contoh", database_url=url)
    waive(url, settings, draft)
    reviewed = review.write_draft(draft, settings=settings, database_url=url)
    checkpoint.check(draft, settings=settings, database_url=url)
    assert f"waived   {CHECK}" in capsys.readouterr().out
    review.approve(draft, by="Ketua Contoh", reviewed=reviewed, database_url=url)
    files = render.render(store.load(draft, database_url=url))
    pages = PdfReader(io.BytesIO(files["edisi.pdf"])).pages
    pdf = " ".join(" ".join(p.extract_text() for p in pages).split())
    for text in (files["edisi.html"].decode(), files["metadata.json"].decode(), pdf):
        assert CHECK in text
        assert REASON in text
    assert "2 pemeriksaan mutu dikecualikan." in files["siaran-pers.txt"].decode()
    with pytest.raises(PublicationError, match="approved, not draft"):
        waive(url, settings, draft)


@pytest.mark.usefixtures("paper_as_text")
def test_an_expired_waiver_does_not_count(url: str, settings: Settings, draft: str) -> None:
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into published.waiver (edition_id, check_name, waived_by, reason, granted_at,"
            " until_date) values (%s, %s, 'K', 'r', %s, %s)",
            (draft, CHECK, datetime(2024, 11, 25, tzinfo=UTC), date(2024, 11, 26)),
        )
    with pytest.raises(CheckpointError, match=CHECK):
        checkpoint.check(draft, settings=settings, database_url=url)
    with psycopg.connect(url) as connection:  # as if it had passed while the waiver was in force
        connection.execute(
            "insert into published.checkpoint_pass (edition_id, run_id, until_date)"
            " values (%s, gen_random_uuid(), '2024-11-26')",
            (draft,),
        )
    with pytest.raises(PublicationError, match="its waiver has ended"):
        review.approve(draft, by="Ketua Contoh", database_url=url)
    with psycopg.connect(url) as connection:
        connection.execute(
            "insert into published.approval (edition_id, decision, how, decided_by, reviewed)"
            " values (%s, 'approved', 'person', 'x', '{}')",
            (draft,),
        )
        with pytest.raises(psycopg.errors.RestrictViolation, match="valid pass"):
            connection.execute("update published.edition set state = 'approved'")


def test_what_is_no_waiver(url: str, settings: Settings, draft: str) -> None:
    for given, message in (
        ({"check": "no_such_check"}, "no check no_such_check"),
        ({"check": "most_districts_submitted"}, "no check"),  # only warns
        ({"check": "artefacts_hold_no_personal_data"}, "may never be waived"),
        ({"check": "small_cells_are_hidden"}, "may never be waived"),
        ({"by": " "}, "names nobody responsible"),
        ({"reason": ""}, "no reason"),
        ({"until": date(2024, 11, 24)}, "would have ended"),
    ):
        with pytest.raises(PublicationError, match=message):
            waive(url, settings, draft, **given)
    with psycopg.connect(url) as connection:
        assert connection.execute("select count(*) from published.waiver").fetchone() == (0,)


def test_a_draft_with_a_newer_revision_is_not_waived(
    url: str, settings: Settings, draft: str
) -> None:
    with psycopg.connect(url) as connection:
        connection.execute("update reporting.rpt_not_counted set record_count = record_count + 1")
    newer = freezing.freeze(WEEK, settings=settings, database_url=url)
    assert newer != draft
    with pytest.raises(PublicationError, match=f"newer revision, {newer}"):
        waive(url, settings, draft)
    waive(url, settings, newer)
    with psycopg.connect(url) as connection:
        found = connection.execute("select edition_id from published.waiver").fetchall()
    assert found == [(newer,)]
