"""A starter of a channel file, proposed from a sample of what the source gives.

What is proposed errs on the side of silence: a label that looks personal is personal, and one that
nothing is known of is listed as a comment, which leaves it in the vault until somebody decides.
"""

from __future__ import annotations

import io
import re
from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake.contract import CANONICAL, normalise

KINDS = ("register", "form_csv", "kobo", "http_json")
_ROWS = 200  # of a sample are looked at

_PLACE = r"(kab|kec|kota|desa|kelurahan|provinsi|district|regency|village)"
_PERSONAL = re.compile(
    r"\b(nama|name|alamat|address|telp|telepon|telephone|hp|handphone|phone|wa|whatsapp|nik|ktp"
    r"|e-?mail|surel|pelapor|reporter|saksi|witness|ttl|tanggal lahir|tanda tangan|rekening)\b"
)
# The first that fits a label's last part, then the whole label; a field is proposed once.
_GUESSES: tuple[tuple[str, str], ...] = (
    ("register_number", r"\b(no|nomor)\b.*\b(register|laporan|temuan)|register number"),
    ("received_date", r"(tanggal|tgl|date).*(diterima|lapor|register|received)|^diterima$"),
    ("known_date", r"(tanggal|tgl|date).*(diketahui|known)|^diketahui$"),
    ("occurred_date", r"(tanggal|tgl|date).*(kejadian|peristiwa|event)|^kejadian$|occurred"),
    ("activity_date", r"(tanggal|tgl|date).*(kegiatan|pengawasan|activity)|^(tanggal|tgl|date)$"),
    ("regency_code", r"\b(kode|code)\b.*(kab|kota|regency)|(kab|kota|regency).*\b(kode|code)\b"),
    ("district_code", r"\b(kode|code)\b.*(kec|district)|(kec|district).*\b(kode|code)\b"),
    ("village_code", r"\b(kode|code)\b.*(desa|kel|village)|(desa|kel|village).*\b(kode|code)\b"),
    ("regency", r"\bkab\b|kabupaten|\bkota\b|regency|lokasi|wilayah"),
    ("district", r"\bkec\b|kecamatan|district"),
    ("village", r"\bdesa\b|kelurahan|village"),
    ("violation_type", r"jenis.*pelanggaran|violation"),
    ("issue", r"\bisu\b|\btema\b|issue|kategori|category"),
    ("accused_role", r"(jabatan|status).*terlapor|terlapor.*jabatan"),
    ("status_reason", r"alasan"),
    ("status", r"\bstatus\b"),
    ("election", r"pemilihan|election"),
    ("activity_kind", r"jenis kegiatan"),
    ("prevention_type", r"(jenis|bentuk).*pencegahan"),
    ("method", r"\bmetode\b|method"),
    ("narrative", r"uraian|kronologi|deskripsi|keterangan|description|content|isi laporan"),
)


def write(folder: Path, kind: str, name: str, sample: str) -> Path:
    """Write `<folder>/<name>.yaml`.

    Args:
        folder: the folder of channel files.
        kind: one of `KINDS`.
        name: the channel's name.
        sample: a file, or an address (http or https), as the source gives it.

    Returns:
        the file; `load_channels` takes it once its owner is filled in.

    Raises:
        ConfigurationError: for another kind or name, or a file that is there already.
        SourceError: when the sample cannot be read.
    """
    if kind not in KINDS:
        raise ConfigurationError(
            f"there is no starter for the kind {kind!r}",
            where="lumbung channel add",
            cure=f"use one of {', '.join(KINDS)}, or begin with the example in docs/channels/",
        )
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,49}", name):
        raise ConfigurationError(
            f"{name!r} cannot be a channel's name",
            where="lumbung channel add",
            cure="use small letters, digits and _, beginning with a letter",
        )
    path = folder / f"{name}.yaml"
    text = propose(kind, name, sample, _content(sample))
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError:
        raise ConfigurationError(
            "there is a channel of that name", where=str(path), cure="use another name"
        ) from None
    return path


