"""Registers: workbooks (xlsx, xls, xlsb, ods) and CSV files as offices keep them.

The reader finds a table by the labels of its header, anywhere on a sheet. A header of two or three
rows has labels `Group / Sub`. A merged cell of the body counts for each of its rows. Titles, blank
rows, column numbers, subtotals, banners and signatures are no deliveries. A row that may be a
delivery is one; it is quarantined if it cannot be read. A visible sheet that is not empty and has
no header is quarantined too: list it under `skip_sheets` if it holds no register.

This process holds one row in memory. The child process that reads workbooks holds the rows of one
sheet (`lumbung.intake.connectors.shared.parser_process`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from glob import escape
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from lumbung.intake.channel.labels import distinct, normalise
from lumbung.intake.channel.models import Channel
from lumbung.intake.connectors.base import (
    FILTERED,
    PLACE_LABELS,
    Delivery,
    Item,
    Source,
    Unreadable,
)
from lumbung.intake.connectors.register.config import RegisterSource, Rows
from lumbung.intake.connectors.shared.cells import header_labels, is_blank
from lumbung.intake.connectors.shared.delimited import Text, broken_rows, refusal
from lumbung.intake.connectors.shared.files import File, Folder, text_encoding
from lumbung.intake.connectors.shared.parser_process import Outline, ParserError, ParserProcess
from lumbung.intake.parsers.characters import folded
from lumbung.intake.parsers.legal_numbers import LEGAL_NUMBER, is_registered
from lumbung.intake.parsers.ods_merges import Merge
from lumbung.registry import canonical_fields

Row = Sequence[Any]

_WORKBOOKS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_TEXTS = (".csv", ".tsv", ".txt")
_HEADER_ROWS = 3
_TALLEST = 10_000  # rows of a merged cell that are believed
_UNDECIDED = 1_000  # rows of a sheet that wait for its end
_PIECE = 1 << 16  # characters of a line
_NOTHING = {"", "-", "--", "–", "—", ".", "nihil", "tdk th", "tidak tahu", "n/a"}
_MONTH_FIRST = re.compile(r"\s*(\d{1,2})([/.-])(\d{1,2})\2((?:\d{4}|\d{2})(?:\D.*)?)", re.DOTALL)
_SUBTOTAL = re.compile(r"(sub\W*|grand\s+)?(jumlah|jml|total|rekap(itulasi)?)\b", re.IGNORECASE)


_DOUBTFUL = "?"
"""Stands for the shape of a row's key if the row may be a signature."""
_ASKS = (
    r"(?:(?:mengetahui|menyetujui|mengesahkan|diketahui|disetujui|disahkan|yang membuat|pembuat"
    r"|hormat (?:kami|saya))(?: oleh)?|(?:dibuat|diperiksa|disusun) oleh)"
)
_OFFICE = (
    r"(?:(?:plt|plh|pjs?|a\.? ?n)\b\.? ?)?(?:wakil )?(?:ketua|sekretaris|kepala|koordinator|anggota"
    r"|petugas|staf|bendahara|pengawas|penanggung jawab|pelaksana|operator|kasubbag|panwaslu"
    r"|panwascam|bawaslu)\b[\w /.,()&-]{0,60}"
)
_NIP = r"\(?(?:nip|nrp|nipppk)\b[\d .:_-]{0,40}\)?"
_LINE = r"[ _.…()-]{3,200}|\(?(?:ttd|tertanda|tanda tangan)\.?\)?"
_PLACE_AND_DATE = (
    r"[^\W\d][\w .'-]{0,40}, ?(?:tanggal |tgl\.? ?)?[\d_.…]{0,20}[ ./-]{1,3}[^\W_]{1,12}[ ./-]{1,3}"
    r"20[\d_.…]{0,4}"
)
_SIGNATURE_OPENS = re.compile(rf"{_ASKS}\b", re.IGNORECASE)
_SIGNED = re.compile(rf"\s*(?:{_NIP}|{_LINE})", re.IGNORECASE)
_SIGNATURE = re.compile(
    rf"(?:{_ASKS}\b\W{{0,3}}(?:{_OFFICE})?|{_OFFICE}|{_NIP}|{_LINE}|{_PLACE_AND_DATE})"
    r"[ ,.:]{0,3}",
    re.IGNORECASE,
)
"""Text of a signature's cell, other than names; matched against cells with single spaces."""
_PARTICLES = {"bin", "binti", "al", "dr", "drg", "drs", "dra", "ir", "h", "hj"}


