"""Proposing the parts of a channel file from a sample.

In doubt a label is kept private: a label that looks personal becomes personal, and an unknown label
becomes a comment, so its values stay in the vault until somebody decides.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from lumbung.errors import SourceError
from lumbung.intake.channel.labels import normalise
from lumbung.intake.connectors.base import PLACE_LABELS
from lumbung.registry import canonical_fields

ADDRESS = re.compile(r"https?://")
"""The beginning of a sample that is an address, not a file."""
ROWS = 200
"""Values of a label that are examined."""
TRIED_ROWS = 100_000
"""Rows on which a key is tried."""
TRIED_CELLS = 1_000_000
"""Cells of a sample that are kept in memory for that."""
_MAX_LABEL = 200  # characters of a label that are examined

_PLACE = (
    r"(kab|kabupaten|kec|kecamatan|kota|desa|kel|kelurahan|prov|provinsi|lokasi|tempat|wilayah|tps"
    r"|dapil|province|district|regency|village|city|country|place|location)"
)
_PERSONAL = re.compile(
    r"\b(nama|name|alamat|address|telp|telepon|telephone|hp|handphone|phone|mobile|msisdn|wa"
    r"|whatsapp|kontak|contact|nik|ktp|e-?mail|surel|pelapor|pengadu|pengirim|reporter|sender"
    r"|username|user|account|akun|nickname|handle|author|penulis|profile?|enumerator|observer"
    r"|responden|respondent|korban|victim|informan|narasumber|nip|nrp|npwp|paspor|passport"
    r"|saksi|witness|pelaku|ttl|tanggal lahir|tanda tangan|rekening"
    r"|(submitted|created|recorded|dibuat|diisi|dikirim|diinput|dilaporkan) (by|oleh))\b"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_RECEIVED = r"creat|submi|received|dibuat|dikirim|date|tanggal|time"
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
        key: the labels that make a row's source id, for kinds whose channels have a key.
        separator: what separates the values of a list; what the values hold, if left out.
        record_kind: the usual one, where no label says it.
        notes: option -> a comment beside it.
        comments: lines below the options.
    """

    labels: list[str]
    rows: Sequence[Mapping[str, Any]]
    source: dict[str, Any] = field(default_factory=dict)
    key: Key | None = None
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
    last = plain(re.split(r"\s/\s|/(?=[^/]*$)", label[:_MAX_LABEL])[-1])
    names_place = rf"\b(nama|name)\s+{_PLACE}\b|\b{_PLACE}\s+(nama|name)\b"
    if re.search(_PERSONAL, re.sub(names_place, "", whole)):
        if re.search(r"jabatan", whole):
            return "accused_role" if "terlapor" in whole else None
        if not re.search(r"(tanggal|tgl|date|status|nomor|no)\b.*(lapor|terlapor)", whole):
            return "personal"
    for text in (last, whole):
        for name, canonical in canonical_fields().items():
            if canonical.label_pattern and re.search(canonical.label_pattern, text):
                return name
    return None


def plain(label: str) -> str:
    """A label as it is compared: normalised, its words separated by spaces."""
    return normalise(re.sub(r"[_./]+", " ", _CAMEL.sub(" ", label[:_MAX_LABEL])))


def familiar(labels: Iterable[str]) -> int:
    """The number of different fields, and of personal labels, that these labels look like."""
    guesses = [guess(label) for label in labels]
    return len({*guesses} - {None, "personal"}) + guesses.count("personal")


_EPOCH = re.compile(r"1\d{9}(?:\d{3})?")  # from September 2001 to May 2033


def find_receipt(
    labels: Iterable[str], rows: Sequence[Mapping[str, Any]], *, epoch: bool = False
) -> tuple[str | None, str]:
    """The first label that says when a row came and whose values are dates; and what was tried.

    Args:
        labels: in their order.
        rows: of the sample.
        epoch: whether the kind's reader also takes Unix time, in seconds or milliseconds.
    """
    for label in labels:
        texts = [each for each in _texts(label, rows[:ROWS]) if each]
        named = re.search(_RECEIVED, label[:_MAX_LABEL], re.IGNORECASE)
        if named and not rows:
            return label, "the sample has no rows to try it on"
        if (
            named
            and texts
            and all(day_order(each) or (epoch and _EPOCH.fullmatch(each)) for each in texts)
        ):
            return label, f"all {len(texts)} values that were tried are dates"
    return None, "not confirmed: no label says so whose values are all dates"


@dataclass(frozen=True)
class Key:
    """Labels that were tried as a key.

    Attributes:
        labels: those that differ in every row together; none: no label does, nor do two.
        note: what was tried.
    """

    labels: tuple[str, ...]
    note: str


_IDENTIFIES = re.compile(
    r"\b(_?id|uid|uuid|guid|objectid|kode|code|no|nomor|nr|number|ticket|tiket|ref|referensi"
    r"|reference|key|kunci|register)\b"
)
_MAX_KEY = 80  # characters: what is longer is a narrative
_MOST_LABELS = 16  # of which two are tried together