def propose(kind: str, name: str, sample: str, content: bytes) -> str:
    """The text of a channel file.

    Raises:
        SourceError: when the sample is not what the kind reads.
    """
    source: dict[str, Any] = {"kind": kind}
    key: str | None = None
    if kind in ("register", "form_csv"):
        rows = _table(sample, content)
        labels = list(rows[0]) if rows else []
        if kind == "register":
            key = next((each for each in labels if _guess(each) == "register_number"), None)
            key = key or _unique_label(rows) or (labels[0] if labels else None)
    else:
        document = _json(sample, content)
        at, found = _records(document)
        rows = [_flat(row, kind) for row in found[:_ROWS]]
        labels = list(dict.fromkeys(label for row in rows for label in row))
        if not labels:
            raise _unusable(sample, "has no list of records")
        if kind == "kobo":
            asset = rows[0].get("_xform_id_string") if rows else None
            is_uid = isinstance(asset, str) and re.fullmatch(r"[A-Za-z0-9]+", asset)
            source["asset"] = asset if is_uid else "aUIDdariAlamatFormulir"
            labels = [each for each in labels if not _is_kobos(each)]
        else:
            source |= {"path": "isi/alamat/daftar", "records": at}
            source["id"] = _first(labels, r"(^|\.)(id|uuid|_id|code|kode)$") or labels[0]
            source["received"] = _first(labels, r"creat|submi|received|dibuat|date|tanggal|time")
            source["received"] = source["received"] or labels[0]
            labels = [each for each in labels if each not in (source["id"], source["received"])]
    if not labels:
        raise _unusable(sample, "has no labelled rows")
    return _text(kind, name, source, key, labels, rows)


# -- reading the sample ---------------------------------------------------------------------------


def _content(sample: str) -> bytes:
    try:
        if re.match(r"https?://", sample):
            return httpx.get(sample, follow_redirects=True, timeout=60).raise_for_status().content
        return Path(sample).read_bytes()
    except (OSError, httpx.HTTPError) as error:
        raise _unusable(sample, f"cannot be read: {error}") from error


def _unusable(sample: str, what: str) -> SourceError:
    return SourceError(
        f"the sample {what}",
        where=sample,
        cure="give a file or an address as the source gives its records",
    )


def _table(sample: str, content: bytes) -> list[dict[str, Any]]:
    """The rows of a spreadsheet's or CSV's first table, by label."""
    import csv

    from python_calamine import CalamineWorkbook

    from lumbung.intake.connectors import register

    merges: list[register.Merge] = []
    if content[:2] in (b"PK", b"\xd0\xcf"):
        try:
            workbook = CalamineWorkbook.from_filelike(io.BytesIO(content))
            stream, merges = register._cells(workbook.get_sheet_by_index(0))
            lines = list(islice(stream, _ROWS))
        except Exception as error:
            raise _unusable(sample, "is no workbook that can be opened") from error
    else:
        text = content.decode("utf-8-sig", errors="replace")
        first = text.splitlines()[0] if text else ""
        delimiter = max(",;\t|", key=first.count)
        lines = list(islice(csv.reader(io.StringIO(text), delimiter=delimiter), _ROWS))
    filled = [sum(not register._is_blank(cell) for cell in row) for row in lines]
    if not filled or max(filled) < 2:
        raise _unusable(sample, "has no table")
    widest = max(filled)
    top = next(at for at, count in enumerate(filled) if count * 2 > widest)
    height = 1 + max((min(b - a, 2) for (a, _), (b, _) in merges if a == top), default=0)
    across: dict[int, list[tuple[int, int]]] = {}
    for (a, first_column), (_, last_column) in merges:
        if last_column > first_column:
            across.setdefault(a, []).append((first_column, last_column))
    head = [list(row) for row in lines[top : top + height]]
    labels = register._labels(head, top, across)
    return [
        {
            label: cell
            for label, cell in zip(labels, row, strict=False)
            if label and (at == 0 or not register._is_blank(cell))
        }
        for at, row in enumerate(lines[top + height :] or [[""] * len(labels)])
    ]


def _json(sample: str, content: bytes) -> Any:
    try:
        return orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise _unusable(sample, "is no JSON") from error


def _records(document: Any, path: str = "", depth: int = 0) -> tuple[str, list[dict[str, Any]]]:
    """The path of the longest list of objects near the top, and the list."""
    if isinstance(document, list):
        return path, [each for each in document if isinstance(each, dict)]
    best: tuple[str, list[dict[str, Any]]] = (path, [])
    if isinstance(document, dict) and depth < 4:
        for name, value in document.items():
            found = _records(value, f"{path}.{name}" if path else name, depth + 1)
            if len(found[1]) > len(best[1]):
                best = found
    return best


def _flat(row: dict[str, Any], kind: str) -> dict[str, Any]:
    if kind == "kobo":
        return row
    from lumbung.intake.connectors import http_json

    fields: dict[str, Any] = {}
    http_json._flatten(row, "", fields, ";")
    return fields


def _is_kobos(label: str) -> bool:
    from lumbung.intake.connectors import SYSTEM_LABELS

    return label in SYSTEM_LABELS["kobo"]


def _first(labels: Iterable[str], pattern: str) -> str | None:
    return next((each for each in labels if re.search(pattern, each, re.IGNORECASE)), None)


def _unique_label(rows: Sequence[dict[str, Any]]) -> str | None:
    """The first label that every row has and no two rows share a value of."""
    for label in rows[0] if rows else ():
        values = [str(row.get(label) or "") for row in rows]
        if all(values) and len(set(values)) == len(values):
            return label
    return None