def read(source: Source) -> Iterator[Item]:
    """Every row of every file in the channel's folder, the oldest file first."""
    options = source.channel.source
    assert isinstance(options, RegisterSource)  # noqa: S101 - the kind says so

    with ParserProcess() as child:

        def read_whole(file: File) -> Iterator[Item]:
            table = Table(source.channel, options)
            yield from read_file(table, options, file, child)
            if table.hidden:  # rows of a hidden sheet were not withdrawn
                changes = {"sheets": table.hidden, "skip_sheets": (), "hidden_sheets": True}
                hidden = options.model_copy(update=changes)
                for item in _workbook(Table(source.channel, hidden), hidden, file, child):
                    if item.source_id is not None:
                        source.seen_ids.add(source.stored_id(item.source_id))
                    elif item.is_part and item.reason_code != "header_not_found":
                        yield item

        yield from Folder(source, options.files).items(read_whole, is_listing=True)


def read_file(
    table: Table, options: RegisterSource, file: File, child: ParserProcess
) -> Iterator[Item]:
    """Every row of one file, whatever its format; workbooks are read by a child process."""
    suffix = Path(file.name).suffix.casefold()
    if suffix in _TEXTS:
        table.note_registered(_numbers(file))
        yield from _csv(table, file)
    elif suffix in _WORKBOOKS:
        yield from _workbook(table, options, file, child)
    else:
        reason = "jenis berkas ini bukan buku register; kirim sebagai xlsx, xls, xlsb, ods atau csv"
        yield file.unreadable("unreadable_file", reason)


_REFUSED = {
    "encrypted": (
        "unreadable_file",
        "buku kerja dikunci kata sandi; simpan tanpa kata sandi dan kirim kembali",
    ),
    "unsafe_archive": (
        "unsafe_archive",
        "isi berkas mengembang tidak wajar; simpan ulang dan kirim kembali",
    ),
    "limits": (
        "too_large",
        "buku kerja membutuhkan memori atau waktu di luar batas; hapus sel, baris, dan kolom yang"
        " jauh di luar tabel, simpan ulang dan kirim kembali",
    ),
    "broken": (
        "unreadable_file",
        "buku kerja rusak atau belum terkirim utuh; simpan ulang dan kirim kembali",
    ),
}
"""Why the child process could not read a workbook -> reason code and reason."""


def _workbook(
    table: Table, options: RegisterSource, file: File, child: ParserProcess
) -> Iterator[Delivery | Unreadable]:
    is_empty, is_trimmed = True, False
    sheets = child.sheets(
        file.content,
        options.sheets,
        options.skip_sheets,
        hidden_sheets=options.hidden_sheets,
        arrange=table.arrange,
    )
    try:
        for sheet in sheets:
            is_empty, is_trimmed = False, is_trimmed or sheet.is_trimmed
            table.hidden = tuple(map(escape, sheet.hidden))
            yield from table.rows(file, sheet.name, sheet.rows, sheet.merges)
    except ParserError as error:
        yield file.unreadable(*_REFUSED[error.code])
        return
    if is_empty:
        reason = "tidak ada lembar yang dibaca; periksa nama lembar di berkas kanal"
        yield file.unreadable("header_not_found", reason)
    if is_trimmed:
        reason = (
            "sel yang terisi jauh di luar tabel diabaikan; hapus sel itu, simpan ulang dan kirim"
            " kembali"
        )
        yield file.unreadable("stray_cells", reason)


