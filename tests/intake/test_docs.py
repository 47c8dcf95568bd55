"""The examples on the channels' pages are channels."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from lumbung.intake.channel.load import load_channels
from lumbung.intake.connectors import KINDS

PAGES = Path(__file__).parents[2] / "docs" / "reference" / "channels"
REGISTER = Path(__file__).parents[2] / "channels" / "register_laporan.yaml"


@pytest.mark.parametrize("kind", KINDS)
def test_the_example_of_a_page_is_a_channel_that_can_be_read(tmp_path: Path, kind: str) -> None:
    (example,) = re.findall(r"^```yaml\n(.*?)^```", (PAGES / f"{kind}.md").read_text(), re.M | re.S)
    (tmp_path / "contoh.yaml").write_text(example)
    (tmp_path / REGISTER.name).write_text(REGISTER.read_text())
    channel = load_channels(tmp_path)["contoh"]
    assert channel.kind == kind
    assert callable(KINDS[kind].read)
