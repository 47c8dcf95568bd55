"""One-time codes that stay valid until the test moves the clock, however slow the machine is."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from lumbung.publication.editions import approver

STEP = timedelta(seconds=30)


class Clock:
    """The clock that codes are judged by; it stands still."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moment = datetime.now(UTC)
        monkeypatch.setattr(approver, "_now", lambda: self.moment)

    def code(self, phone: pyotp.TOTP) -> str:
        """Return the code that the phone shows."""
        return phone.at(self.moment)

    def next_code(self, phone: pyotp.TOTP) -> str:
        """Wait for the code after it; the database refuses one that is much older than now."""
        self.moment = max(self.moment + STEP, datetime.now(UTC))
        return self.code(phone)