def _csv(table: Table, file: File) -> Iterator[Item]:
    broken: list[tuple[int, int]] = []
    try:
        text = Text(file.content, table.fit)
        broken = text.broken
        yield from table.rows(file, "", text, [])
    except csv.Error as error:
        yield file.unreadable(*refusal(error))
    yield from broken_rows(file, broken)


def _numbers(file: File) -> Iterator[str]:
    """The registered legal numbers in a file of text."""
    encoding = text_encoding(file.content)
    with file.content.open(encoding=encoding, errors="replace", newline="") as stream:
        while piece := stream.readline(_PIECE):
            if "reg" in piece.casefold():
                yield from filter(is_registered, re.split(r'[,;\t|"\r\n]', piece))


# -- a table on a sheet ----------------------------------------------------------------------------


class _Found(NamedTuple):
    """A row of a table: its place, its filled cells, its key and what keys like it look like."""

    locator: str
    fields: dict[str, Any]
    key: str
    shape: str
    labels: tuple[str, ...]


class Table:
    """The register of one file or listing, read sheet by sheet; each key names one row of it.

    Args:
        channel: its labels identify the header.
        options: how the register is read.
        without: labels (normalised) of columns that are left out.
    """

    def __init__(
        self, channel: Channel, options: RegisterSource, without: Collection[str] = ()
    ) -> None:
        self._in_sheet = options.sheet_in_key
        self._spelling = {**channel.public, **channel.private}
        self._keys = channel.key
        self._rows = options.rows
        self._optional = {normalise(k): rows for k, rows in options.key_may_be_empty.items()}
        self._days = {
            normalise(label)
            for name, field in channel.fields.items()
            for label in field.labels
            if canonical_fields()[name].parser == "date" and options.date_order == "mdy"
        }
        self._row_labels = {*map(normalise, (*self._keys, *options.labels))}
        """Labels (normalised) without which a row cannot be judged."""
        self._mapped = {label for field in channel.fields.values() for label in field.labels}
        self._without = without
        self._wanted = [
            *({normalise(label) for label in field.labels} for field in channel.fields.values()),
            *({normalise(label)} for label in (*channel.key, *channel.kept, *channel.personal)),
        ]
        self._required = [field.labels for field in channel.fields.values() if field.required]
        self._words = {word for label in self._spelling for word in _in_cells(label)}
        self._key_words = {word for label in self._keys for word in _in_cells(label)}
        self._begins = {
            case for word in self._key_words if word for case in (word[0], word[0].upper())
        }
        number = channel.fields.get("register_number")
        self._numbers = (*channel.key, *(number.labels if number else ()))
        self._registered: dict[int, str] = {}
        self._met: dict[int, int] = {}
        self._shapes: set[str] = set()
        self._best: dict[str, int] = {}
        """Name of a sheet -> how many of the channel's fields its best header has."""
        self.hidden: tuple[str, ...] = ()
        """Globs of the sheets of its workbook that are hidden and were not read."""

    def note_registered(self, numbers: Iterable[str]) -> None:
        """Note the registered cases of a file: a number with `Reg` registers all rows of its case.

        An office may keep received reports on one sheet and registered ones on another.
        """
        if not self._in_sheet:
            for number in numbers:
                self._registered.setdefault(hash(_plain(number)), number.strip())

    def arrange(self, outlines: list[Outline]) -> list[str]:
        """The names of sheets, those with the most fields of the channel first.

        The first row with a key decides. A recap repeats the keys of the register in fewer columns,
        and may be on any sheet.
        """
        scores = self._best
        for outline in outlines:
            self.note_registered(outline.numbers)
            across = _Merged(outline.merges).across
            found = (
                self.find_headers(window, index, across) for index, window in _windows(outline.rows)
            )
            scores[outline.name] = max((each[0].score for each in found if each), default=0)
        return sorted(scores, key=lambda name: scores[name], reverse=True)

    def rows(
        self, file: File, sheet: str, rows: Iterable[Row | int], merges: list[Merge]
    ) -> Iterator[Delivery | Unreadable]:
        """The deliveries of one sheet; a number among its rows stands for that many blank rows.

        Rows below a header that has fewer of the channel's fields than another one of the sheet
        come last: they may be a recap above the register.
        """
        merged = _Merged(merges)
        recap: list[_Found] = []
        headers: list[_Header] = []
        undecided: list[_Found] = []
        skip = 0
        named = -1  # the last row in sight that holds a label of the key
        is_empty = is_headless = True
        for index, window in _windows(rows):
            for ahead in range(0 if index == 0 else _HEADER_ROWS - 1, len(window)):
                if self._names_key(window[ahead]):
                    named = index + ahead
            if all(map(is_blank, window[0])):
                skip = max(skip - 1, 0)
                continue
            is_empty = False
            if skip:
                skip -= 1
                continue
            if not headers or index <= named:
                found = self.find_headers(window, index, merged.across)
                if found:
                    headers, skip, is_headless = found, found[0].height - 1, False
                    continue
            if headers and index <= named and self._is_like_header(window[0]):
                headers = []
                yield file.unreadable(
                    "header_not_found",
                    "mulai baris ini ada tabel lain yang judul kolomnya kurang dikenal; samakan"
                    " judul kolom dengan berkas kanal, atau pindahkan tabel itu ke lembar lain",
                    *filter(None, (sheet,)),
                    f"baris {index + 1}",
                )
            row = merged.filled(index, window[0])
            for header in headers:
                place = file.locator(*filter(None, (sheet,)), f"baris {index + 1}")
                each, is_delivery = self._found(header, place, row, window[0])
                if (
                    is_delivery
                    and header.score < self._best.get(sheet, 0)
                    and len(recap) < _UNDECIDED
                ):
                    recap.append(each)
                elif is_delivery:
                    yield self._item(file, sheet, each)
                elif is_delivery is None:
                    undecided.append(each)
            if len(undecided) > _UNDECIDED:
                yield from self._decided(file, sheet, undecided)
                undecided = []
        yield from (self._item(file, sheet, each) for each in recap)
        yield from self._decided(file, sheet, undecided)
        if is_headless and not is_empty:
            labels = ", ".join(self._keys)
            yield file.unreadable(
                "header_not_found",
                f"tidak ada baris judul dengan kolom {labels}; samakan judul kolom dengan berkas"
                " kanal, atau sebut lembarnya di skip_sheets",
                *filter(None, (sheet,)),
            )

    # -- headers

    def fit(self, rows: Sequence[Row]) -> int:
        """How many of the channel's fields the first header in these rows has."""
        for at in range(len(rows)):
            if found := self.find_headers(rows[at : at + _HEADER_ROWS]):
                return found[0].score
        return 0

    def find_headers(
        self,
        window: Sequence[Row],
        top: int = 0,
        across: Mapping[int, list[tuple[int, int]]] | None = None,
    ) -> list[_Header]:
        """The header that begins in the first of these rows; several for tables side by side.

        Args:
            window: a row and the rows below it.
            top: the place of the first row on the sheet.
            across: merged cells of each row, as first and last column.
        """
        best: tuple[int, int, list[str]] | None = None
        for height in range(1, min(_HEADER_ROWS, len(window)) + 1):
            rows = [list(row) for row in window[:height]]
            labels = header_labels(rows, top, across or {})
            score = self._score(labels)
            if score * 2 < len(self._wanted) or (best is not None and score <= best[0]):
                continue
            if height > 1 and self._score(header_labels(rows[1:], top + 1, across or {})) >= score:
                continue  # the first row is a title
            best = (score, height, labels)
        if best is None:
            return []
        score, height, labels = best
        return [
            _Header(self._spelled(labels[first:last], first), first, last, height, score)
            for first, last in self._abreast(labels)
        ]

    def _abreast(self, labels: list[str]) -> list[tuple[int, int | None]]:
        """The columns of each table; a header with several key columns belongs to several tables.

        The next table begins after the last column without a label, or where the first label is
        repeated.
        """
        plain = [normalise(label) for label in labels]
        key = normalise(self._keys[0])
        places = [column for column, label in enumerate(plain) if label == key]
        begins = [0]
        for before, here in pairwise(places):
            own = {*plain[begins[-1] : before + 1]}
            again = next(c for c in range(before + 1, here + 1) if plain[c] and plain[c] in own)
            gap = next((c for c in range(again - 1, before, -1) if not plain[c]), again - 1)
            begins.append(gap + 1)
        parts = [*zip(begins, [*begins[1:], None], strict=True)]
        if all(self._score(labels[a:b]) * 2 >= len(self._wanted) for a, b in parts):
            return parts
        return [(0, None)]

    def _names_key(self, row: Row) -> bool:
        """Whether a cell of a row is a label of the key, or a part of one."""
        return any(
            cell.__class__ is str
            and (cell[:1] in self._begins or cell[:1].isspace() or not cell[:1].isascii())
            and normalise(cell) in self._key_words
            for cell in row
        )

    def _is_like_header(self, row: Row) -> bool:
        """Whether a row is a header, although it is not one of the channel's tables."""
        texts = [normalise(str(cell)) for cell in row if not is_blank(cell)]
        known = self._words.intersection(texts)
        return self._names_key(row) and len(known) > 1 and len(texts) <= 2 * len(known)

    def _score(self, labels: list[str]) -> int:
        """How many of the channel's fields a header has; 0 without the key."""
        plain = {normalise(label) for label in labels if label}
        if not plain.issuperset(self._row_labels):
            return 0
        return sum(not wanted.isdisjoint(plain) for wanted in self._wanted)

    def _spelled(self, labels: list[str], first: int) -> list[str]:
        """A distinct label for every column, in the channel file's spelling."""
        names: dict[str, None] = {}
        reached: dict[str, int] = {}
        for column, label in enumerate(labels, first):
            name = self._spelling.get(normalise(label), label) or f"Kolom {_letters(column)}"
            names[distinct(name, names, reached)] = None
        return list(names)

    # -- rows

    def _found(
        self, header: _Header, locator: str, row: Row, given: Row
    ) -> tuple[_Found, bool | None]:
        """A row, and whether it is a delivery; None if only the end of the sheet can decide.

        Blank rows, column numbers under the header, subtotals, banners and signatures are no
        deliveries. A row with few cells is a delivery if it is numbered. If it is not numbered, or
        may be a signature, its key is compared at the end of the sheet with the keys of full rows.

        Args:
            header: of its table.
            locator: of the row.
            row: its cells, values of merged cells above included.
            given: its own cells.
        """
        cells = {
            column: cell
            for column, cell in enumerate(given[header.first : header.last])
            if not is_blank(cell)
        }
        own = [*cells.values()]
        fields = {
            label: _number(cell) if cell.__class__ is float else cell
            for label, cell in zip(header.labels_for(row), row[header.first :], strict=False)
            if not is_blank(cell)
        }
        if self._without:
            fields = {k: v for k, v in fields.items() if normalise(k) not in self._without}
        parts = [_text(fields.get(label)) for label in self._keys]
        has_key = any(parts) and all(
            part or self._may_be_empty(label, fields)
            for label, part in zip(self._keys, parts, strict=True)
        )
        key = " | ".join(parts) if has_key else ""
        shape = _shape(key)
        found = _Found(locator, fields, key, shape, self._labels(header))
        if not own or header.are_numbers(own):
            return found, False
        if isinstance(own[0], str) and _SUBTOTAL.match(own[0].strip()):
            return found, None if key else False
        at = header.first + header.leading
        is_numbered = _is_number(row[at] if at < len(row) else None)
        signs = header.signatures.judge(cells)
        if signs:
            return found, False
        if signs is None and (
            is_numbered
            or ("9" in shape and not any(map(_is_of_signature, parts)))
            or (2 * len(own) > header.width and not all(map(_is_of_signature, own)))
        ):
            header.signatures, signs = _Signatures(), False
        if len(own) > header.few:
            if signs is None:
                return found._replace(shape=_DOUBTFUL), None
            if key:
                self._shapes.add(shape)
            return found, True
        if is_numbered:
            return found, True
        return found, None if key else False

    def _labels(self, header: _Header) -> tuple[str, ...]:
        if not self._without:
            return header.names
        return tuple(each for each in header.names if normalise(each) not in self._without)

    def _decided(
        self, file: File, sheet: str, undecided: list[_Found]
    ) -> Iterator[Delivery | Unreadable]:
        """The deliveries among the undecided rows, at the end of the sheet."""
        for each in undecided:
            if each.shape in self._shapes:
                yield self._item(file, sheet, each)
            elif each.shape == _DOUBTFUL or (
                "9" in each.shape and (not self._shapes or "/" in each.shape)
            ):
                yield Unreadable(
                    "required_field_missing",
                    "baris ini hampir kosong dan nomornya tidak seperti nomor baris yang lengkap;"
                    " lengkapi atau perbaiki barisnya, atau hapus bila bukan laporan",
                    each.fields,
                    file.changed_at,
                    file.sha256,
                    each.locator,
                    self._source_id(sheet, each.key) or None,
                )

    def _may_be_empty(self, label: str, fields: Mapping[str, Any]) -> bool:
        """Whether the row says why this label of its key is empty."""
        rows = self._optional.get(normalise(label))
        return rows is not None and _has_one_of(rows, fields)

    def _source_id(self, sheet: str, key: str) -> str:
        key = _plain(key)
        return f"{' '.join(sheet.split())}/{key}" if key and self._in_sheet else key

    def _item(self, file: File, sheet: str, found: _Found) -> Delivery | Unreadable:
        locator, fields = found.locator, found.fields
        if not _has_one_of(self._rows, fields):
            return Unreadable(
                FILTERED,
                f"baris ini tidak diambil: kolom {', '.join(self._rows)} tidak berisi nilai yang"
                " disebut berkas kanal",
                fields,
                file.changed_at,
                file.sha256,
                locator,
            )
        key = self._source_id(sheet, found.key)
        needed = [each for each in self._keys if not (key and self._may_be_empty(each, fields))]
        missing = [
            labels[0]
            for labels in (*((label,) for label in needed), *self._required)
            if not any(_text(fields.get(label)) for label in labels)
        ]
        if missing:
            names = ", ".join(dict.fromkeys(missing))
            return Unreadable(
                "required_field_missing",
                f"kolom {names} kosong; lengkapi dan kirim kembali berkasnya",
                fields,
                file.changed_at,
                file.sha256,
                locator,
                key or None,
            )
        for label in self._numbers if self._registered else ():
            number = _text(fields.get(label))
            if number and not is_registered(number):
                spelled = self._registered.get(hash(_plain(number)))
                fields = {**fields, label: spelled} if spelled else fields
        for label in fields if self._days else ():
            if normalise(label) in self._days:
                fields = {**fields, label: _day_first(fields[label])}
        compared = {
            label: value
            for label, value in fields.items()
            if label in self._mapped or label in self._keys or not _is_place(label)
        }
        content = hash(orjson.dumps(compared))
        before = self._met.setdefault(hash(key), content)
        if before != content:
            return Unreadable(
                "key_repeated",
                f"{', '.join(self._keys)} baris ini sudah dipakai baris lain yang"
                " isinya berbeda; beri nomor sendiri atau hapus salah satu",
                fields,
                file.changed_at,
                file.sha256,
                locator,
                key,
            )
        return Delivery(
            *(key, file.changed_at, fields, file.sha256, locator, file.is_repeat, file.name),
            labels=found.labels,
        )


