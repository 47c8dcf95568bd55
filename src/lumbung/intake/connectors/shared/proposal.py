"""What a sample lets propose for a channel file.

What is proposed errs on the side of silence: a label that looks personal is personal, and one that
nothing is known of is listed as a comment, which leaves it in the vault until somebody decides.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import normalise

ADDRESS = re.compile(r"https?://")
"""What a sample begins with that is no file."""
ROWS = 200
"""How many rows of a sample are looked at."""
_MAX_LABEL = 200  # characters of a label that are looked at

_PLACE = r"(kab|kec|kota|desa|kelurahan|provinsi|district|regency|village)"
_PERSONAL = re.compile(
    r"\b(nama|name|alamat|address|telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa"
    r"|whatsapp|kontak|contact|nik|ktp|e-?mail|surel|pelapor|pengadu|pengirim|reporter|sender"
    r"|username|saksi|witness|pelaku|ttl|tanggal lahir|tanda tangan|rekening)\b"
)
RECEIVED = r"creat|submi|received|dibuat|dikirim|date|tanggal|time"
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
    """The error of a sample of which nothing can be proposed."""
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
    """A label with its words excluded, as it is compared."""
    return normalise(re.sub(r"[_./]+", " ", label[:_MAX_LABEL]))


def familiar(labels: Iterable[str]) -> int:
    """How many different fields, and personal labels, these look like."""
    guesses = [guess(label) for label in labels]
    return len({*guesses} - {None, "personal"}) + guesses.count("personal")


def first(labels: Iterable[str], pattern: str) -> str | None:
    """The first label in which a pattern is found."""
    return next(
        (each for each in labels if re.search(pattern, each[:_MAX_LABEL], re.IGNORECASE)), None
    )


def unique_label(labels: Iterable[str], rows: Sequence[dict[str, Any]]) -> str | None:
    """The first label that every row has and no two rows share a value of."""
    for label in labels if rows else ():
        values = [str(row.get(label) or "") for row in rows]
        if all(values) and len(set(values)) == len(values):
            return label
    return None


def labels_of(rows: Iterable[Mapping[str, Any]], own: Collection[str]) -> list[str]:
    """The labels of rows in their order, without those that the source's software adds."""
    return [each for each in dict.fromkeys(each for row in rows for each in row) if each not in own]
