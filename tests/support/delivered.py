"""Records as they were delivered: what the vault holds stands in the place of its pseudonyms."""

from __future__ import annotations

from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from lumbung.intake.landing.landed import as_delivered, opened
from lumbung.intake.landing.pseudonyms import LOCATOR, Pseudonyms
from lumbung.intake.vault import Keyring, Vault
from tests.support.channel_samples import REGISTER, channel

VAULT = Vault(bytes(range(32)))
"""That of the tests of intake."""

place = Pseudonyms(channel(REGISTER), VAULT).of_locator
"""A locator as it is stored."""


def delivered(db: psycopg.Connection, query: str, *values: Any) -> list[Any]:
    """The rows of a query over `raw.record`, whose payloads and locators are in clear."""
    with db.transaction():
        db.execute("create temporary table if not exists delivered (like raw.record)")
        db.execute("delete from delivered")
        db.execute("insert into delivered select * from raw.record")
        keys = Keyring(db, VAULT)
        private = [
            (Jsonb(as_delivered(payload, found)), found.get(LOCATOR, locator), record_id)
            for record_id, channel, source_id, payload, locator, sealed in db.execute(
                "select record_id, channel, source_id, payload, locator, ciphertext"
                " from raw.record inner join vault.identity using (record_id)"
            ).fetchall()
            if (found := opened(keys, channel, source_id, sealed))
        ]
        db.cursor().executemany(
            "update delivered set payload = %s, locator = %s where record_id = %s", private
        )
        return db.execute(query.replace("raw.record", "delivered").encode(), values).fetchall()
