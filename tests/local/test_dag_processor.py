"""When the DAG processor parses a file again, and how long it waits."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from airflow.dag_processing.manager import DagFileInfo, DagFileProcessorManager, DagFileStat

from lumbung.local.dag_processor import LOOK_SECONDS, DagProcessor

FILES = [DagFileInfo(Path(name), "dags-folder", Path("/dags")) for name in ("a.py", "b.py")]


@pytest.fixture
def processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DagProcessor:
    """One that has parsed two files, and has been asked by nobody."""
    for name in "channels", "config":
        (tmp_path / name).mkdir()
    (tmp_path / "channels" / "radio.yaml").write_text("title: Radio")
    monkeypatch.setenv("LUMBUNG_PROJECT", str(tmp_path))
    monkeypatch.setenv("LUMBUNG_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(DagFileProcessorManager, "claim_priority_files", lambda _: [])
    made = DagProcessor(max_runs=-1)
    now = datetime.now(UTC)
    made._file_stats.update({file: DagFileStat(last_finish_time=now) for file in FILES})
    assert made.claim_priority_files() == []
    return made


def test_a_changed_channel_or_configuration_parses_every_file(
    processor: DagProcessor, tmp_path: Path
) -> None:
    assert processor.claim_priority_files() == []
    radio = tmp_path / "channels" / "radio.yaml"
    radio.write_text("title: Pasar")  # of the same length
    os.utime(radio, (1, 1))
    assert processor.claim_priority_files() == FILES
    assert processor.claim_priority_files() == []
    (tmp_path / "config" / "people.yaml").write_text("viewers: []")
    assert processor.claim_priority_files() == FILES
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "demo.json").write_text("{}")
    assert processor.claim_priority_files() == FILES
    radio.unlink()
    assert processor.claim_priority_files() == FILES


def test_a_file_that_failed_is_parsed_again_after_a_minute(processor: DagProcessor) -> None:
    now = datetime.now(UTC)
    for minutes, again in ((0, []), (2, FILES[:1])):
        processor._file_stats[FILES[0]] = DagFileStat(
            import_errors=1, last_finish_time=now - timedelta(minutes=minutes)
        )
        assert processor.claim_priority_files() == again


def test_it_waits_longer_only_while_it_has_nothing_to_parse(
    processor: DagProcessor, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []
    monkeypatch.setattr(
        DagFileProcessorManager,
        "_service_processor_sockets",
        lambda _, timeout: waited.append(timeout),
    )
    processor._service_processor_sockets(0.5)
    processor._file_queue[FILES[0]] = None
    processor._service_processor_sockets(0.5)
    assert waited == [LOOK_SECONDS, 0.5]
