"""A starter of a channel file, proposed from a sample of what the source gives.

What is proposed errs on the side of silence: a label that looks personal is personal, and one that
nothing is known of is listed as a comment, which leaves it in the vault until somebody decides.
"""

from __future__ import annotations

import base64
import io
import re
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml

from lumbung.errors import ConfigurationError, SourceError
from lumbung.intake.channel.models import CANONICAL, Channel, EmailSource, FormCsvSource, normalise
from lumbung.intake.connectors import reader
from lumbung.intake.connectors.base import (
    SYSTEM_LABELS,
    Checkpoint,
    Delivery,
    Item,
    Source,
    Unreadable,
)
from lumbung.intake.connectors.http_json import reader as http_json
from lumbung.intake.connectors.odk import reader as odk
from lumbung.intake.connectors.ushahidi import reader as ushahidi
from lumbung.intake.evidence import Evidence
from lumbung.intake.foreign.ods import Merge

_ADDRESS = re.compile(r"https?://")
KINDS = (
    *("register", "form_csv", "kobo", "odk", "http_json", "ushahidi"),
    *("whatsapp", "whatsapp_cloud", "email", "form_a", "sigaplapor"),
)
_SERVERS = ("kobo", "odk", "http_json", "email", "whatsapp_cloud")
"""Kinds that need a connection."""
_LETTERS = {
    "whatsapp": ["Pengirim"],
    "whatsapp_cloud": ["Pengirim", "Nama profil"],
    "email": ["Pengirim", "Nama pengirim", "Kepada"],
}
"""Kinds whose messages may follow a template, and the personal labels of each."""
_ROWS = 200  # of a sample are looked at
_HEADER_WITHIN = 30
_MAX_LABEL = 200  # characters of a label that are looked at
_PAGING_NOTE = " # how the next page is asked for: docs/reference/channels/http_json.md"