class _Header:
    """A table's header: the columns from `first` up to `last` (None: to the end of each row)."""

    def __init__(
        self, labels: list[str], first: int, last: int | None, height: int, score: int
    ) -> None:
        self.first, self.last = first, last
        self.height, self.score = height, score
        named = [not label.startswith("Kolom ") for label in labels]
        self.leading = named.index(True)
        self.width = width = sum(named)
        self.few = 3 if width >= 8 else 2 if width >= 6 else 1
        """The number of filled cells up to which a row may be a banner or a signature."""
        self.signatures = _Signatures()
        self._labels = labels
        self.names = tuple(labels)
        self._is_fresh = True

    def labels_for(self, row: Row) -> list[str]:
        """One label per cell, of the last table also right of the header."""
        if self.last is None:
            for column in range(self.first + len(self._labels), len(row)):
                self._labels.append(f"Kolom {_letters(column)}")
                self.names = tuple(self._labels)
        return self._labels

    def are_numbers(self, own: list[Any]) -> bool:
        """Whether the first row with something in it numbers the columns: `(1) (2) (3)`."""
        is_first, self._is_fresh = self._is_fresh, False
        return is_first and len(own) > 2 and _counts_up(own)


class _Signatures:
    """The signatures below a table: rows with the signers' offices, names and NIP.

    They begin with a row such as "Mengetahui,". A row with only a place, a date or an office may be
    a short tip, and a row below the names may have been added to the table.
    """

    def __init__(self) -> None:
        self._is_open = False
        self._is_named = False
        self._columns: set[int] = set()

    def judge(self, cells: Mapping[int, Any]) -> bool | None:
        """Whether a row is part of the signatures; None if it may be.

        Args:
            cells: its filled cells by column.
        """
        if all(map(_is_of_signature, cells.values())):
            is_opening = any(_SIGNATURE_OPENS.match(str(cell).strip()) for cell in cells.values())
            is_certain = is_opening or (
                self._is_open
                and (not self._is_named or all(_SIGNED.match(str(c)) for c in cells.values()))
            )
            self._is_named = not is_opening and (self._is_named or not self._is_open)
            self._is_open, self._columns = True, {*cells}
            return True if is_certain else None
        if not self._is_open:
            return False
        if not self._is_named and cells.keys() == self._columns:
            self._is_named = all(map(_is_name, cells.values()))
            if self._is_named:
                return True
        return None


