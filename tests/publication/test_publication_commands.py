"""Publishing and looking after mails at a terminal."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from sample import WEEK
from typer.testing import CliRunner

from lumbung.cli import app
from lumbung.errors import PublicationError
from lumbung.publication import edition, mail


def test_a_week_is_drafted_rejected_drafted_anew_and_published(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LUMBUNG_DATABASE_URL", url)
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path))

    def lumbung(*words: str) -> str:
        said = CliRunner().invoke(app, words, catch_exceptions=False)
        assert said.exit_code == 0, said.output
        return said.output

    with pytest.raises(PublicationError, match="no edition yet"):
        lumbung("publish", WEEK, "--approve", "Ketua Contoh")
    said = lumbung("publish", WEEK)
    assert "pemeriksaan terpenuhi" in " ".join(said.split())
    assert (tmp_path / "drafts" / f"{WEEK}-r1" / "edisi.pdf").exists()
    assert "is rejected" in lumbung(
        "publish", WEEK, "--reject", "Ketua Contoh", "--reason", "periksa Belitung"
    )
    decision = edition.load(f"{WEEK}-r1", database_url=url).decision
    assert decision is not None
    assert (decision.decision, decision.decided_by) == ("rejected", "Ketua Contoh")

    lumbung("publish", WEEK)
    draft = tmp_path / "drafts" / f"{WEEK}-r2"
    draft.rename(tmp_path / "elsewhere")
    with pytest.raises(PublicationError, match="nobody has reviewed it"):
        lumbung("publish", WEEK, "--approve", "Ketua Contoh")
    (tmp_path / "elsewhere").rename(draft)
    page = (draft / "edisi.html").read_bytes()
    (draft / "edisi.html").write_bytes(page + b" ")
    with pytest.raises(PublicationError, match="files that were reviewed are not"):
        lumbung("publish", WEEK, "--approve", "Ketua Contoh")
    (draft / "edisi.html").write_bytes(page)
    lumbung("publish", WEEK, "--approve", "Ketua Contoh")
    assert (tmp_path / "editions" / f"{WEEK}-r2" / "edisi.pdf").exists()
    assert f"{WEEK}-r2/edisi.pdf" in lumbung("publish", WEEK)  # nothing is left to do

    with psycopg.connect(url) as connection:
        mail._record(connection, f"{WEEK}-r2", "a@babel.example.id", "offered", "")
    said = lumbung("mail", f"{WEEK}-r2", "--again", "a@babel.example.id", "--by", "Sari Rekaan")
    assert "released" in said
    assert "Sari Rekaan" in said
