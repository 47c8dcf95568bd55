"""Records that were landed before: their private parts, and pseudonyms by the rules of today.

`raw.record` is append-only but for this: where a channel's field map or the rules of `pseudonyms`
have changed, its stored records are written again as they would be landed now. Their ids, hashes
and times stay, so nothing is landed twice and nothing is counted otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

import psycopg
from psycopg.types.json import Jsonb

from lumbung import database
from lumbung.errors import DestroyedKeyError
from lumbung.intake.channel.models import Channel
from lumbung.intake.landing.lexicon import project_lexicon
from lumbung.intake.landing.prepare import LOCATOR_FOLLOWS
from lumbung.intake.landing.pseudonyms import (
    LOCATOR,
    Pseudonyms,
    pseudonym_version,
    seal_label,
    term_pseudonym,
)
from lumbung.intake.landing.storable import ascii_json
from lumbung.intake.vault import Keyring, Vault, associate, hold_to_one_key
from lumbung.settings import Settings

ERASED = "[dihapus]"
"""What stands in the place of a name that was erased from somebody else's delivery."""

_FETCHED_ROWS = 5_000
_PSEUDONYM = re.compile(r"~[a-p]{12}")


def opened(keys: Keyring, channel: str, source_id: str, sealed: bytes | None) -> dict[str, Any]:
    """The private part of a record; empty if it has none.

    Raises:
        DestroyedKeyError: when its key was destroyed.
        LumbungError: when it does not open with this key.
    """
    if sealed is None:
        return {}
    private: dict[str, Any] = json.loads(keys.open(sealed, associate(channel, source_id)))
    return private


def opened_if_kept(
    keys: Keyring, channel: str, source_id: str, sealed: bytes | None
) -> dict[str, Any]:
    """As `opened`; empty also where the key was destroyed.

    A backup that is older than an erasure brings the erased rows back, without their keys.
    """
    try:
        return opened(keys, channel, source_id, sealed)
    except DestroyedKeyError:
        return {}


def as_delivered(payload: Mapping[str, Any], private: Mapping[str, Any]) -> dict[str, Any]:
    """A payload with what its pseudonyms stand for."""
    return {label: private.get(label, value) for label, value in payload.items()}


def renew(database_url: str, channels: Mapping[str, Channel], settings: Settings) -> None:
    """Store what was landed as the rules and seeds of today say; does nothing where they are those.

    Args:
        database_url: the warehouse.
        channels: the channels that are built.
        settings: where the seeds and the vault key are.

    Raises:
        ConfigurationError: when something is to be stored otherwise and this vault key is not the
            warehouse's.
    """
    with database.session(database_url, application="lumbung pseudonyms") as db:
        if db.execute("select from vault.key").fetchone() is None:
            return  # nothing was landed, so there are no pseudonyms
        db.execute("select pg_advisory_lock(hashtext('lumbung.pseudonyms'))")
        stored: dict[str, int] = dict(
            db.execute("select channel, version from ops.pseudonym").fetchall()
        )
        vocabularies = project_lexicon(settings.dbt_project).terms
        terms = {term for known in vocabularies.values() for term in known}
        named = {row[0] for row in db.execute("select term from reference.term_pseudonym")}
        outdated = [
            each
            for each in channels.values()
            if stored.get(each.name) not in (None, pseudonym_version(each))
        ]
        if terms == named and not outdated:
            return
        vault = Vault.load(settings.home)
        hold_to_one_key(db, vault)
        with db.transaction():
            db.execute("delete from reference.term_pseudonym")
            db.cursor().executemany(
                "insert into reference.term_pseudonym (pseudonym, term) values (%s, %s)",
                [(term_pseudonym(vault, term), term) for term in sorted(terms)],
            )
        for channel in outdated:
            with db.transaction():
                lexicon = project_lexicon(settings.dbt_project, channel.province)
                _renew(db, channel, Keyring(db, vault), Pseudonyms(channel, vault, lexicon))
        if outdated:  # what was written before must not stay readable in the table's files
            for table in (
                *("raw.record", "quarantine.record", "ops.missing_record", "ops.drift_notice"),
            ):
                db.execute(f"vacuum {table}".encode())