_PLACE = r"(kab|kec|kota|desa|kelurahan|provinsi|district|regency|village)"
_PERSONAL = re.compile(
    r"\b(nama|name|alamat|address|telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa"
    r"|whatsapp|kontak|contact|nik|ktp|e-?mail|surel|pelapor|pengadu|pengirim|reporter|sender"
    r"|username|saksi|witness|pelaku|ttl|tanggal lahir|tanda tangan|rekening)\b"
)
_REACHES = re.compile(r"\b(telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa|whatsapp)\b")
"""A person's number: who somebody is, better than a name."""
_RECEIVED = r"creat|submi|received|dibuat|dikirim|date|tanggal|time"
# The first that fits a label's last part, then the whole label; a field is proposed once.
_GUESSES: tuple[tuple[str, str], ...] = (
    ("register_number", r"\b(no|nomor)\b.*\b(register|laporan|temuan)|register number"),
    ("received_date", r"(tanggal|tgl|date|waktu).*(terima|lapor|regist|received|masuk)"),
    ("received_date", r"^(diterima|dikirim|masuk|dibuat|submitted|received|created)\b"),
    ("known_date", r"(tanggal|tgl|date).*(diketahui|known)|^diketahui$"),
    ("occurred_date", r"(tanggal|tgl|date|waktu).*(kejadian|peristiwa|event)|^kejadian$|occurred"),
    ("activity_date", r"(tanggal|tgl|date).*(kegiatan|pengawasan|activity)|^(tanggal|tgl|date)$"),
    ("regency_code", r"\b(kode|code)\b.*(kab|kota|regency)|(kab|kota|regency).*\b(kode|code)\b"),
    ("district_code", r"\b(kode|code)\b.*(kec|district)|(kec|district).*\b(kode|code)\b"),
    ("village_code", r"\b(kode|code)\b.*(desa|kel|village)|(desa|kel|village).*\b(kode|code)\b"),
    ("regency", r"\bkab\b|kabupaten|\bkota\b|regency|lokasi|wilayah"),
    ("district", r"\bkec\b|kecamatan|district"),
    ("village", r"\bdesa\b|kelurahan|village"),
    ("violation_type", r"jenis.*pelanggaran|violation"),
    (
        "issue",
        r"\bisu\b|\btema\b|\btopi[ck]|issue|kategori|categor|\btags?\b|pokok (aduan|masalah)",
    ),
    ("accused_role", r"(jabatan|status).*terlapor|terlapor.*jabatan"),
    ("status_reason", r"alasan"),
    ("forwarded_to", r"(di)?teruskan ke|tujuan penerusan|forwarded to"),
    ("follow_up", r"tindak lanjut|follow.?up"),
    ("during_campaign_event", r"dalam kegiatan kampanye|campaign event"),
    ("status", r"\bstatus\b"),
    ("election", r"pemilihan|election"),
    ("activity_kind", r"jenis kegiatan"),
    ("prevention_type", r"(jenis|bentuk).*pencegahan"),
    ("method", r"\bmetode\b|method"),
    ("narrative", r"uraian|kronologi|deskripsi|keterangan|ringkasan|\bisi\b|descri|detail"),
    ("narrative", r"content|message|\bpesan\b|narrati|\bbody\b|\btext\b"),
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
            cure=f"use one of {', '.join(KINDS)}",
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
        tables = _tables(sample, content)
        labels, rows = max(tables.values(), key=lambda table: _familiar(table[0]))
        if kind == "register":
            others = [name for name, table in tables.items() if table[0] != labels]
            if others:
                source["skip_sheets"] = others
            every = [row for found, part in tables.values() if found == labels for row in part]
            key = next((each for each in labels if _guess(each) == "register_number"), None)
            key = key or _unique_label(labels, every)
            if key is None and len(every) > len(rows):
                key = _unique_label(labels, rows)
                source["sheet_in_key"] = key is not None
            key = key or labels[0]
        elif not {*map(normalise, labels)} & {
            *map(normalise, FormCsvSource(kind="form_csv").timestamp)
        }:
            stamp = _first(labels, _RECEIVED)
            if stamp is None:
                raise _unusable(
                    sample,
                    "has no column with the time of a response: rows with a number of their own"
                    " are of kind register",
                )
            source["timestamp"] = stamp
            labels = [each for each in labels if each != stamp]
    elif kind in ("kobo", "odk", "http_json") or (kind == "ushahidi" and _is_json(content)):
        document = _json(sample, content)
        at, found = _records(document)
        rows = [_flat(row, kind) for row in found[:_ROWS]]
        labels = list(dict.fromkeys(label for row in rows for label in row))
        if not labels:
            raise _unusable(sample, "has no list of records")
        url = httpx.URL(sample) if _ADDRESS.match(sample) else None
        if kind == "kobo":
            asset = rows[0].get("_xform_id_string") if rows else None
            is_uid = isinstance(asset, str) and re.fullmatch(r"[A-Za-z0-9]+", asset)
            source["asset"] = asset if is_uid else "aUIDdariAlamatFormulir"
        elif kind == "odk":
            feed = re.search(r"/projects/(\d+)/forms/([^/]+)\.svc", url.path if url else "")
            source["project"] = int(feed[1]) if feed else 1
            source["form"] = feed[2] if feed else "idFormulirPadaAlamatnya"
        elif kind == "http_json":
            source["path"] = url.raw_path.decode().lstrip("/") if url else "isi/alamat/daftar"
            source["records"] = at
            source["id"] = _first(labels, r"(^|\.)(_?id|uuid|code|kode|nomor|number|ticket|tiket)$")
            source["id"] = source["id"] or _unique_label(labels, rows) or labels[0]
            source["received"] = _first(labels, _RECEIVED) or labels[0]
            source["paging"] = _paging(document, at)
            labels = [each for each in labels if each not in (source["id"], source["received"])]
        own = SYSTEM_LABELS.get(kind, frozenset())
        labels = [each for each in labels if each not in own and each != "__attachments"]
        labels = [each for each in labels if not each.startswith("@odata.")]
    else:
        rows = _deliveries(kind, sample, content)
        if kind in _LETTERS:
            marker, rows = _pinned([str(row.get("Teks") or "") for row in rows])
            source |= {"marker": marker} if marker else {}
        elif kind == "sigaplapor" and _ADDRESS.match(sample):
            source["path"] = httpx.URL(sample).raw_path.decode().lstrip("/")
        own = SYSTEM_LABELS.get(kind, frozenset())
        labels = [
            label
            for label in dict.fromkeys(label for row in rows for label in row)
            if label not in own and not any(isinstance(row.get(label), list) for row in rows)
        ]
    if not labels and kind not in _LETTERS:
        raise _unusable(sample, "has no labelled rows")
    return _text(kind, name, source, key, labels, rows)


# -- reading the sample ---------------------------------------------------------------------------


def _content(sample: str) -> bytes:
    try:
        if _ADDRESS.match(sample):
            return httpx.get(sample, follow_redirects=True, timeout=60).raise_for_status().content
        return Path(sample).read_bytes()
    except httpx.HTTPStatusError as error:
        told = f"{error.response.status_code} {error.response.reason_phrase}"
        raise SourceError(
            f"the sample cannot be read: the server answers {told}",
            where=sample,
            cure="save what it gives whoever has a credential to a file, and name that file",
        ) from error
    except (OSError, httpx.HTTPError) as error:
        raise _unusable(sample, f"cannot be read: {error}") from error


def _unusable(sample: str, what: str) -> SourceError:
    return SourceError(
        f"the sample {what}",
        where=sample,
        cure="give a file or an address as the source gives its records",
    )


_Table = tuple[list[str], list[dict[str, Any]]]
"""Labels in their order, and rows of filled cells."""


def _is_json(content: bytes) -> bool:
    return content.lstrip()[:1] in (b"{", b"[")


def _deliveries(kind: str, sample: str, content: bytes) -> list[dict[str, Any]]:
    """The fields of what the kind's own connector reads from a file."""
    if kind == "whatsapp_cloud":
        texts = [each for line in content.splitlines() for each in _bodies(line)]
        if not texts:
            texts = _bodies(content)
        if not texts:
            raise _unusable(sample, "holds no message with a text")
        return [{"Teks": text} for text in texts[:_ROWS]]
    from upath import UPath

    model = {
        **{"name": "contoh", "title": "contoh", "schedule": "0 5 * * *", "source": {"kind": kind}},
        **{"owner": {"name": "contoh", "email": "a@contoh.example.id"}, "connection": "contoh"},
        "fields": {"narrative": {"from": "lumbung:contoh"}},
    }
    with tempfile.TemporaryDirectory() as folder:
        inbox, store = Path(folder) / "inbox", Evidence(Path(folder) / "evidence")
        inbox.mkdir()
        name = Path(httpx.URL(sample).path if _ADDRESS.match(sample) else sample).name
        if kind == "sigaplapor" and content.lstrip()[:1] == b"<":
            name = "daftar.html"
        (inbox / (name or "contoh")).write_bytes(content)
        given = Source(
            *(Channel.model_validate(model), UPath(inbox), None, store),
            *(lambda each: sha256(each).digest()[:16], {}),
        )
        if kind == "email":
            from lumbung.intake.connectors.email import reader as email
            from lumbung.intake.connectors.shared.template import Template

            letter = email.Mail(datetime.now(UTC), store.keep(io.BytesIO(content)))
            template = Template(given.channel, None, ())
            options = EmailSource(kind="email")
            items: Iterable[Item] = email.deliveries(given, options, template, letter, "contoh")
        else:
            items = reader(kind)(given)
        found = [each for each in items if not isinstance(each, Checkpoint)]
    read = [each.fields for each in found if isinstance(each, Delivery)]
    if kind == "email":
        read = [fields for fields in read if fields.get("Pengirim")]
    if not read:
        told = next((each.reason for each in found if isinstance(each, Unreadable)), "kosong")
        raise _unusable(sample, f"holds nothing that can be read: {told}")
    return read[:_ROWS]


def _bodies(content: bytes | str) -> list[str]:
    """Texts of messages in a webhook's request, also within an archived line."""
    try:
        parts = [orjson.loads(content)]
    except orjson.JSONDecodeError:
        return []
    texts: list[str] = []
    for part in parts:
        if isinstance(part, dict):
            text = part.get("text")
            if isinstance(text, dict) and isinstance(text.get("body"), str):
                texts.append(text["body"])
            if isinstance(part.get("body_base64"), str):
                with suppress(ValueError):
                    texts += _bodies(base64.b64decode(part["body_base64"]))
            parts += part.values()
        elif isinstance(part, list):
            parts += part
        elif isinstance(part, str) and part.startswith("{"):
            texts += _bodies(part)
    return texts


def _pinned(texts: Iterable[str]) -> tuple[str | None, list[dict[str, Any]]]:
    """The first line of messages that follow a template, and what stands behind their labels."""
    found: dict[str | None, list[dict[str, Any]]] = {}
    for text in texts:
        first, *lines = text.strip().split("\n")
        pairs = [line.partition(":") for line in lines]
        row = {
            " ".join(label.strip(" *_-").split()): value.strip()
            for label, colon, value in pairs
            if colon and re.fullmatch(r"[^\W\d][^\d:]{0,39}", label.strip(" *_-"))
        }
        if len(row) > 1 and ":" not in first and len(first) <= 40:
            found.setdefault(first.strip(" *_:"), []).append(row)
    return max(found.items(), key=lambda each: len(each[1]), default=(None, []))


def _tables(sample: str, content: bytes) -> dict[str, _Table]:
    """The table of every visible sheet of a workbook, or of a CSV file, by the sheet's name."""
    import csv

    from lumbung.intake.connectors.shared import bounded, delimited

    found: dict[str, _Table] = {}
    with tempfile.TemporaryDirectory() as folder, bounded.Child() as child:
        path = Path(folder) / "contoh"
        path.write_bytes(content)
        if content[:2] in (b"PK", b"\xd0\xcf"):
            try:
                for sheet in child.sheets(path):
                    lines: list[list[Any]] = []
                    for row in sheet.rows:  # all of them: the next sheet comes behind
                        if len(lines) < _ROWS:
                            lines += [[]] * min(row, _ROWS) if isinstance(row, int) else [row]
                    found[sheet.name] = _table(lines[:_ROWS], sheet.merges)
            except bounded.ForeignError as error:
                raise _unusable(sample, "is no workbook that can be opened") from error
        else:
            try:
                text = delimited.Text(path, lambda rows: len(_table(rows[:_ROWS], [])[0]))
            except csv.Error as error:
                raise _unusable(sample, f"is no CSV: {error}") from error
            found[""] = _table(text.head[:_ROWS], [])
    if not any(labels for labels, _ in found.values()):
        raise _unusable(sample, "has no table")
    return found


def _table(lines: Sequence[Sequence[Any]], merges: Sequence[Merge]) -> _Table:
    """The header is where most labels look familiar; a cover or a list of words has none."""
    from lumbung.intake.connectors.register import reader as register

    across: dict[int, list[tuple[int, int]]] = {}
    for (top, first), (_, last) in merges:
        if last > first:
            across.setdefault(top, []).append((first, last))
    filled = [sum(not register.is_blank(cell) for cell in row) for row in lines]
    if max(filled, default=0) < 2:
        return [], []
    first = next(at for at, count in enumerate(filled) if count * 2 > max(filled))
    best = (0, first, 1, register.header_labels([list(lines[first])], first, across))
    for top in range(min(len(lines), _HEADER_WITHIN)):
        for height in (1, 2, 3):
            head = [list(row) for row in lines[top : top + height]]
            if len(head) < height or any(_is_value(cell) for row in head for cell in row):
                break
            labels = register.header_labels(head, top, across)
            score = _familiar(labels)
            if score > best[0] or (score == best[0] and _is_title(best[3], labels)):
                best = (score, top, height, labels)
    _, top, height, labels = best
    rows = [
        {
            label: cell
            for label, cell in zip(labels, row, strict=False)
            if label and not register.is_blank(cell)
        }
        for row in lines[top + height :]
    ]
    known = list(dict.fromkeys(filter(None, labels)))
    return known, [row for row in rows if len(row) * 2 > len(known)]


def _is_value(cell: Any) -> bool:
    """Whether a cell is no label: a number, a date, or a text with one."""
    return not isinstance(cell, str) or bool(re.search(r"\d{3}", cell))


def _is_title(before: Sequence[str], labels: Sequence[str]) -> bool:
    """Whether the header found before begins with a title that stands over all columns."""
    return sum(map(len, filter(None, labels))) < sum(map(len, filter(None, before)))


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


def _paging(document: Any, records: str) -> dict[str, Any]:
    """How the API seems to give its pages, from what stands beside the records."""
    beside: dict[str, Any] = {}

    def note(value: Any, path: str) -> None:
        if isinstance(value, dict) and path.count(".") < 4:
            for name, each in value.items():
                note(each, f"{path}.{name}" if path else name)
        elif path != records:
            beside[path] = value

    note(document, "")
    last = {path: normalise(path.rpartition(".")[2]) for path in beside}
    total = next((p for p, n in last.items() if n in ("total", "count", "total_count")), None)
    counted = {"total": total} if total and isinstance(beside[total], int) else {}
    for path, name in last.items():
        if (
            "next" in path
            and isinstance(beside[path], str)
            and re.match(r"https?:|/|\?", beside[path])
        ):
            return {"style": "next", "next": path, **counted}
        if re.search(r"cursor|token|after|^next", name) and isinstance(beside[path], str | int):
            parameter = name.removeprefix("next_")
            return {"style": "cursor", "next": path, "parameter": parameter, **counted}
    for name in last.values():
        if name in ("page", "current_page", "last_page", "total_pages", "pages"):
            return {"style": "page", "parameter": "page", **counted}
        if name in ("offset", "start", "skip"):
            return {"style": "offset", "parameter": name, **counted}
    return {"style": "none", **counted}


def _flat(row: dict[str, Any], kind: str) -> dict[str, Any]:
    """A record with the labels that the kind's connector gives it."""
    fields: dict[str, Any] = {}
    if kind == "odk":
        odk.flatten(row, "", fields)
    elif kind == "http_json":
        http_json.flatten(row, "", fields, ";")
    elif kind == "ushahidi" and "id" in row:
        fields = ushahidi.labelled(row)
    return fields or row


def _first(labels: Iterable[str], pattern: str) -> str | None:
    return next(
        (each for each in labels if re.search(pattern, each[:_MAX_LABEL], re.IGNORECASE)), None
    )


def _unique_label(labels: Iterable[str], rows: Sequence[dict[str, Any]]) -> str | None:
    """The first label that every row has and no two rows share a value of."""
    for label in labels if rows else ():
        values = [str(row.get(label) or "") for row in rows]
        if all(values) and len(set(values)) == len(values):
            return label
    return None


# -- proposing ------------------------------------------------------------------------------------


_KNOWN = {
    "Kegiatan / Tanggal": "activity_date",
    "Kegiatan / Waktu dan Tempat": "regency",
    "Kegiatan / Bentuk": "method",
    "Uraian": "narrative",
    "Dugaan pelanggaran": "suspicion",
    "Dugaan / Tanggal": "occurred_date",
    "Pemeriksaan": "narrative",
}
"""Labels that connectors make, and no guess would find."""


def _guess(label: str) -> str | None:
    """The canonical field that a label looks like, or `personal`."""
    if label in _KNOWN:
        return _KNOWN[label]
    plain = _plain(label)
    last = normalise(re.sub(r"[_.]+", " ", re.split(r"\s/\s|/(?=[^/]*$)", label[:_MAX_LABEL])[-1]))
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


def _plain(label: str) -> str:
    return normalise(re.sub(r"[_./]+", " ", label[:_MAX_LABEL]))


def _familiar(labels: Iterable[str]) -> int:
    """How many different fields, and personal labels, these look like."""
    guesses = [_guess(label) for label in labels]
    return len({*guesses} - {None, "personal"}) + guesses.count("personal")


def _field(label: str, rows: Sequence[dict[str, Any]]) -> str | None:
    """The guess, with a look at the values: a regency of `1903` is a code."""
    guess = _guess(label)
    values = [str(row[label]).strip() for row in rows if row.get(label)]
    if guess in ("regency", "district", "village") and values:
        is_code = all(re.fullmatch(r"\d\d(\.?\d\d){1,2}(\.?\d{4})?", value) for value in values)
        return f"{guess}_code" if is_code else guess
    return guess


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
        guess = _field(label, rows)
        if label == key and guess == "personal":
            guess = None
        if guess == "personal":
            personal.append(label)
        elif label == key and guess is None:
            continue
        elif guess is None or guess in fields:
            unknown.append(label)
        else:
            fields[guess] = label
    if kind in _LETTERS:
        personal = [*_LETTERS[kind], *personal]
        if "activity_date" in fields:  # the date in a tip is the event's
            fields = {"occurred_date": fields.pop("activity_date"), **fields}
    lines = [
        "# yaml-language-server: $schema=channel.schema.json",
        "# Proposed by 'lumbung channel add' from a sample: look through every line.",
        f"title: {name.replace('_', ' ').capitalize()}",
        "owner: # who answers for this channel and is told of what could not be read",
        "  name: Kantor yang bertanggung jawab",
        "  email: ganti@contoh.example.id",
    ]
    if kind in _SERVERS or (kind == "sigaplapor" and "path" in source):
        lines.append(f"connection: {name} # an Airflow Connection with address and credential")
    lines += [
        'schedule: "0 5 * * *" # cron, in `timezone`',
        "timezone: Asia/Jakarta # of times that are written without one",
        "expected_every: 1 week",
    ]
    if "register_number" not in fields and "record_kind" not in fields:
        usual = "LHP" if kind == "form_a" else "IA"
        lines.append(
            f"record_kind: {usual} # LP, TM, IA, LHP or PREV; remove where a field tells it"
        )
    lines += ["", "source:"]
    for option, value in source.items():
        if isinstance(value, dict):
            inner = ", ".join(f"{name}: {_quoted(each)}" for name, each in value.items())
            lines.append(f"  {option}: {{{inner}}}" + _PAGING_NOTE)
        elif isinstance(value, list):
            lines.append(f"  {option}: [{', '.join(map(_quoted, value))}]")
        else:
            lines.append(f"  {option}: {_quoted(value)}")
    if kind == "http_json":
        lines.append("  # auth: {style: header, name: X-Api-Key} # else a bearer token")
    if kind == "register":
        lines += [
            "",
            "# What makes a row's source id: it must stay the same when the row is edited.",
            f"key: {_quoted(key)}",
        ]
    lines += ["", "# Go to the vault. What is named nowhere goes there too, with a notice."]
    lines += _listed("personal", personal)
    if personal:
        numbers = [label for label in personal if _REACHES.search(_plain(label))]
        who = dict.fromkeys([*numbers, *personal])
        lines += ["# Who the reporter is: the first one filled.", *_listed("subject", [*who][:2])]
    lines += [
        "",
        "# Known, not personal, mapped to nothing: take the # away from what may be stored openly.",
    ]
    if kind in _LETTERS:
        lines += ["kept:", "  - Tanda"]
    elif unknown:
        lines.append("# kept:")
    if unknown:
        lines += [*(f"#   - {_quoted(label)}" for label in unknown)]
    lines += ["", "# Canonical fields: docs/reference/canonical-fields.md."]
    lines.append("fields:")
    if kind in _LETTERS:
        told = [fields.pop("narrative", None), "Teks"]
        named = ", ".join(_quoted(each) for each in told if each)
        lines.append(f"  narrative: {{from: [{named}]}}")
    elif not fields:
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
        found = next((each for each in ";|," if each in values), ";")
        parts.append(f'separator: "{" " if kind in ("kobo", "odk") else found}"')
    if CANONICAL[field] == "code":
        parts.append(f"scheme: {'bps' if 'bps' in normalise(label) else 'kemendagri'}")
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
