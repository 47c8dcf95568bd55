"""The kind `ushahidi`: Ushahidi."""

from __future__ import annotations

from lumbung.intake.connectors.base import Kind
from lumbung.intake.connectors.ushahidi.config import UshahidiSource

KIND = Kind(
    name="ushahidi",
    config=UshahidiSource,
    system_labels=frozenset(
        {
            *("Post ID", "Survey", "Survey ID", "Post Status", "Created (UTC)", "Updated (UTC)"),
            *("Post Date (UTC)", "Contact ID", "Contact", "Data Source ID", "Source"),
            *("Author ID", "Author", "Author Email", "Post Title", "Unstructured Description"),
            "Categories",
        }
    ),
)