# -- proposing ------------------------------------------------------------------------------------


def _guess(label: str) -> str | None:
    """The canonical field that a label looks like, or `personal`."""
    plain = normalise(re.sub(r"[_./]+", " ", label))
    last = normalise(re.sub(r"[_.]+", " ", re.split(r"\s/\s|/(?=[^/]*$)", label)[-1]))
    if re.search(_PERSONAL, plain) and not re.search(rf"(nama|name)\s+{_PLACE}", plain):
        if re.search(r"jabatan", plain):
            return "accused_role" if "terlapor" in plain else None
        if not re.search(r"(tanggal|tgl|date|status|nomor|no)\b.*(lapor|terlapor)", plain):
            return "personal"
    for text in (last, plain):
        for field, pattern in _GUESSES:
            if re.search(pattern, text):
                return field
    return None


def _text(
    kind: str,
    name: str,
    source: dict[str, Any],
    key: str | None,
    labels: list[str],
    rows: Sequence[dict[str, Any]],
) -> str:
    fields: dict[str, str] = {}
    personal: list[str] = []
    unknown: list[str] = []
    for label in labels:
        guess = _guess(label)
        if label == key and guess == "personal":
            guess = None
        if guess == "personal":
            personal.append(label)
        elif guess is None or guess in fields:
            unknown.append(label)
        else:
            fields[guess] = label
    lines = [
        "# yaml-language-server: $schema=channel.schema.json",
        "# Proposed by 'lumbung channel add' from a sample: look through every line.",
        f"title: {name.replace('_', ' ').capitalize()}",
        "owner: # who answers for this channel and is told of what could not be read",
        "  name: Kantor yang bertanggung jawab",
        "  email: ganti@contoh.example.id",
    ]
    if kind in ("kobo", "http_json"):
        lines.append(f"connection: {name} # an Airflow Connection with address and credential")
    lines += [
        'schedule: "0 5 * * *" # cron, in `timezone`',
        "timezone: Asia/Jakarta # of times that are written without one",
        "expected_every: 1 week",
    ]
    if "register_number" not in fields and "record_kind" not in fields:
        lines.append("record_kind: IA # LP, TM, IA, LHP or PREV; remove where a field tells it")
    lines += ["", "source:"]
    lines += [f"  {option}: {_quoted(value)}" for option, value in source.items()]
    if kind == "register":
        lines += [
            "",
            "# What makes a row's source id: it must stay the same when the row is edited.",
            f"key: {_quoted(key)}",
        ]
    lines += ["", "# Go to the vault. What is named nowhere goes there too, with a notice."]
    lines += _listed("personal", personal)
    if personal:
        lines += ["# Who the reporter is: the first one filled.", *_listed("subject", personal[:1])]
    lines += [
        "",
        "# Known, not personal, mapped to nothing: take the # away from what may be stored openly.",
    ]
    if unknown:
        lines += ["# kept:", *(f"#   - {_quoted(label)}" for label in unknown)]
    lines += ["", "# Canonical fields: docs/architecture.md."]
    lines.append("fields:")
    if not fields:
        lines.append("  # No label looked like one: map at least one, e.g. the text of the report:")
        lines.append(f"  # narrative: {{from: {_quoted((unknown or labels)[0])}}}")
    for field, label in fields.items():
        lines.append(f"  {field}: {_mapped(field, label, rows, kind)}")
    return "\n".join(lines) + "\n"


def _mapped(field: str, label: str, rows: Sequence[dict[str, Any]], kind: str) -> str:
    parts = [f"from: {_quoted(label)}"]
    note = ""
    if CANONICAL[field] == "list":
        values = " ".join(str(row.get(label) or "") for row in rows)
        separator = " " if kind == "kobo" else ";" if ";" in values or "," not in values else ","
        parts.append(f'separator: "{separator}"')
    if CANONICAL[field] == "code":
        parts.append("scheme: kemendagri")
        note = " # or bps, or bawaslu: 1903 is two regencies"
    if field == "register_number":
        parts.append("required: true")
    return "{" + ", ".join(parts) + "}" + note


def _listed(name: str, labels: list[str]) -> list[str]:
    return [f"{name}:", *(f"  - {_quoted(label)}" for label in labels)] if labels else []


def _quoted(value: object) -> str:
    """A YAML scalar that is the same text again, also within braces."""
    if not isinstance(value, str):
        return str(value)
    if re.fullmatch(r"[A-Za-z_][\w/ ]*\w", value) and normalise(value) not in ("true", "false"):
        plain = yaml.safe_load(value)
        if plain == value:
            return value
    return orjson.dumps(value).decode()