class _Merged:
    """Merged cells, whose value is stored in their first row only.

    If ranges overlap, which no program writes, the one that begins last counts. The cost of a row
    therefore depends on its cells, not on the number of ranges.
    """

    def __init__(self, merges: Iterable[Merge]) -> None:
        self.across: dict[int, list[tuple[int, int]]] = {}
        self._begin: dict[int, list[tuple[int, int]]] = {}
        self._open: dict[int, tuple[int, Any]] = {}  # column -> last row, value
        for (top, first), (bottom, last) in sorted(merges):
            ends = self.across.setdefault(top, [])
            if last > first and (not ends or ends[-1][1] < first):
                ends.append((first, last))
            if bottom > top:
                self._begin.setdefault(top, []).append((first, min(bottom, top + _TALLEST)))

    def filled(self, index: int, row: Row) -> Row:
        """A row, with the values of cells that are merged with cells above, in column order."""
        for column, (bottom, value) in [*self._open.items()]:
            if bottom < index:
                del self._open[column]
            elif column < len(row) and is_blank(row[column]):
                row = [*row]
                row[column] = value
        for column, bottom in self._begin.get(index, ()):
            if column < len(row):
                self._open[column] = (bottom, row[column])
        return row


def _has_one_of(rows: Rows, fields: Mapping[str, Any]) -> bool:
    """Whether each of these columns has one of its values."""
    if not rows:
        return True
    values = {normalise(label): normalise(_text(value)) for label, value in fields.items()}
    return all(
        values.get(normalise(label), "") in map(normalise, wanted) for label, wanted in rows.items()
    )


