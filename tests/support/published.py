"""Published editions of the sample, one superseded, metrics restated, and a draft beside."""

from __future__ import annotations

from typing import Literal

import psycopg
import pytest

from lumbung.publication.editions import freezing, publishing, review
from lumbung.publication.formats import render, xlsx
from lumbung.settings import Settings
from tests.publication.test_restatement import MEMBER, change, edit, late, remap, withdraw
from tests.support.edition_sample import WEEK, pass_checkpoint

EDITIONS = ["2024-W44-r1", "2024-W45-r1", "2024-W46-r1", "2024-W46-r2", "2024-W47-r1"]
LATEST, DRAFT = "2024-W47-r1", "2024-W47-r2"


def publish(url: str, settings: Settings, week: str, how: Literal["person", "demo"]) -> str:
    """Freeze, approve and publish a week."""
    edition_id = freezing.freeze(week, settings=settings, database_url=url)
    pass_checkpoint(url, edition_id)
    review.approve(edition_id, by="Ketua Contoh", how=how, database_url=url)
    publishing.publish(edition_id, settings=settings, database_url=url)
    return edition_id


def more(connection: psycopg.Connection) -> None:
    """A tip that only the draft counts."""
    connection.execute(f"insert into {MEMBER} values ('tip', 'ALL', '19.05', %s, 'more')", (WEEK,))


def publish_weeks(url: str, settings: Settings) -> None:
    """Publish `EDITIONS` and leave `DRAFT`, in a database with the sample's marts.

    What takes long to draw is left out of all but the latest: nobody looks at it here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(render, "_pdf", lambda *_: b"%PDF-1.7 (of an earlier edition)")
        patch.setattr(xlsx, "workbook", lambda *_: b"PK (of an earlier edition)")
        patch.setattr(publishing, "find_personal_data", lambda *_: [])
        done = [publish(url, settings, "2024-W44", "person")]
        change(url, late)
        done.append(publish(url, settings, "2024-W45", "person"))
        change(url, edit, withdraw)
        done.append(publish(url, settings, "2024-W46", "person"))
        change(url, remap)
        done.append(publish(url, settings, "2024-W46", "person"))
    done.append(publish(url, settings, WEEK, "demo"))
    assert done == EDITIONS
    change(url, more)
    assert freezing.freeze(WEEK, settings=settings, database_url=url) == DRAFT