def find_key(
    labels: Iterable[str], rows: Sequence[Mapping[str, Any]], *, together: bool = True
) -> Key:
    """The labels that identify a row: never empty, and different in every row.

    A legal number comes first, then what its label calls a number or code, then any other short
    text, then two labels together. What is personal, a narrative, a measure (`-2.13`) or a number
    of a row in a list is no key; the last one is taken where there is nothing else.

    Args:
        labels: in their order.
        rows: of the sample, all that are tried.
        together: whether two labels may be a key.
    """
    if not rows:
        return Key((), "the sample has no rows to try it on")
    ranks = {label: _rank(label, rows) for label in labels}
    usable = sorted((each for each in ranks if ranks[each] is not None), key=_order(ranks))
    filled = {each: values for each in usable if all(values := _texts(each, rows))}
    tried = f"differs in all {len(rows):,} rows of the sample, and is never empty"
    for label, values in filled.items():
        if ranks[label] in _ALONE and len({*values}) == len(rows):
            doubt = "" if ranks[label] in (0, 1) else "; its label does not say that it is a number"
            return Key((label,), tried + doubt)
    pairs = [each for each in filled if ranks[each] != _LAST][:_MOST_LABELS]
    for at, label in enumerate(pairs if together else ()):
        for other in pairs[at + 1 :]:
            if len({*zip(filled[label], filled[other], strict=True)}) == len(rows):
                return Key((label, other), tried.replace("differs", "differ together"))
    for label, values in filled.items():
        if ranks[label] == _LAST and len({*values}) == len(rows):
            return Key(
                (label,), f"{tried}, but numbers the rows: it changes when a row above is deleted"
            )
    return Key(
        (),
        f"no column{', nor two together,' if together else ''} that is not personal differs in all"
        f" {len(rows):,} rows and is never empty",
    )


_ALONE = (0, 1, 2)
_TOGETHER = 3  # with another one only: days, places and categories come again
_LAST = 4


def _order(ranks: Mapping[str, int | None]) -> Callable[[str], tuple[int, bool]]:
    """`id` goes before `meta.instanceID`, else the first label before the others."""
    return lambda label: (ranks[label] or 0, not _IDENTIFIES.fullmatch(plain(label).strip()))


def _rank(label: str, rows: Sequence[Mapping[str, Any]]) -> int | None:
    """How much a label looks like one of a key: 0 most; None: it can be none."""
    if normalise(label) in PLACE_LABELS:
        return _LAST
    found = guess(label)
    if found == "register_number":
        return 0
    if found in ("personal", "narrative", "suspicion", "issue"):
        return None
    texts = _texts(label, rows[:ROWS])
    if any(len(each) > _MAX_KEY or re.fullmatch(r"-?\d+[.,]\d{3,}", each) for each in texts):
        return None
    if any(isinstance(row.get(label), list | dict) for row in rows[:ROWS]):
        return None
    if found is not None and not found.endswith("_code"):
        return _TOGETHER
    if _IDENTIFIES.search(plain(label)):
        return 1
    return _TOGETHER if all(map(day_order, texts)) else 2


def _texts(label: str, rows: Sequence[Mapping[str, Any]]) -> list[str]:
    values = (row.get(label) for row in rows)
    return ["" if each is None else " ".join(str(each).split()) for each in values]


_MONTHS = (
    *("jan", "feb", "peb", "mar", "apr", "mei", "may", "jun", "jul", "agu", "ags", "agt", "aug"),
    *("sep", "okt", "oct", "nov", "nop", "des", "dec"),
)
_SERIAL = re.compile(r"[345]\d{4}([.,]\d+)?")
_DAY = re.compile(
    r"(?P<year>\d{4})[-/.](?P<month>\d{1,2})[-/.](?P<day>\d{1,2})(?!\d)"
    r"|(?<!\d)(?P<d>\d{1,2})[-/. ]+(?:(?P<m>\d{1,2})|(?P<name>[^\W\d_]{3,9}))[-/. ,]+"
    r"(?P<y>\d{4}|\d{2})(?!\d)"
)


def day_order(text: str) -> str | None:
    """In which order a text writes its day: `ymd`, `dmy`, or `mdy` where only that is a day."""
    text = text[:_MAX_LABEL]
    if _SERIAL.fullmatch(text):
        return "ymd"
    match = _DAY.search(text)
    if match is None:
        return None
    if match["year"]:
        return "ymd" if _is_day(match["year"], match["month"], match["day"]) else None
    if match["name"]:
        return "dmy" if match["name"][:3].casefold() in _MONTHS else None
    if _is_day(match["y"], match["m"], match["d"]):
        return "dmy"
    return "mdy" if _is_day(match["y"], match["d"], match["m"]) else None


def _is_day(year: str, month: str, day: str) -> bool:
    try:
        date(int(year) + 2000 * (len(year) == 2), int(month), int(day))
    except ValueError:
        return False
    return True


def is_month_first(labels: Iterable[str], rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether some dates can only have their month first, and none only its day."""
    texts = [
        text
        for label in labels
        if (guess(label) or "").endswith("_date")
        for text in _texts(label, rows[:ROWS])
    ]
    orders = {day_order(text) for text in texts}
    return "mdy" in orders and not any(
        day_order(text) == "dmy" and re.match(r"(1[3-9]|[23]\d)[-/. ]", text) for text in texts
    )


def labels_of(rows: Iterable[Mapping[str, Any]], own: Collection[str]) -> list[str]:
    """The labels of rows in their order, without those that the source's software adds."""
    return [each for each in dict.fromkeys(each for row in rows for each in row) if each not in own]
