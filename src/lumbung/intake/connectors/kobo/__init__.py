"""The kind `kobo`: KoboToolbox."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.kobo.config import KoboSource

KIND = Kind(
    name="kobo",
    config=KoboSource,
    connection="the server's address and token",
    system_labels=frozenset(
        {
            *("_id", "_uuid", "_submission_time", "_status", "_submitted_by", "_geolocation"),
            *("_validation_status", "_attachments", "_tags", "_notes", "_bamboo_dataset_id"),
            *("_supplementalDetails", "_xform_id_string", "__version__", "formhub/uuid"),
            *("meta/instanceID", "meta/deprecatedID", "meta/rootUuid", "meta/instanceName"),
            *("start", "end", "today", "username", "deviceid", "simserial", "phonenumber"),
        }
    ),
)