def _day_first(value: Any) -> Any:
    """A date that was written month first, with its day first; anything else as it is."""
    match = _MONTH_FIRST.fullmatch(value) if isinstance(value, str) else None
    if match is None or int(match[1]) > 12:
        return value
    return f"{match[3]}{match[2]}{match[1]}{match[2]}{match[4]}"


def _plain(key: str) -> str:
    """A key in the form in which two spellings of it are equal.

    A legal number gets `Reg` when its case is registered, and still names the same case.
    """
    upper = "/".join(part.strip() for part in folded(key).split("/")).upper()
    upper = re.sub(r"/REG/(?=(LP|TM)/)", "/", upper)
    packed = "".join(upper.split())
    return packed if LEGAL_NUMBER.fullmatch(packed) else upper


def _shape(key: str) -> str:
    """The shape of a key: `9/A/A/A/9.9/A/9`; the area in a number has two or three levels."""
    shape = re.sub(r"\d+", "9", re.sub(r"[^\W\d_]+", "A", _plain(key)))
    return shape.replace("9.9.9", "9.9")


@lru_cache(maxsize=1000)
def _is_place(label: str) -> bool:
    """Whether a column holds only the position of a row in its list."""
    return normalise(label) in PLACE_LABELS


def _in_cells(label: str) -> Iterator[str]:
    """A label (normalised) as it may stand in a cell: whole, or below its group's name."""
    yield normalise(label)
    yield normalise(label.rpartition(" / ")[2])


