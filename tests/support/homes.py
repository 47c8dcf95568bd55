"""Homes of tests that are not about who approves an edition."""

from __future__ import annotations

from pathlib import Path

from lumbung.settings import Settings


def demo_home(home: Path, project: Path) -> Settings:
    """A demo's home: there, a decision needs no code of a phone."""
    settings = Settings(home, project, None)
    home.mkdir(parents=True, exist_ok=True)
    settings.demo_claim.touch()
    return settings
