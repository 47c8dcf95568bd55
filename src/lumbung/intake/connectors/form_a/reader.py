"""Formulir Model A (laporan hasil pengawasan, LHP) as docx files in a folder.

One document is one delivery. It is identified by its number (`012/LHP/PM.00.02/K.BB-03/XI/2024`),
or by the hash of its bytes if it has none. If two files have one number, the newer one counts. A
form without a number is withdrawn when another form has replaced it under the same file name.

Sections are found by their titles, whether a person or Word numbered them. A value follows
`Label :` in a paragraph, stands right of its label in a table, or below a table's header. Labels
are `Section / Label`: `Pengawas / Nama`, `Kegiatan / Bentuk`, `Dugaan / Peristiwa`,
`Saksi / Alamat`. Without a section are `Nomor`, `Uraian`, `Dugaan pelanggaran` (`ada`, `tidak ada`)
and `Kegiatan`, the list of all activities; only the first activity's values also have labels of
their own. If one value holds a time and a place, its date is also given as `Tanggal`.

Only the text of a document is read, at most 32 MB, by a child process with limits of memory and
time (`lumbung.intake.connectors.shared.parser_process`). Pictures stay in the evidence store.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lumbung.intake.channel.labels import normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import Delivery, Item, Source, Unreadable
from lumbung.intake.connectors.form_a.config import FormASource
from lumbung.intake.connectors.shared.files import File, Folder, guarded
from lumbung.intake.connectors.shared.parser_process import ParserError, ParserProcess

NUMBER, SUSPICION = "Nomor", "Dugaan pelanggaran"
OFFICER, ACTIVITY, STORY, VIOLATION, WITNESS = "Pengawas", "Kegiatan", "Uraian", "Dugaan", "Saksi"
SIGNATURE = "Tanda tangan"

_MAX_TEXT = 32 << 20
_TITLES = (  # of sections, without their numbers; the first that fits
    (re.compile(r"(?:data|identitas) (?:pengawas|pelaksana)\b.*"), OFFICER),
    (re.compile(r"(?:uraian|hasil|ringkasan)(?: singkat)?(?: hasil| kegiatan)* pengawasan"), STORY),
    (
        re.compile(
            r"(?:data |rincian )?kegiatan(?: pengawasan)?(?: pemil\w+)?(?: (?:ke ?)?\W?\d+)?"
        ),
        ACTIVITY,
    ),
    (re.compile(r"(?:informasi |data )?dugaan pelanggaran(?: pemil\w+)?"), VIOLATION),
    (re.compile(r"(?:data |identitas )?saksi(?:\W?saksi)?"), WITNESS),
)
_ROMAN = re.compile(r"[IVX]{1,5}\s*[.)]\s*(?P<title>\S.*)", re.DOTALL)
_ENUMERATOR = re.compile(r"\A(?:\(?(?:\d{1,2}|[a-z])[.)]|[-•*])\s*")
_ITEM = re.compile(r"\(?\d{1,2}[.)]?|[a-z][.)]|[-•*]")
_LABELLED = re.compile(r"(?P<label>[^\W\d_][^:\n]{0,59}?)\s*:(?!\d)\s*(?P<value>.*)", re.DOTALL)
_FREE = re.compile(r"(?:uraian|narasi|hasil|kronologi)\b", re.IGNORECASE)
_NUMBERED = re.compile(r"\d{1,4}/LHP(?:/[A-Z0-9.\-]+){2,4}/\d{4}")
_DATE = re.compile(
    r"\b\d{1,2}\s+(?:jan|feb|peb|mar|apr|mei|jun|jul|agu|agt|sep|okt|nov|nop|des)[a-z]*\.?\s+\d{4}\b"
    r"|\b\d{1,2}[-/.]\d{1,2}[-/.]\d{4}\b",
    re.IGNORECASE,
)
_SIGNED = re.compile(
    rf"[A-Z][\w .'\-]{{2,40}},\s*(?:tanggal\s+)?(?:{_DATE.pattern})\W*", re.IGNORECASE
)
_NO = r"(?:tidak|tdk|belum) (?:ada|terdapat|ditemukan|terjadi|menemukan|dijumpai)\b"
_REST = r"(?:(?!\b(?:ada|terdapat|ditemukan|terjadi|diduga)\b)[^.;:])"
"""A letter of a clause that states nothing else."""
_LIST = rf"(?:(?!,\s*(?!baik|administra|pidana|kode|etik|maupun|dan/atau|atau|serta)\w){_REST})"
"""The same, but no comma before another clause: one in a list of kinds of violations."""
_NOTHING = re.compile(
    r"\W*|n/a|(?!.*\b(?:namun|tetapi|tapi|kecuali|selain|hanya|lain(?:nya)?)\b)(?:"
    r"nihil\b.{0,60}|(?:tidak|tdk) (?:ada|terdapat|ditemukan|terjadi)\b.{0,60}"
    # a whole sentence: 'Selama pengawasan tidak ditemukan adanya dugaan pelanggaran ...'
    rf"|(?:(?:berdasarkan|dalam|dari|hasil|pada|selama)\b{_REST}{{0,150}} )?(?:\w+ )?{_NO}"
    rf"(?: adanya)?(?: (?:dugaan|indikasi|potensi|unsur))* pelanggaran\b{_LIST}{{0,250}}\.?)",
    re.DOTALL,
)
"""No suspicion; a text that goes on with a 'but' may have one."""
_SUBTITLES = re.compile(
    r"(?:alat|barang) bukti|bukti(?:\W?bukti)?|(?:uraian|tempat|waktu)\b[^:]{0,40}|peristiwa"
    r"|pelaku|terlapor"
)
"""Labels of the section on a violation: they end the list of witnesses, and need no value."""

_REFUSED = {
    "unsafe_archive": (
        "unsafe_archive",
        "isi berkas mengembang tidak wajar; simpan ulang dan kirim kembali",
    ),
    "unusual_xml": (
        "unsafe_archive",
        "berkas memuat definisi XML yang tidak lazim; simpan ulang dan kirim kembali",
    ),
    "too_large": ("too_large", "teks formulir terlalu besar; periksa berkasnya"),
    "limits": (
        "too_large",
        "formulir membutuhkan memori atau waktu di luar batas; periksa berkasnya",
    ),
    "broken": (
        "unreadable_file",
        "bukan dokumen docx yang utuh, atau dikunci; simpan sebagai docx dan kirim kembali",
    ),
}
"""Why the child process could not read a document -> reason code and reason."""


class _UnreadableError(Exception):
    """A file that is no form: the code and the reason."""

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(code)
        self.code = code
        self.reason = reason


def read(source: Source) -> Iterator[Item]:
    """Every form in the channel's folder, the oldest file first."""
    options = source.channel.source
    assert isinstance(options, FormASource)  # noqa: S101 - the kind says so
    folder = Folder(source, options.files)
    present: set[str] = set()
    replaced: dict[str, File] = {}
    with ParserProcess() as child:
        for file in folder:
            if isinstance(file, Unreadable):
                yield file
                continue
            (item,) = guarded(file, _read(source, file, child))
            yield item
            if isinstance(item, Delivery):
                present.add(item.source_id)
                if before := folder.before(file):
                    replaced[_unnumbered(source, before)] = file
            else:
                folder.leave(file)
    if folder.unsettled:  # an unsettled file may be the replaced form; the next pull decides
        for file in replaced.values():
            folder.leave(file)
        replaced = {}
    yield folder.checkpoint()._replace(
        withdrawn=tuple(each for each in replaced if each not in present)
    )


