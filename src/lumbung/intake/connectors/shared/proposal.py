"""Proposing the parts of a channel file from a sample.

In doubt a label is kept private: a label that looks personal becomes personal, and an unknown label
becomes a comment, so its values stay in the vault until somebody decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import normalise

ADDRESS = re.compile(r"https?://")
"""The beginning of a sample that is an address, not a file."""
ROWS = 200
"""Rows of a sample that are examined."""
_MAX_LABEL = 200  # characters of a label that are examined

_PLACE = r"(kab|kec|kota|desa|kelurahan|provinsi|district|regency|village)"
_PERSONAL = re.compile(
    r"\b(nama|name|alamat|address|telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa"
    r"|whatsapp|kontak|contact|nik|ktp|e-?mail|surel|pelapor|pengadu|pengirim|reporter|sender"
    r"|username|saksi|witness|pelaku|ttl|tanggal lahir|tanda tangan|rekening)\b"
)
RECEIVED = r"creat|submi|received|dibuat|dikirim|date|tanggal|time"
# The first pattern that matches a label's last part, or else the whole label, gives the field. Each
# field is proposed once.
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
_KNOWN = {
    "Kegiatan / Tanggal": "activity_date",
    "Kegiatan / Waktu dan Tempat": "regency",
    "Kegiatan / Bentuk": "method",
    "Uraian": "narrative",
    "Dugaan pelanggaran": "suspicion",
    "Dugaan / Tanggal": "occurred_date",
    "Pemeriksaan": "narrative",
}
"""Labels that connectors create, and that no pattern matches."""


@dataclass(frozen=True)
class Proposal:
    """The parts of a channel file that its kind proposes.

    Attributes:
        labels: the source's labels in their order, without those that its software adds.
        rows: of the sample, label -> value.
        source: the options of the kind.
        key: the label that makes a row's source id, for kinds whose channels have a key.
        separator: what separates the values of a list; what the values hold, if left out.
        record_kind: the usual one, where no label tells it.
        notes: option -> a comment beside it.
        comments: lines below the options.
    """

    labels: list[str]
    rows: Sequence[Mapping[str, Any]]
    source: dict[str, Any] = field(default_factory=dict)
    key: str | None = None
    separator: str | None = None
    record_kind: str = "IA"
    notes: Mapping[str, str] = field(default_factory=dict)
    comments: tuple[str, ...] = ()


def unusable(sample: str, what: str) -> SourceError:
    """The error for a sample from which nothing can be proposed."""
    return SourceError(
        f"the sample {what}",
        where=sample,
        remediation="give a file or an address as the source gives its records",
    )


def guess(label: str) -> str | None:
    """The canonical field that a label looks like, or `personal`."""
    if label in _KNOWN:
        return _KNOWN[label]
    whole = plain(label)
    last = normalise(re.sub(r"[_.]+", " ", re.split(r"\s/\s|/(?=[^/]*$)", label[:_MAX_LABEL])[-1]))
    if re.search(_PERSONAL, whole) and not re.search(rf"(nama|name)\s+{_PLACE}", whole):
        if re.search(r"jabatan", whole):
            return "accused_role" if "terlapor" in whole else None
        if not re.search(r"(tanggal|tgl|date|status|nomor|no)\b.*(lapor|terlapor)", whole):
            return "personal"
    for text in (last, whole):
        for name, pattern in _GUESSES:
            if re.search(pattern, text):
                return name
    return None


def plain(label: str) -> str:
    """A label as it is compared: normalised, its words separated by spaces."""
    return normalise(re.sub(r"[_./]+", " ", label[:_MAX_LABEL]))


def familiar(labels: Iterable[str]) -> int:
    """The number of different fields, and of personal labels, that these labels look like."""
    guesses = [guess(label) for label in labels]
    return len({*guesses} - {None, "personal"}) + guesses.count("personal")


def first(labels: Iterable[str], pattern: str) -> str | None:
    """The first label in which a pattern is found."""
    return next(
        (each for each in labels if re.search(pattern, each[:_MAX_LABEL], re.IGNORECASE)), None
    )


def unique_label(labels: Iterable[str], rows: Sequence[dict[str, Any]]) -> str | None:
    """The first label that has a different value in every row."""
    for label in labels if rows else ():
        values = [str(row.get(label) or "") for row in rows]
        if all(values) and len(set(values)) == len(values):
            return label
    return None


def labels_of(rows: Iterable[Mapping[str, Any]], own: Collection[str]) -> list[str]:
    """The labels of rows in their order, without those that the source's software adds."""
    return [each for each in dict.fromkeys(each for row in rows for each in row) if each not in own]
