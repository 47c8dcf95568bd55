"""Write a channel file for `lumbung channel add`, proposed from a sample of its source."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake import connectors
from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.load import read_channels
from lumbung.intake.channel.trial import Places, try_label
from lumbung.intake.connectors.base import Kind, SourceConnection
from lumbung.intake.connectors.shared.http import Api
from lumbung.intake.connectors.shared.proposal import ADDRESS, ROWS, Key, Proposal, plain, unusable
from lumbung.registry import canonical_fields

_REACHES = re.compile(r"\b(telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa|whatsapp)\b")
"""A person's number: who somebody is, better than a name."""
_MAX_SAMPLE = 512 << 20  # bytes


def write(folder: Path, seeds: Path, kind: str, name: str, sample: str) -> Path:
    """Write `<folder>/<name>.yaml`.

    Args:
        folder: the folder of channel files.
        seeds: the folder of dbt's seeds, with the places of the province.
        kind: its kind.
        name: the channel's name.
        sample: a file, or an address (http or https), as the source gives it.

    Returns:
        the file; `load_channels` takes it once its owner is filled in.

    Raises:
        ConfigurationError: for another kind or name, or a file that is there already.
        SourceError: when the sample cannot be read.
    """
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name):
        raise ConfigurationError(
            f"{name!r} cannot be a channel's name",
            where="lumbung channel add",
            remediation="use small letters, digits and _, beginning with a letter",
        )
    path = folder / f"{name}.yaml"
    if (
        name in {channel.name for channel in read_channels(folder)[0].values()}
        and not path.exists()
    ):
        raise ConfigurationError(
            f"a channel that was renamed keeps its records under {name!r}",
            where=str(folder),
            remediation="use another name",
        )
    text = propose(connectors.kind(kind), name, sample, _content(sample), Places(seeds))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            "there is a channel of that name", where=str(path), remediation="use another name"
        ) from None
    return path


