"""The kind `odk`: ODK Central."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.odk.config import OdkSource

KIND = Kind(
    name="odk",
    config=OdkSource,
    connection="the server's address and token",
    system_labels=frozenset(
        {
            *("__id", "__attachments", "meta/instanceID", "meta/instanceName", "start", "end"),
            *("today", "username", "deviceid", "phonenumber", "simserial", "audit"),
            *(
                f"__system/{name}"
                for name in (
                    *("submissionDate", "updatedAt", "deletedAt", "submitterId", "submitterName"),
                    *("attachmentsPresent", "attachmentsExpected", "status", "reviewState"),
                    *("deviceId", "edits", "formVersion"),
                )
            ),
        }
    ),
)