def _windows(rows: Iterable[Row | int]) -> Iterator[tuple[int, list[Row]]]:
    """Each row's place, and the row with the next two; many blank rows are shortened to a few."""
    ahead: list[tuple[int, Row]] = []
    failure: Exception | None = None
    try:
        for each in _numbered(rows):
            ahead.append(each)
            if len(ahead) == _HEADER_ROWS:
                yield ahead[0][0], [row for _, row in ahead]
                del ahead[0]
    except (csv.Error, ParserError) as error:  # the rows before the failure are delivered
        failure = error
    while ahead:
        yield ahead[0][0], [row for _, row in ahead]
        del ahead[0]
    if failure is not None:
        raise failure


def _numbered(rows: Iterable[Row | int]) -> Iterator[tuple[int, Row]]:
    """Each row with its place on the sheet."""
    index = 0
    for row in rows:
        if isinstance(row, int):
            yield from ((index + at, ()) for at in range(min(row, _HEADER_ROWS)))
            index += row
        else:
            yield index, row
            index += 1


def _is_number(cell: Any) -> bool:
    if isinstance(cell, float):
        return cell.is_integer()
    return isinstance(cell, str) and bool(re.fullmatch(r"\d{1,6}\s*\.?", cell.strip()))


def _is_of_signature(cell: Any) -> bool:
    return isinstance(cell, str) and bool(_SIGNATURE.fullmatch(" ".join(cell[:300].split())))