def _read(source: Source, file: File, child: ParserProcess) -> Iterator[Item]:
    try:
        yield _delivery(source, file, child)
    except _UnreadableError as error:
        yield file.unreadable(error.code, error.reason)


def _unnumbered(source: Source, sha256: bytes) -> str:
    """The source id of a form without a number."""
    return source.digest(sha256).hex()


def _delivery(source: Source, file: File, child: ParserProcess) -> Delivery | Unreadable:
    if not file.name.casefold().endswith((".docx", ".docm")):
        reason = "jenis berkas ini bukan formulir; kirim sebagai docx"
        raise _UnreadableError("unreadable_file", reason)
    try:
        lines = child.document(file.content, _MAX_TEXT)
    except ParserError as error:
        raise _UnreadableError(*_REFUSED[error.code]) from error
    form = _Form(source.channel)
    for cells in lines:
        form.take(cells)
    fields = form.fields()
    written = re.sub(r"\s", "", str(fields.get(NUMBER, ""))).upper()
    found = _NUMBERED.search(written)
    if found is None and not form.is_one:
        reason = "tidak ada nomor LHP dan bagian Formulir Model A di dalamnya; periksa berkasnya"
        raise _UnreadableError("not_a_form", reason)
    key = found[0] if found else _unnumbered(source, file.sha256)
    missing = [
        field.labels[0]
        for field in source.channel.fields.values()
        if field.required and not any(fields.get(label) for label in field.labels)
    ]
    if missing:
        reason = f"isian {', '.join(missing)} kosong; lengkapi dan kirim kembali formulirnya"
        return Unreadable(
            "required_field_missing",
            reason,
            fields,
            file.changed_at,
            file.sha256,
            file.name,
            key,
        )
    return Delivery(key, file.changed_at, fields, file.sha256, file.name, file.is_repeat, file.name)


# -- a form's lines, in their order ---------------------------------------------------------------