def propose(kind: Kind, name: str, sample: str, content: bytes, places: Places) -> str:
    """The text of a channel file.

    Args:
        kind: the channel's kind.
        name: the channel's name.
        sample: the file or address, for messages.
        content: its bytes.
        places: those that the warehouse knows.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    if not content.strip():
        raise unusable(sample, "is empty")
    proposal = kind.propose(sample, content)
    if not proposal.labels and not kind.message_labels:
        raise unusable(sample, "has no labelled rows")
    return _text(kind, name, proposal, places)


def _content(sample: str) -> bytes:
    try:
        if ADDRESS.match(sample):
            return _fetched(sample)
        path = Path(sample)
        if not path.is_file():
            raise unusable(sample, "is no file" if path.exists() else "is not there")
        if path.stat().st_size > _MAX_SAMPLE:
            raise unusable(sample, f"is larger than {_MAX_SAMPLE >> 20} MB; give a part of it")
        return path.read_bytes()
    except OSError as error:
        raise unusable(sample, f"cannot be read: {error}") from error


def _fetched(address: str) -> bytes:
    """What is at an address, read with the limits of a pull: of redirects, size and time."""
    try:
        with Api(SourceConnection(address), "the sample", headers={"Accept": "*/*"}) as api:
            return api.fetch(httpx.URL(address))
    except SourceError as error:
        raise SourceError(
            f"the sample cannot be read: {error.what}",
            where=address,
            remediation="save what it gives whoever has a credential to a file, and name that file",
        ) from error


def _text(kind: Kind, name: str, proposal: Proposal, places: Places) -> str:
    labels, rows = proposal.labels, proposal.rows
    key = proposal.key.labels if proposal.key else ()
    source = {"kind": kind.name, **proposal.source}
    fields: dict[str, str] = {}
    personal: list[str] = []
    unknown: list[str] = []
    notes: dict[str, str] = {}
    for label in labels:
        found, note, is_confirmed = try_label(label, rows, places, source.get("date_order", "dmy"))
        if label in key and found == "personal":
            found, note = None, ""
        if found is not None and not is_confirmed:
            found, note = None, f"looks like {found}, but {note}"
        notes[label] = note
        if found == "personal":
            personal.append(label)
        elif label in key and found is None:
            continue
        elif found is None or found in fields:
            unknown.append(label)
        else:
            fields[found] = label
    if kind.message_labels:
        personal = [*kind.message_labels, *personal]
        if "activity_date" in fields:  # the date in a tip is the event's
            fields = {"occurred_date": fields.pop("activity_date"), **fields}
    lines = [
        "# yaml-language-server: $schema=channel.schema.json",
        "# Proposed by 'lumbung channel add' from a sample: look through every line.",
        f"title: {name.replace('_', ' ').capitalize()}",
        "owner: # who answers for this channel and is informed of what could not be read",
        "  name: Kantor yang bertanggung jawab",
        "  email: ganti@contoh.example.id",
    ]
    if kind.connection and (kind.connection_with is None or kind.connection_with in source):
        lines.append(f"connection: {name} # an Airflow Connection with address and credential")
    lines += [
        'schedule: "0 5 * * *" # cron, in `timezone`',
        "timezone: Asia/Jakarta # of times that are written without one",
        "expected_every: 1 week",
    ]
    if "register_number" not in fields and "record_kind" not in fields:
        lines.append(
            f"record_kind: {proposal.record_kind}"
            " # LP, TM, IA, LHP, PREV or PLAN; remove where a field says it"
        )
    lines += ["", "source:"]
    for option, value in source.items():
        note = f" # {proposal.notes[option]}" if option in proposal.notes else ""
        if isinstance(value, dict):
            inner = ", ".join(f"{name}: {_quoted(each)}" for name, each in value.items())
            lines.append(f"  {option}: {{{inner}}}{note}")
        elif isinstance(value, list):
            lines.append(f"  {option}: [{', '.join(map(_quoted, value))}]{note}")
        else:
            lines.append(f"  {option}: {_quoted(value)}{note}")
    lines += [f"  {each}" for each in proposal.comments]
    if kind.has_key:
        lines += [
            "",
            "# What makes a row's source id: it must stay the same when the row is edited.",
            *_key(proposal.key or Key((), "none was found")),
        ]
    lines += ["", "# Go to the vault. What is named nowhere goes there too, with a notice."]
    lines += _listed("personal", personal, notes)
    if personal:
        numbers = [label for label in personal if _REACHES.search(plain(label))]
        who = dict.fromkeys([*numbers, *personal])
        lines += [
            "# Who the reporter is: the first one filled.",
            *_listed("subject", [*who][:2], {}),
        ]
    lines += [
        "",
        "# Known, not personal, mapped to nothing: take the # away from what may be stored openly.",
    ]
    if kind.message_labels:
        lines += ["kept:", "  - Tanda"]
    elif unknown:
        lines.append("# kept:")
    if unknown:
        lines += [f"#{line}" for line in _items(unknown, notes)]
    lines += ["", "# Canonical fields: docs/reference/canonical-fields.md."]
    lines.append("fields:")
    if kind.message_labels:
        texts = [fields.pop("narrative", None), "Teks"]
        named = ", ".join(_quoted(each) for each in texts if each)
        lines.append(f"  narrative: {{from: [{named}]}}")
    elif not fields:
        lines.append("  # No label looked like one: map at least one, e.g. the text of the report:")
        lines.append(f"  # narrative: {{from: {_quoted((unknown or labels)[0])}}}")
    for field, label in fields.items():
        mapped = _mapped(field, label, rows[:ROWS], proposal.separator)
        note = f" # {notes[label]}" if notes[label] else ""
        lines.append(
            f"  {field}: {mapped}{note if ' #' not in mapped else note.replace(' #', ';')}"
        )
    return "\n".join(lines) + "\n"


def _mapped(
    field: str, label: str, rows: Sequence[Mapping[str, Any]], separator: str | None
) -> str:
    parts = [f"from: {_quoted(label)}"]
    note = ""
    if canonical_fields()[field].parser == "list":
        values = " ".join(str(row.get(label) or "") for row in rows)
        found = separator or next((each for each in ";|," if each in values), ";")
        parts.append(f'separator: "{found}"')
    if canonical_fields()[field].parser == "code":
        parts.append(f"scheme: {'bps' if 'bps' in normalise(label) else 'kemendagri'}")
        note = " # or bps, or bawaslu: 1903 is two regencies"
    if field == "register_number":
        parts.append("required: true")
    return "{" + ", ".join(parts) + "}" + note


def _key(key: Key) -> list[str]:
    if not key.labels:
        return [
            f"# Not found: {key.note}.",
            "# Name the labels that identify a row, or ask the office for a number of each row.",
            "# key: [...]",
        ]
    labels = ", ".join(map(_quoted, key.labels))
    return [f"key: {labels if len(key.labels) == 1 else f'[{labels}]'} # {key.note}"]


def _listed(name: str, labels: list[str], notes: Mapping[str, str]) -> list[str]:
    return [f"{name}:", *_items(labels, notes)] if labels else []


def _items(labels: Iterable[str], notes: Mapping[str, str]) -> Iterator[str]:
    for label in labels:
        note = notes.get(label)
        yield f"  - {_quoted(label)}{f' # {note}' if note else ''}"


def _quoted(value: object) -> str:
    """A YAML scalar that is the same text again, also within braces."""
    if not isinstance(value, str):
        return str(value)
    if re.fullmatch(r"[A-Za-z_][\w/ ]*\w", value) and normalise(value) not in ("true", "false"):
        plain = yaml.safe_load(value)
        if plain == value:
            return value
    written = orjson.dumps(value).decode()
    return "".join(c if c.isprintable() else f"\\U{ord(c):08x}" for c in written)