def _renew(db: psycopg.Connection, channel: Channel, keys: Keyring, pseudonyms: Pseudonyms) -> None:
    """Store the records, quarantined deliveries and listings of one channel again."""
    name = channel.name
    with db.cursor(name="landed", binary=True) as landed:
        landed.execute(
            "select record_id, source_id, payload, locator, ciphertext from raw.record"
            " left join vault.identity using (record_id) where channel = %s and not is_tombstone",
            (name,),
        )
        while rows := landed.fetchmany(_FETCHED_ROWS):
            changed = []
            data_key = keys.new()
            for record_id, source_id, payload, locator, sealed in rows:
                if sealed is None and _PSEUDONYM.search(json.dumps(payload)):
                    continue  # erased: nothing says what its pseudonyms stand for
                try:
                    private = opened(keys, name, source_id, sealed)
                except DestroyedKeyError:
                    continue
                delivered = as_delivered(payload, private)
                place = private.pop(LOCATOR, locator)
                for label in delivered:
                    private.pop(label, None)
                replaced = pseudonyms.of_payload(delivered)
                # What was taken out of a text must not change how it counts.
                replaced |= {
                    label: payload[label]
                    for label, value in delivered.items()
                    if value != payload[label] and ERASED in json.dumps(value)
                }
                private |= {label: delivered[label] for label in replaced}
                stored = None if place is None else pseudonyms.of_locator(place)
                if place != locator and ERASED in place:
                    stored = locator
                if stored != place:
                    private[LOCATOR] = place
                shown = {**delivered, **replaced}
                if shown != payload or stored != locator:
                    associated = associate(name, source_id)
                    again = data_key.seal(ascii_json(private), associated)
                    changed.append((record_id, Jsonb(shown), stored, again))
            _store(db, changed)
    _renew_quarantine(db, name, keys, pseudonyms)
    _renew_labels(db, name, keys.vault, pseudonyms)
    for (listing,) in db.execute(
        "select distinct listing from ops.missing_record where channel = %s", (name,)
    ).fetchall():
        db.execute(
            "update ops.missing_record set listing = %s where channel = %s and listing = %s",
            (pseudonyms.of_locator(listing), name, listing),
        )
    db.execute(
        "update ops.pseudonym set version = %s where channel = %s",
        (pseudonym_version(channel), name),
    )


def _store(db: psycopg.Connection, changed: Iterable[tuple[int, Jsonb, str | None, bytes]]) -> None:
    rows = list(changed)
    cursor = db.cursor()
    cursor.executemany(
        "update raw.record set payload = %s, locator = %s where record_id = %s",
        [(payload, locator, record_id) for record_id, payload, locator, _ in rows],
    )
    cursor.executemany(
        "insert into vault.identity (record_id, ciphertext) values (%s, %s)"
        " on conflict (record_id) do update set ciphertext = excluded.ciphertext",
        [(record_id, sealed) for record_id, _, _, sealed in rows],
    )


def _renew_quarantine(
    db: psycopg.Connection, channel: str, keys: Keyring, pseudonyms: Pseudonyms
) -> None:
    data_key = keys.new()
    for number, locator, content_hash, sealed in db.execute(
        "select quarantine_id, locator, content_hash, ciphertext from quarantine.record"
        " where channel = %s and locator is not null",
        (channel,),
    ).fetchall():
        associated = associate(channel, content_hash.hex())
        try:
            plain = keys.open(sealed, associated)
        except DestroyedKeyError:
            continue
        if LOCATOR_FOLLOWS not in plain:
            plain += LOCATOR_FOLLOWS + locator.encode()
            db.execute(
                "update quarantine.record set locator = %s, ciphertext = %s"
                " where quarantine_id = %s",
                (
                    pseudonyms.of_locator(locator),
                    data_key.seal(plain, associated),
                    number,
                ),
            )


def _renew_labels(
    db: psycopg.Connection, channel: str, vault: Vault, pseudonyms: Pseudonyms
) -> None:
    """Replace labels of drift notices that an earlier version kept in clear."""
    for (label,) in db.execute(
        "select field from ops.drift_notice where channel = %s and notice = 'appeared'"
        " and sealed_label is null",
        (channel,),
    ).fetchall():
        field = pseudonyms.of_label(label)
        if field == label:
            continue
        db.execute(
            "with clear as (delete from ops.drift_notice where channel = %s and field = %s"
            "   and notice = 'appeared' returning *)"
            " insert into ops.drift_notice"
            " (channel, field, notice, first_batch_id, noticed_at, sealed_label)"
            " select channel, %s, notice, first_batch_id, noticed_at, %s from clear"
            " on conflict do nothing",
            (channel, label, field, seal_label(vault, channel, label)),
        )