class _Form:
    """What was read of a form so far."""

    def __init__(self, channel: Channel) -> None:
        self._spelling = {**channel.public, **channel.private}
        self._known = {label.rpartition(" / ")[2] for label in self._spelling}
        self._section = ""
        self._label = ""
        self._columns: list[str] = []
        self._values: dict[str, list[str]] = {}
        self._activities: list[dict[str, str]] = []
        self._activity: dict[str, list[str]] = {}
        self.is_one = False

    def take(self, cells: list[str]) -> None:
        """A paragraph, or the cells of a table's row."""
        full = [cell for cell in cells if cell]
        if self._columns and len(full) > 1 and len(cells) == len(self._columns):
            for label, cell in zip(self._columns, cells, strict=True):
                if label and cell:
                    self._begin(label, cell)
            return
        self._columns = []
        full = [cell for cell in full if cell != ":" and not _ITEM.fullmatch(cell)]
        plain = [normalise(cell) for cell in full if normalise(cell).rstrip(".") != "no"]
        if len(plain) > 1 and all(cell in self._known for cell in plain):
            self._columns = [cell if normalise(cell) in self._known else "" for cell in cells]
        elif len(full) > 1 and not full[0].rstrip().endswith(":") and len(full[0]) <= 60:
            value = " ".join(full[1:]).lstrip(": ")
            self._line(f"{_ENUMERATOR.sub('', full[0])}: {value}")
        elif full:
            self._line(" ".join(full))

    def _line(self, line: str) -> None:
        roman = _ROMAN.fullmatch(line)
        text = roman["title"] if roman else _ENUMERATOR.sub("", line)
        title = normalise(text.rstrip(" :"))
        section = next(
            (
                name
                for pattern, name in _TITLES
                if (pattern.match(title) if roman else pattern.fullmatch(title))
            ),
            None,
        )
        if section or (roman and ":" not in text):
            self._open(section or " ".join(text.split()))
            return
        if self._section in (VIOLATION, WITNESS, STORY, ACTIVITY) and _SIGNED.fullmatch(line):
            self._section = SIGNATURE
            self._begin("Tempat dan tanggal", line)
            self._label = "Nama"
            return
        if not self._section and (number := _NUMBERED.search(re.sub(r"\s", "", line).upper())):
            self._begin(NUMBER, number[0])
            return
        if self._section in (VIOLATION, WITNESS) and _SUBTITLES.fullmatch(title):
            self._section, self._label = VIOLATION, " ".join(text.rstrip(" :").split())
            return
        found = _LABELLED.fullmatch(text)
        if found and self._section == WITNESS and _SUBTITLES.fullmatch(normalise(found["label"])):
            self._section = VIOLATION
        if found and self._is_label(found["label"]):
            self._begin(" ".join(found["label"].split()), found["value"])
        elif self._section:
            self._add(self._label, line)

    def _open(self, section: str) -> None:
        self.is_one = self.is_one or section in (OFFICER, ACTIVITY, VIOLATION)
        if section == ACTIVITY:
            self._end_activity()
        self._section = section
        self._label = ""

    def _is_label(self, label: str) -> bool:
        """Whether the words before a colon are a label; in free text, only known labels are."""
        if self._full(label) in self._spelling or normalise(label) == normalise(NUMBER):
            return True
        if self._section == VIOLATION and _SUBTITLES.fullmatch(normalise(label)):
            return True
        is_free = self._section == STORY or bool(_FREE.match(self._label))
        return not is_free and bool(re.fullmatch(r"[^\W\d_][^\d,;!?]*", label))

    def _begin(self, label: str, value: str) -> None:
        if self._section == ACTIVITY and label in self._activity:
            self._end_activity()
        self._label = label
        self._add(label, value)

    def _add(self, label: str, value: str) -> None:
        if self._section == ACTIVITY:
            self._activity.setdefault(label, []).append(value)
        else:
            name = " / ".join(filter(None, (self._section, label)))
            self._values.setdefault(name, []).append(value)

    def _end_activity(self) -> None:
        found = {label: _joined(parts) for label, parts in self._activity.items()}
        found = {label: value for label, value in found.items() if value}
        if found:
            self._activities.append(found)
        self._activity = {}

    def _full(self, label: str) -> str:
        return normalise(" / ".join(filter(None, (self._section, label))))

    def fields(self) -> dict[str, Any]:
        """Label -> value, labels as the channel file spells them."""
        self._end_activity()
        values = {name: _joined(parts) for name, parts in self._values.items()}
        for label, value in (self._activities or [{}])[0].items():
            values[" / ".join(filter(None, (ACTIVITY, label)))] = value
        for section in (ACTIVITY, VIOLATION):
            cells = (v for k, v in values.items() if k.startswith(f"{section} / "))
            date = next(filter(None, map(_DATE.search, cells)), None)
            if date and not values.get(f"{section} / Tanggal"):
                values[f"{section} / Tanggal"] = date[0]
        is_suspected = any(
            not _NOTHING.fullmatch(normalise(value))
            for name, value in values.items()
            if name.startswith((VIOLATION, WITNESS))
        )
        fields: dict[str, Any] = {name: value for name, value in values.items() if value}
        for name in [*fields]:
            spelled = self._spelling.get(normalise(name), name)
            if spelled not in fields:  # of two labels that look alike, both stay
                fields[spelled] = fields.pop(name)
        if self._activities:
            fields[ACTIVITY] = self._activities
        if self.is_one:
            fields[SUSPICION] = "ada" if is_suspected else "tidak ada"
        return fields


def _joined(parts: list[str]) -> str:
    text = "\n".join(parts).strip()
    return "" if normalise(text) in ("", ":") else text