def _is_name(cell: Any) -> bool:
    """Whether a cell looks like a person's name, with titles and in brackets as people sign."""
    text = str(cell)[:81].strip()
    words = text.strip("()_. ").split()
    return (
        0 < len(words) <= 8
        and len(text) <= 80
        and not any(map(str.isdigit, text))
        and all(word[0].isupper() or word.strip(".,") in _PARTICLES for word in words)
    )


def _counts_up(cells: list[Any]) -> bool:
    """`(1) (2) (3)`: the columns' numbers."""
    texts = [str(int(c)) if isinstance(c, float) else str(c).strip(" ()") for c in cells]
    return texts == [str(number) for number in range(1, len(texts) + 1)]


def _text(value: Any) -> str:
    """A value as text; empty for a value such as "-" that means none."""
    text = "" if value is None else " ".join(str(value).split())
    return "" if text.casefold() in _NOTHING else text


def _letters(column: int) -> str:
    letters = ""
    while column >= 0:
        letters = chr(ord("A") + column % 26) + letters
        column = column // 26 - 1
    return letters


def _number(cell: float) -> int | float:
    # Excel keeps 15 digits: the last digits of a longer number (a NIK) are wrong.
    return int(cell) if cell.is_integer() and abs(cell) < 1e15 else cell
