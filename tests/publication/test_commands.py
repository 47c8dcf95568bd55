"""Publishing and looking after mails at a terminal."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path

import psycopg
import pyotp
import pytest
from typer.testing import CliRunner

from lumbung.cli import app
from lumbung.errors import ConfigurationError, PublicationError
from lumbung.publication.delivery import smtp
from lumbung.publication.editions.approver import CodeError
from lumbung.publication.model import store
from lumbung.settings import JAKARTA
from tests.support.codes import Clock
from tests.support.edition_sample import WEEK
from tests.support.post import post_office

pytestmark = pytest.mark.slow

RECIPIENTS = ["ketua@babel.example.id", "humas@babel.example.id", "ppid@babel.example.id"]


@pytest.mark.usefixtures("paper_as_text")
def test_a_week_is_drafted_rejected_drafted_anew_and_published(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))
    clock = Clock(monkeypatch)

    def lumbung(*words: str, asked: str = "") -> str:
        said = CliRunner().invoke(app, words, input=asked, catch_exceptions=False)
        assert said.exit_code == 0, said.output
        return said.output

    def enrol(*options: str) -> pyotp.TOTP:
        phone = pyotp.parse_uri(lumbung("approver", "enrol", "pimpinan", *options).split()[-1])
        assert isinstance(phone, pyotp.TOTP)
        return phone

    def approve() -> str:
        return lumbung("publish", WEEK, "--approve", "pimpinan", "--code", clock.code(phone))

    phone = enrol()
    with pytest.raises(PublicationError, match="no edition yet"):
        approve()
    said = lumbung("publish", WEEK)
    assert "Pemeriksaan yang terpenuhi" in " ".join(said.split())
    assert (tmp_path / "drafts" / f"{WEEK}-r1" / "edisi.pdf").exists()
    assert "is rejected" in lumbung(
        "publish",
        WEEK,
        "--reject",
        "pimpinan",
        "--reason",
        "periksa Belitung",
        "--code",
        clock.code(phone),
    )
    decision = store.load(f"{WEEK}-r1", database_url=url).decision
    assert decision is not None
    assert (decision.decision, decision.decided_by) == (
        "rejected",
        "Rara Rekaan, Ketua (rekaan)",
    )

    lumbung("publish", WEEK)
    draft = tmp_path / "drafts" / f"{WEEK}-r2"
    draft.rename(tmp_path / "elsewhere")
    phone = enrol("--replace")  # a code counts once
    with pytest.raises(PublicationError, match="nobody has reviewed it"):
        approve()
    (tmp_path / "elsewhere").rename(draft)
    page = (draft / "edisi.html").read_bytes()
    (draft / "edisi.html").write_bytes(page + b" ")
    with pytest.raises(PublicationError, match="files that were reviewed are not"):
        approve()
    (draft / "edisi.html").write_bytes(page)
    (draft / "catatan.txt").write_text("of whoever read it")
    with pytest.raises(PublicationError, match="files that were reviewed are not"):
        approve()
    waiver = ["--edition", f"{WEEK}-r2", "--by", "pimpinan", "--reason", "percobaan"]
    until = f"{datetime.now(JAKARTA) + timedelta(days=2):%Y-%m-%d}"
    waiver = ["waive", "nothing_is_negative", *waiver, "--until", until]
    lumbung(*waiver, asked=clock.code(phone))
    with pytest.raises(CodeError, match="used already"):
        lumbung(*waiver, asked=clock.code(phone))
    clock.next_code(phone)
    lumbung("publish", WEEK)  # the remediation: a draft holds what was rendered and nothing more
    assert not (draft / "catatan.txt").exists()
    with pytest.raises(ConfigurationError, match=r"'Orang Lain' is not an approver.*people\.yaml"):
        lumbung("publish", WEEK, "--approve", "Orang Lain")
    with pytest.raises(CodeError, match="the code is wrong"):
        lumbung("publish", WEEK, "--approve", "pimpinan", "--code", "000000")
    approve()
    assert (tmp_path / "editions" / f"{WEEK}-r2" / "edisi.pdf").exists()
    assert f"{WEEK}-r2/edisi.pdf" in lumbung("publish", WEEK)  # nothing is left to do

    with pytest.raises(PublicationError, match=f"there is no edition {WEEK}-r9"):
        lumbung("mail", f"{WEEK}-r9")
    with post_office() as post:
        address = f"smtp://{post.address.host}:{post.address.port}/?security=none"
        monkeypatch.setenv("AIRFLOW_CONN_SMTP_PUBLICATION", address)
        for _ in range(2):  # never twice
            said = lumbung("mail", f"{WEEK}-r2", "--send")
            reported = {line.split()[0] for line in said.splitlines() if " accepted " in line}
            assert reported == {*RECIPIENTS}, said  # Airflow's own log may say it of something else
        assert post.addresses == RECIPIENTS

    with psycopg.connect(url) as connection:
        smtp._record(connection, f"{WEEK}-r2", "a@babel.example.id", "offered", "")
    again = ("--again", "a@babel.example.id", "--by", "pimpinan")
    said = lumbung("mail", f"{WEEK}-r2", *again, asked=clock.next_code(phone))
    assert "released" in said
    assert "pimpinan" in said
