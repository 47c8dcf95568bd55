"""What the vault holds on one person: found, exported, erased; legal holds; a new vault key.

A person is found as the reporter of a delivery (`raw.record.subject_token`, or any label that
identifies reporters), and by name or number in any private part or quarantined delivery. Erasing
destroys the keys of these deliveries, so that backups, whose keys are replaced with the next one,
do not open them either. Records, counts and editions stay: they name nobody
(docs/explanation/adr/0024-keys-that-can-be-destroyed.md).
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psycopg

from lumbung import database
from lumbung.errors import ConfigurationError, DestroyedKeyError, ServiceError
from lumbung.files import write_private
from lumbung.intake.evidence import Evidence
from lumbung.intake.inbox import seal_names
from lumbung.intake.landing.landed import ERASED, opened_if_kept
from lumbung.intake.landing.prepare import LOCATOR_FOLLOWS
from lumbung.intake.landing.pseudonyms import open_label, seal_label
from lumbung.intake.landing.storable import ascii_json
from lumbung.intake.quarantine import DISMISSED_BY_ERASURE
from lumbung.intake.vault import (
    ERASED_EVIDENCE,
    EvidenceKeys,
    Keyring,
    Vault,
    associate,
    data_key_id,
    hold_to_one_key,
    item_of,
)
from lumbung.settings import Settings

Subjects = Mapping[str, Collection[str]]
"""Channel -> its labels that identify reporters (`Channel.subject`)."""

Consent = tuple[int, int, str]
"""The second person's phone, the code's time step and the seal (`approver.Proof`)."""

PULL_WAIT = "60s"
"""How long an erasure waits for a pull, an upload or a build, as a setting of PostgreSQL."""

_FETCHED_ROWS = 5_000
_SHA256 = re.compile("[0-9a-f]{64}")


class Held(NamedTuple):
    """A record that holds a person.

    Attributes:
        record_id, channel, source_id, received_at: of the record.
        is_reporter: whether the person delivered it; else it names the person.
        payload, private: what was delivered, without and with the vault.
        evidence: the SHA-256 (hex) of the file that it came from; None: it has none.
        sealed: the private part, encrypted.

    """

    record_id: int
    channel: str
    source_id: str
    received_at: datetime
    is_reporter: bool
    payload: dict[str, Any]
    private: dict[str, Any]
    evidence: str | None
    sealed: bytes

    @property
    def associated(self) -> bytes:
        """Identifies the delivery in the vault."""
        return associate(self.channel, self.source_id)

    @property
    def attached(self) -> set[str]:
        """The SHA-256 (hex) of its attachments."""
        return {*_attached([self.payload, self.private])}

    @property
    def name(self) -> str:
        """Identifies it in `ops.repeated_delivery`."""
        return self.source_id


class HeldInQuarantine(NamedTuple):
    """A quarantined delivery that names a person, as `Held`; `name` is its content hash (hex)."""

    quarantine_id: int
    channel: str
    content: str
    evidence: str | None
    sealed: bytes
    name: str

    @property
    def associated(self) -> bytes:
        """As `Held.associated`."""
        return associate(self.channel, self.name)

    @property
    def attached(self) -> set[str]:
        """As `Held.attached`."""
        return {*_attached(_delivered(self.content))}


@dataclass
class Erased:
    """What was erased, and the evidence that was not.

    Attributes:
        records: records whose private part was destroyed.
        redacted: records of others from whose private part the person was taken out.
        quarantined: quarantined deliveries whose content was destroyed.
        evidence: SHA-256 (hex) of the files that were destroyed, attachments among them.
        kept_evidence: files that hold a delivery under legal hold.
        shared: attachments that a remaining delivery also has.
        undecided: channels of which nothing expired, because each row says its own kind.

    """

    records: list[int] = field(default_factory=list)
    redacted: list[int] = field(default_factory=list)
    quarantined: list[int] = field(default_factory=list)
    evidence: list[str] = field(default_factory=list)
    kept_evidence: list[str] = field(default_factory=list)
    shared: list[str] = field(default_factory=list)
    undecided: list[str] = field(default_factory=list)


def held(
    db: psycopg.Connection, vault: Vault, identity: str, subjects: Subjects
) -> tuple[list[Held], list[HeldInQuarantine]]:
    """Find what is held on a person.

    Args:
        db: as the role `custodian`, in a transaction.
        vault: of the installation.
        identity: a name, or a telephone number in any spelling.
        subjects: the labels that identify reporters; of other channels only the first one filled
            is compared, by its token.

    Raises:
        ConfigurationError: when the identity is too short to mean one person.

    """
    hold_to_one_key(db, vault)
    keys, person = Keyring(db, vault), _pattern(identity)
    token, records = vault.subject_token(identity), []
    for each in _records(db, keys, "true", (), token=token):
        reporter = (each.private.get(label) for label in subjects.get(each.channel, ()))
        if each.is_reporter or any(
            vault.subject_token(str(value)) == token for value in reporter if value
        ):
            records.append(each._replace(is_reporter=True))
        elif _names(person, each.private):
            records.append(each)
    quarantined = []
    for number, channel, content_hash, evidence, sealed in db.execute(
        "select quarantine_id, channel, encode(content_hash, 'hex'),"
        " encode(evidence_sha256, 'hex'), ciphertext from quarantine.record order by 1"
    ).fetchall():
        try:
            plain = keys.open(sealed, associate(channel, content_hash))
        except DestroyedKeyError:
            continue
        content = plain.decode(errors="replace")
        if _names(person, _delivered(content)):
            quarantined.append(
                HeldInQuarantine(number, channel, content, evidence, sealed, content_hash)
            )
    return records, quarantined


def erase(
    db: psycopg.Connection,
    vault: Vault,
    identity: str,
    subjects: Subjects,
    *,
    by: str,
    consented_by: str,
    consent: Consent | None = None,
    reason: str,
    evidence: Evidence,
    today: date,
) -> Erased:
    """Erase a person.

    Remove the person from the source first: what a source delivers again is landed again, and a
    file that is delivered again is kept again.

    Args:
        db: as the role `custodian`, in autocommit.
        vault: of the installation.
        identity: as for `held`.
        subjects: as for `held`.
        by: who erases.
        consented_by: the second person; empty in a demo's home.
        consent: this person's proof; None in a demo's home.
        reason: why, without anybody's name.
        evidence: the store of evidence.
        today: decides which legal holds stand.

    Raises:
        ConfigurationError: when nothing is held, or a delivery is under legal hold.
        ServiceError: when a pull or a build does not end within `PULL_WAIT`; nothing was erased. Or
            when the object store refuses to delete a file; the next erasure deletes it.

    """
    done = None
    with _no_pull(db, subjects):
        with db.transaction():
            records, quarantined = held(db, vault, identity, subjects)
            if records or quarantined:
                who = (by, consented_by, reason, *(consent or (None, None, None)))
                done = _erase(db, vault, records, quarantined, _pattern(identity), who, today)
        _remove(db, evidence)
    if done is None:
        raise nothing_held()
    return done


def nothing_held() -> ConfigurationError:
    """The error where a person is not found."""
    return ConfigurationError(
        "nothing is held on this person",
        where="vault",
        remediation="try another spelling of the name, or the telephone number",
    )


def expire(
    db: psycopg.Connection,
    vault: Vault,
    what: str,
    before: date,
    kinds: Mapping[str, str],
    *,
    by: str,
    consented_by: str,
    consent: Consent | None = None,
    reason: str,
    evidence: Evidence,
    today: date,
) -> Erased:
    """Destroy the private parts of records that were received before a day (WIB).

    They are those of one kind, or of one channel, whatever their kinds are (ADR 26). Files of
    evidence that hold one of them are destroyed whole, the newest file of a register that repeats
    old rows as well. Deliveries under legal hold stay, and their files.

    Args:
        db: as for `erase`.
        vault: as for `erase`.
        what: `IA`, `LHP`, `PREV` or `PLAN`, or the name of a channel's records.
        before: the first day that is kept.
        kinds: channel -> the record kind of all its rows. Rows of other channels say their kinds,
            which only a build reads: of these channels, nothing is destroyed by kind.
        by: as for `erase`.
        consented_by: as for `erase`.
        consent: as for `erase`.
        reason: as for `erase`.
        evidence: as for `erase`.
        today: as for `erase`.

    Raises:
        ConfigurationError: when no channel has this name, or this kind alone.
        ServiceError: as `erase`.

    """
    received = "(r.received_at at time zone 'Asia/Jakarta')::date < %s"
    with _no_pull(db):
        with db.transaction():
            hold_to_one_key(db, vault)
            known = db.execute("select from raw.batch where channel = %s limit 1", (what,))
            chosen = [what] * known.rowcount
            undecided: list[str] = []
            if not chosen:
                chosen = [channel for channel, only in kinds.items() if only == what]
                undecided = [
                    channel
                    for (channel,) in db.execute(
                        "select distinct channel from raw.record as r"  # noqa: S608
                        f" inner join vault.identity using (record_id) where {received}"
                        " and channel <> all(%s) order by 1",
                        (before, [*kinds]),
                    )
                ]
            if not chosen:
                each_row = f"; rows of {', '.join(undecided)} have kinds of their own"
                raise ConfigurationError(
                    f"no channel has records of the kind {what} alone, so nothing was destroyed"
                    + (each_row if undecided else ""),
                    where="channels",
                    remediation="give the kind that a channel file says for all of its rows, or the"
                    " name of a channel, whose records then expire whatever their kinds are",
                )
            where = f"{received} and r.channel = any(%s)"
            records = list(_records(db, Keyring(db, vault), where, (before, chosen)))
            standing = _held_back(db, today, [each.associated for each in records])
            records = [each for each in records if each.associated not in standing]
            who = (by, consented_by, reason, *(consent or (None, None, None)))
            done = _erase(db, vault, records, [], None, who, today) if records else Erased()
            done.undecided = undecided
        _remove(db, evidence)
    return done


@contextmanager
def _no_pull(db: psycopg.Connection, more: Iterable[str] = ()) -> Iterator[None]:
    """Let no pull, no upload of the desk and no `landed.renew` run meanwhile.

    One that runs could land the person again, store again what is being erased, or refer to a file
    whose key is being destroyed.

    Args:
        db: in autocommit.
        more: channels that may have landed nothing yet.

    Raises:
        ServiceError: when one does not end within `PULL_WAIT`.

    """
    channels = {
        channel
        for (channel,) in db.execute(
            "select channel from raw.batch union select channel from reference.channel"
        )
    }
    try:
        with database.lock_timeout(db, PULL_WAIT):
            for channel in sorted(channels.union(more)):  # as `lumbung.intake.run.lock`
                where = f"channel {channel}"
                db.execute(
                    "select pg_advisory_lock(hashtext('lumbung.intake'), hashtext(%s))", (channel,)
                )
            locks = (("the desk", "lumbung.inbox"), ("a build", "lumbung.pseudonyms"))
            for where, lock in locks:  # noqa: B007 - the message names it
                db.execute("select pg_advisory_lock(hashtext(%s))", (lock,))
        yield
    except psycopg.errors.LockNotAvailable as error:
        raise ServiceError(
            "a pull, an upload or a build is running, so nothing was erased",
            where=where,
            remediation="wait until it has ended, then erase again",
        ) from error
    finally:
        db.execute("select pg_advisory_unlock_all()")


def hold(db: psycopg.Connection, record_id: int, until: date, *, by: str, reason: str) -> None:
    """Hold a delivery back from erasure until a day; a day in the past lifts the hold.

    Raises:
        ConfigurationError: when there is no such record.

    """
    done = db.execute(
        "insert into ops.legal_hold (channel, source_id, until_date, reason, decided_by)"
        " select channel, source_id, %s, %s, %s from raw.record where record_id = %s",
        (until, reason, by, record_id),
    )
    if not done.rowcount:
        raise ConfigurationError(
            f"no record has the id {record_id}",
            where="raw.record",
            remediation="use a record of 'lumbung review' or 'lumbung trace'",
        )


def add_vault_key(home: Path) -> Vault:
    """Write a new vault key before the others, and return the vault.

    Raises:
        ConfigurationError: when the keys are in the environment, which only its owner can change.

    """
    if os.environ.get("LUMBUNG_VAULT_KEY"):
        raise ConfigurationError(
            "the vault keys are in the environment",
            where="LUMBUNG_VAULT_KEY",
            remediation="write a new key and a space before the present one there ('openssl rand"
            " -base64 32'), start everything again, then run 'lumbung vault rotate --use-newest'",
        )
    Vault.load(home)  # they are whole
    file = home / "keys" / "vault.key"
    write_private(
        file, base64.b64encode(secrets.token_bytes(32)) + b"\n" + file.read_bytes().strip()
    )
    return Vault.load(home)


def seal_inbox_names(settings: Settings, database_url: str) -> None:
    """Encrypt the names of uploads that an earlier version kept in clear.

    Args:
        settings: the installation.
        database_url: the warehouse, as the role `custodian`.

    """
    with database.session(database_url, application="lumbung inbox") as db:
        if db.execute("select from ops.inbox_file where name is not null limit 1").fetchone():
            seal_names(db, Vault.load(settings.home))


def encrypt_evidence(settings: Settings, database_url: str) -> int:
    """Encrypt the evidence that an earlier version kept in clear.

    Args:
        settings: the installation.
        database_url: the warehouse, as the role `custodian`.

    Returns:
        the number of files.

    """
    vault = Vault.load(settings.home)
    with database.connect(database_url, application="lumbung evidence") as db:
        hold_to_one_key(db, vault)
    with closing(EvidenceKeys(database_url, vault)) as keys:
        return Evidence(settings.evidence, keys, shared=settings.shared_evidence).encrypt()


def use_newest_key(db: psycopg.Connection, vault: Vault) -> int:
    """Encrypt data keys with the newest vault key, and give older ciphertexts data keys.

    A pull that is running writes data keys that are encrypted with the vault key that it began
    with. They open all the same; the next call finds them.

    Args:
        db: as the role `custodian`, in autocommit.
        vault: of the installation.

    Returns:
        the number of keys and ciphertexts that were encrypted again.

    """
    hold_to_one_key(db, vault)
    count = 0
    keys = Keyring(db, vault)
    with db.transaction():
        for query, change in (
            (
                "select key_id, wrapped, key_id from vault.data_key",
                "update vault.data_key set wrapped = %s where key_id = %s",
            ),
            (
                "select key_id, wrapped, key_id, item from vault.item_key",
                "update vault.item_key set wrapped = %s where key_id = %s and item = %s",
            ),
            (
                "select key_id || sha256, wrapped, key_id from vault.evidence_key",
                "update vault.evidence_key set wrapped = %s where key_id = %s",
            ),
        ):
            outdated = [
                (vault.wrap(associated, vault.unwrap(associated, wrapped)), *row)
                for associated, wrapped, *row in db.execute(query.encode())
                if not vault.is_newest(wrapped)
            ]
            db.cursor().executemany(change, outdated)
            count += len(outdated)
    for table, number, name in (
        ("vault.identity inner join raw.record using (record_id)", "record_id", "source_id"),
        ("quarantine.record", "quarantine_id", "encode(content_hash, 'hex')"),
    ):
        query = f"select {number}, channel, {name}, ciphertext from {table}"  # noqa: S608
        change = f"update {table.split()[0]} set ciphertext = %s where {number} = %s"  # noqa: S608
        older = [row for row in db.execute(query.encode()) if data_key_id(row[3]) is None]
        for start in range(0, len(older), _FETCHED_ROWS):
            with db.transaction():
                data_key = keys.new()
                db.cursor().executemany(
                    change,
                    [
                        (data_key.seal(vault.unseal(sealed, place), place), row_id)
                        for row_id, channel, source, sealed in older[start : start + _FETCHED_ROWS]
                        for place in [associate(channel, source)]
                    ],
                )
        count += len(older)
    count += _seal_labels(db, vault, lambda label, is_newest: None if is_newest else label)
    return count + seal_names(db, vault)


def _seal_labels(
    db: psycopg.Connection, vault: Vault, change: Callable[[str, bool], str | None]
) -> int:
    """Encrypt labels of drift notices again, and return how many.

    Args:
        db: as the role `custodian`.
        vault: of the installation.
        change: returns what a label becomes; None: it stays. It is given the label, and whether the
            newest vault key encrypts it.

    """
    count = 0
    for channel, pseudonym, sealed in db.execute(
        "select channel, field, sealed_label from ops.drift_notice where sealed_label is not null"
    ).fetchall():
        label = change(open_label(vault, channel, sealed), vault.is_newest(sealed[1:]))
        if label is not None:
            db.execute(
                "update ops.drift_notice set sealed_label = %s where (channel, field) = (%s, %s)",
                (seal_label(vault, channel, label), channel, pseudonym),
            )
            count += 1
    return count


def _records(
    db: psycopg.Connection,
    keys: Keyring,
    where: str,
    values: tuple[object, ...],
    *,
    token: bytes | None = None,
) -> Iterator[Held]:
    """The records with a private part; `token` is that of the reporter who is looked for."""
    with db.cursor(name="held", binary=True) as rows:
        rows.execute(
            "select record_id, channel, source_id, received_at,"  # noqa: S608
            " coalesce(subject_token = %s::bytea, false), payload,"
            " encode(evidence_sha256, 'hex'), ciphertext from raw.record as r"
            f" inner join vault.identity using (record_id) where {where} order by record_id",
            (token, *values),
        )
        while fetched := rows.fetchmany(_FETCHED_ROWS):
            for number, channel, source_id, at, is_reporter, payload, evidence, sealed in fetched:
                private = opened_if_kept(keys, channel, source_id, sealed)
                yield Held(
                    *(number, channel, source_id, at, is_reporter, payload, private),
                    *(evidence, sealed),
                )


def _erase(
    db: psycopg.Connection,
    vault: Vault,
    records: list[Held],
    quarantined: list[HeldInQuarantine],
    person: re.Pattern[str] | None,
    who: tuple[str, str, str, int | None, int | None, str | None],
    today: date,
) -> Erased:
    places = [each.associated for each in records]
    if standing := _held_back(db, today, places):
        numbers = [str(each.record_id) for each in records if each.associated in standing]
        raise ConfigurationError(
            f"a legal hold is on record {', '.join(numbers)}: nothing was erased",
            where="ops.legal_hold",
            remediation="wait until it ends, or lift it with 'lumbung vault hold'",
        )
    keys, done = Keyring(db, vault), Erased()
    new = keys.new()
    everything: list[Held | HeldInQuarantine] = [*records, *quarantined]
    doomed = {(data_key_id(each.sealed), each.associated) for each in everything}
    attached = {file for each in everything for file in each.attached}
    shared = attached & _named_elsewhere(db, keys, everything, attached)
    for each in records:
        if each.is_reporter or person is None:
            db.execute("delete from vault.identity where record_id = %s", (each.record_id,))
            done.records.append(each.record_id)
        else:
            left = ascii_json(_without(each.private, person))
            db.execute(
                "update vault.identity set ciphertext = %s where record_id = %s",
                (new.seal(left, each.associated), each.record_id),
            )
            done.redacted.append(each.record_id)
    if person is not None:
        _seal_labels(db, vault, lambda label, _: ERASED if person.search(label) else None)
    # The same person stays the same in counts, others stay others, and nobody can compute the token
    # from a name: its key is forgotten here.
    deliveries = "record_id = any(%s)"
    if person is not None:
        deliveries = f"subject_token in (select subject_token from raw.record where {deliveries})"  # noqa: S608
    db.execute(
        "update raw.record set subject_token = substr(sha256(subject_token || %s), 1, 16)"  # noqa: S608
        f" where {deliveries} and subject_token is not null".encode(),
        (secrets.token_bytes(32), done.records),
    )
    for item in quarantined:
        db.execute(
            "update quarantine.record set ciphertext = %s, dismissed_by = %s,"
            " dismissed_reason = %s, resolved_at = coalesce(resolved_at, clock_timestamp())"
            " where quarantine_id = %s",
            (
                new.seal(json.dumps(ERASED).encode(), item.associated),
                who[0],
                DISMISSED_BY_ERASURE,
                item.quarantine_id,
            ),
        )
        done.quarantined.append(item.quarantine_id)
    _destroy(db, keys, {(key_id, place) for key_id, place in doomed if key_id is not None})
    files = {each.evidence for each in everything if each.evidence} | (attached - shared)
    for channel in {each.channel for each in everything}:
        names = [each.name for each in everything if each.channel == channel]
        files |= _repeated_in(db, channel, names)
    kept = files & _files_under_hold(db, keys, today)
    done.evidence, done.kept_evidence = sorted(files - kept), sorted(kept)
    done.shared = sorted(shared - files)
    row = db.execute(
        "insert into ops.erasure (erased_by, consented_by, reason, enrolment_id, totp_step, seal,"
        " record_count, redacted_count, quarantine_count, evidence_count)"
        " values (%s, nullif(%s, ''), %s, %s, %s, %s, %s, %s, %s, %s) returning erasure_id",
        (
            *(*who, len(done.records), len(done.redacted)),
            *(len(done.quarantined), len(done.evidence)),
        ),
    ).fetchone()
    assert row is not None  # noqa: S101 - 'returning' of a single insert
    # Copies in earlier backups, in an object store and on other machines do not open any more.
    db.execute(
        "delete from vault.evidence_key where sha256 = any(%s)",
        ([bytes.fromhex(digest) for digest in done.evidence],),
    )
    db.execute(
        "delete from ops.inbox_file where sha256 = any(%s)",
        ([bytes.fromhex(digest) for digest in done.evidence],),
    )
    db.cursor().executemany(
        "insert into ops.erased_evidence (sha256, erasure_id) values (%s, %s)"
        " on conflict do nothing",
        [(bytes.fromhex(digest), row[0]) for digest in done.evidence],
    )
    return done


def _destroy(db: psycopg.Connection, keys: Keyring, doomed: set[tuple[bytes, bytes]]) -> None:
    """Destroy the keys of deliveries, and keep those of the other deliveries of their chunks.

    A data key that encrypts nothing any more is destroyed too: an old backup may have used it for
    one of these deliveries.
    """
    prefixes = [b"\x01" + key_id for key_id in {key_id for key_id, _ in doomed}]
    survivors: list[tuple[bytes, bytes, bytes]] = []
    for table, number, query in (
        (
            "vault.identity",
            "record_id",
            "select record_id, channel, source_id, ciphertext from vault.identity"
            " inner join raw.record using (record_id)",
        ),
        (
            "quarantine.record",
            "quarantine_id",
            "select quarantine_id, channel, encode(content_hash, 'hex'), ciphertext"
            " from quarantine.record",
        ),
    ):
        for row_id, channel, name, sealed in db.execute(
            f"{query} where substr(ciphertext, 1, 9) = any(%s)".encode(), (prefixes,)
        ).fetchall():
            place = associate(channel, name)
            key_id = data_key_id(sealed)
            assert key_id is not None  # noqa: S101 - of the query
            if (key := keys.key(key_id, place)) is None:  # destroyed by an earlier erasure
                continue
            if (key_id, place) in doomed:  # another version of the delivery, which stays
                again = keys.new().seal(keys.open(sealed, place), place)
                db.execute(
                    f"update {table} set ciphertext = %s where {number} = %s".encode(),  # noqa: S608
                    (again, row_id),
                )
            else:
                survivors.append((key_id, item_of(place), keys.vault.wrap(key_id, key)))
    db.cursor().executemany(
        "insert into vault.item_key (key_id, item, wrapped) values (%s, %s, %s)"
        " on conflict do nothing",
        survivors,
    )
    db.cursor().executemany(
        "delete from vault.item_key where key_id = %s and item = %s",
        [(key_id, item_of(place)) for key_id, place in doomed],
    )
    db.execute(
        "delete from vault.data_key where key_id = any(%s) or key_id not in ("
        " select substr(ciphertext, 2, 8) from vault.identity union all"
        " select substr(ciphertext, 2, 8) from quarantine.record)",
        ([key_id for key_id, _ in doomed],),
    )


def _held_back(db: psycopg.Connection, today: date, places: Iterable[bytes]) -> set[bytes]:
    """Those of the deliveries that are under legal hold."""
    return {associate(*each) for each in _standing_holds(db, today)}.intersection(places)


def _standing_holds(db: psycopg.Connection, today: date) -> list[tuple[str, str]]:
    """Channel and source id of the deliveries that are under legal hold."""
    return db.execute(
        "select channel, source_id from (select distinct on (channel, source_id) *"
        "  from ops.legal_hold order by channel, source_id, hold_id desc) as newest"
        " where until_date > %s",
        (today,),
    ).fetchall()


def _files_under_hold(db: psycopg.Connection, keys: Keyring, today: date) -> set[str]:
    """The files (SHA-256, hex) that hold a delivery under legal hold, and its attachments."""
    files: set[str] = set()
    for channel, source_id in _standing_holds(db, today):
        files |= _repeated_in(db, channel, [source_id])
        for evidence, payload, sealed in db.execute(
            "select encode(evidence_sha256, 'hex'), payload, ciphertext from raw.record"
            " left join vault.identity using (record_id) where channel = %s and source_id = %s"
            " and source_key = hashtextextended(%s, 0)",
            (channel, source_id, source_id),
        ).fetchall():
            private = opened_if_kept(keys, channel, source_id, sealed)
            files |= {evidence, *_attached([payload, private])} - {None}
    return files


def _repeated_in(db: psycopg.Connection, channel: str, names: list[str]) -> set[str]:
    """The other files (SHA-256, hex) that hold one of the deliveries of a channel."""
    return {
        digest
        for (digest,) in db.execute(
            "select encode(sha256, 'hex') from ops.repeated_delivery where channel = %s"
            " and delivery_keys && array(select hashtextextended(name, 0)"
            "   from unnest(%s::text[]) as given (name))",
            (channel, names),
        )
    }


def _named_elsewhere(
    db: psycopg.Connection,
    keys: Keyring,
    erased: list[Held | HeldInQuarantine],
    attached: set[str],
) -> set[str]:
    """Those of the attachments that another delivery has, too, or came from.

    Whoever is accused could send the photo that proves it, and then ask to be erased.
    """
    if not attached:
        return set()
    places = {each.associated for each in erased}
    found = {
        digest
        for channel, name, digest in db.execute(
            "select channel, source_id, encode(evidence_sha256, 'hex') from raw.record"
            " where evidence_sha256 = any(%s)",
            ([bytes.fromhex(digest) for digest in attached],),
        ).fetchall()
        if associate(channel, name) not in places
    }
    for each in _records(db, keys, "true", ()):
        if each.associated not in places:
            found |= each.attached
    # what waits in quarantine, or was dismissed and can be reopened
    for channel, name, digest, sealed in db.execute(
        "select channel, encode(content_hash, 'hex'), encode(evidence_sha256, 'hex'), ciphertext"
        " from quarantine.record where resolved_at is null or dismissed_reason <> %s",
        (DISMISSED_BY_ERASURE,),
    ).fetchall():
        if (place := associate(channel, name)) not in places:
            with suppress(DestroyedKeyError):
                content = keys.open(sealed, place).decode(errors="replace")
                found |= {digest, *_attached(_delivered(content))} - {None}
    return found


def _attached(value: Any) -> Iterator[str]:
    """The attachments (SHA-256, hex) that a connector has named in what it delivered."""
    if isinstance(value, dict):
        digest = value.get("sha256")
        if isinstance(digest, str) and _SHA256.fullmatch(digest):
            yield digest
        for each in value.values():
            yield from _attached(each)
    elif isinstance(value, list):
        for each in value:
            yield from _attached(each)


def _remove(db: psycopg.Connection, evidence: Evidence) -> None:
    """Delete erased files of the store, and what deleted rows have left in the database's files.

    The files of earlier erasures are among them: one may have been killed after its commit, or the
    object store did not answer. A file that was delivered again has a key again, and stays.

    A plain vacuum leaves the bytes of a deleted row where it stood. The write-ahead log has them
    until the segments before the next checkpoint are removed (ADR 33).
    """
    for table in (
        *("vault.data_key", "vault.item_key", "vault.evidence_key"),
        "ops.inbox_file",
    ):
        try:
            with database.lock_timeout(db, PULL_WAIT):
                db.execute(f"vacuum (full) {table}".encode())
        except psycopg.errors.LockNotAvailable:  # a backup is being taken
            db.execute(f"vacuum {table}".encode())
    for table in ("vault.identity", "quarantine.record"):
        db.execute(f"vacuum {table}".encode())
    with suppress(psycopg.errors.InsufficientPrivilege):  # an office's own server
        db.execute("select pg_switch_wal()")
        db.execute("checkpoint")
    for (digest,) in db.execute(ERASED_EVIDENCE).fetchall():
        evidence.erase(digest)


def _pattern(identity: str) -> re.Pattern[str]:
    """Matches a name or a telephone number in a text, however it is spaced or prefixed."""
    words = identity.split()
    digits = re.sub(r"\D", "", identity)
    if len(digits) >= 8:
        local = digits.removeprefix("62").removeprefix("0")
        between = r"\D{0,3}"
        prefix = rf"(?:\+?62{between})?(?:0{between})?"
        return re.compile(rf"(?<!\d){prefix}{between.join(local)}(?!\d)")
    if len("".join(words)) < 4:
        raise ConfigurationError(
            "the identity is too short to mean one person",
            where="identity",
            remediation="give a full name or a telephone number",
        )
    return re.compile(r"(?<!\w)" + r"\s+".join(map(re.escape, words)) + r"(?!\w)", re.IGNORECASE)


def _delivered(content: str) -> list[Any]:
    """A quarantined delivery and its place, without the escapes of JSON."""
    delivery, _, locator = content.partition(LOCATOR_FOLLOWS.decode())
    try:
        return [json.loads(delivery), locator]
    except ValueError:
        return [delivery, locator]


def _names(person: re.Pattern[str], value: Any) -> bool:
    """Whether a text of a JSON value, or the label of one, names the person."""
    if isinstance(value, dict):
        return any(_names(person, each) for each in (*value, *value.values()))
    if isinstance(value, list):
        return any(_names(person, each) for each in value)
    return person.search(str(value)) is not None


def _without(value: Any, person: re.Pattern[str]) -> Any:
    if isinstance(value, dict):
        return {person.sub(ERASED, key): _without(each, person) for key, each in value.items()}
    if isinstance(value, list):
        return [_without(each, person) for each in value]
    if isinstance(value, str):
        return person.sub(ERASED, value)
    if isinstance(value, int | float) and person.search(str(value)):
        return ERASED
    return value
