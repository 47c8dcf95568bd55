"""The portal: a static site made of the published editions and nothing else.

`site` is a pure function: the same editions give the same pages, byte for byte. What an edition
said is quoted from its stored bytes; every number is one that an edition holds, with what that
edition suppressed left out. `build` writes the pages and the stored artefacts beside the site that
is being read, and swaps the whole by one rename.
"""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg

from lumbung import database
from lumbung.errors import PublicationError, ServiceError
from lumbung.publication import charts, render, wording
from lumbung.publication import messages as m
from lumbung.publication.content import (
    PROVINCE,
    Edition,
    Figure,
    Regency,
    Restatement,
    load,
    week_start,
)
from lumbung.publication.pages import Cell, Section, Table
from lumbung.settings import JAKARTA, Settings

QUOTED = ("siaran-pers.txt", "metadata.json", "kamus-data.csv")
"""The stored texts that pages quote."""

NAV = (
    ("Terbaru", "index.html"),
    ("Wilayah", "wilayah.html"),
    ("Tema", "tema.html"),
    ("Tren", "tren.html"),
    ("Arsip", "arsip.html"),
    ("Unduhan", "unduhan.html"),
    ("Metode", "metode.html"),
)
_LINES = 200  # of restatements on one page; the open data has all
_WEEKS = 12  # columns of the table of all figures
_FEED = 30  # entries
_MAIN_FILES = {
    "edisi.pdf": ("PDF", "siap cetak", "Buletin, siap cetak"),
    "edisi.html": ("HTML", "satu berkas", "Buletin, satu berkas untuk layar"),
    "edisi.xlsx": ("XLSX", "buku kerja", "Semua tabel sebagai buku kerja"),
    "data/angka.csv": ("CSV", "data terbuka", "Semua angka edisi"),
}
_OTHER_FILES = {
    "siaran-pers.txt": "Siaran pers",
    "data.json": "Semua data terbuka sebagai JSON",
    "metadata.json": "Metadata (Satu Data Indonesia)",
    "kamus-data.csv": "Kamus data",
}
_ELECTIONS = ("PILGUB", "PILBUP", "PILWAKO")


@dataclass(frozen=True)
class StoredFile:
    """An artefact of a published edition: its name, size in bytes and sha256 (hex)."""

    name: str
    byte_count: int
    sha256: str


@dataclass(frozen=True)
class Published:
    """A published edition: what was frozen, its files, and the bytes of those in `QUOTED`."""

    edition: Edition
    files: tuple[StoredFile, ...]
    quoted: Mapping[str, bytes]


@dataclass(frozen=True)
class Measure:
    """A count that the pages show over time: a figure, or the sum of categories of one."""

    id: str
    name: str
    code: str
    categories: tuple[str, ...] = ("ALL",)

    @property
    def source(self) -> str:
        """Where it comes from, in the edition's words."""
        return m.TEXT[m.FIGURES[self.code].source]


MEASURES = (
    Measure("dugaan-pelanggaran", "Dugaan pelanggaran", "suspected_violation"),
    Measure("laporan", "Laporan diterima", "report_received", ("LP",)),
    Measure("temuan", "Temuan", "report_received", ("TM",)),
    Measure("informasi-awal", "Informasi awal", "tip"),
    Measure("kampanye", "Kampanye yang diawasi", "campaign_event_by_election", _ELECTIONS),
    Measure("pencegahan", "Tindakan pencegahan", "prevention"),
    Measure("kecamatan", "Rekap kecamatan", "district_submitted"),
)
_VIOLATION = MEASURES[0]


@dataclass(frozen=True)
class Point:
    """A week of a series; `edition_id` says which edition holds the value (None: not known)."""

    week_id: str
    value: int | None
    edition_id: str | None
    reference: str

    @property
    def day(self) -> str:
        """The week's Monday: `11 November 2024`."""
        return m.day(week_start(self.week_id))

    @property
    def text(self) -> str:
        """As printed."""
        return m.number(self.value)


@dataclass(frozen=True)
class Series:
    """A figure over time: a picture and its numbers."""

    id: str
    name: str
    title: str
    svg: str
    alt: str
    source: str
    points: list[Point]
    has_editions: bool


# -- building ------------------------------------------------------------------------------------


def build(*, settings: Settings, database_url: str) -> Path:
    """Write the site of all published editions and swap it in; returns `LUMBUNG_HOME/portal`.

    That path is a symbolic link to the newest folder in `LUMBUNG_HOME/portals/`; whoever opens a
    file below it has the old site or the new one. The site before it is kept until the next build,
    for readers that were in the middle of it. Killed at any moment, the next build clears up.

    Raises:
        PublicationError: when an edition is not what was frozen.
        ServiceError: when the folder cannot be written.

    """
    store = settings.home / "portals"
    aside = store / ".new"
    with database.connect(database_url, application="lumbung portal") as connection:
        # One build at a time, from reading to swapping: an older site never replaces a newer one.
        connection.execute("select pg_advisory_xact_lock(hashtext('lumbung portal'))")
        published = _published(connection, database_url)
        pages = site(published)
        try:
            shutil.rmtree(aside, ignore_errors=True)
            for name, content in pages.items():
                _write(aside / name, content)
            for one in published:
                for file in one.files:
                    _write(
                        aside / "edisi" / one.edition.edition_id / file.name,
                        _stored(connection, one.edition.edition_id, file.name),
                    )
            _swap(settings.portal, store, aside)
        except OSError as error:
            raise ServiceError(
                f"the portal cannot be written: {error.strerror}",
                where=str(error.filename or store),
                cure="free space or correct the permissions, then run 'lumbung portal'",
            ) from error
    return settings.portal


def _published(connection: psycopg.Connection, database_url: str) -> list[Published]:
    """Every published edition, by week and revision."""
    files: dict[str, list[StoredFile]] = {}
    quoted: dict[str, dict[str, bytes]] = {}
    for edition_id, name, size, sha256, content in connection.execute(
        "select edition_id, name, byte_count, sha256,"
        " case when name = any (%s) then content end"
        " from published.artefact join published.edition using (edition_id)"
        " where state = 'published' order by week_id, revision, name collate \"C\"",
        (list(QUOTED),),
    ):
        files.setdefault(edition_id, []).append(StoredFile(name, size, sha256))
        quoted.setdefault(edition_id, {})
        if content is not None:
            quoted[edition_id][name] = content
    return [
        Published(load(edition_id, database_url=database_url), tuple(found), quoted[edition_id])
        for edition_id, found in files.items()
    ]


def _stored(connection: psycopg.Connection, edition_id: str, name: str) -> bytes:
    row = connection.execute(
        "select content from published.artefact where edition_id = %s and name = %s",
        (edition_id, name),
    ).fetchone()
    return row[0] if row else b""


def _write(path: Path, content: bytes) -> None:
    """Write a file safely onto the disk, so that the swap never shows what a power cut ate."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _swap(link: Path, store: Path, aside: Path) -> None:
    """Give the new site its number, point the link to it, and forget all but the one before."""
    numbers = sorted(int(folder.name) for folder in store.glob("[0-9]*"))
    number = numbers[-1] + 1 if numbers else 1
    before = link.readlink().name if link.is_symlink() else ""
    aside.rename(store / str(number))
    pointer = store / ".link"
    pointer.unlink(missing_ok=True)
    pointer.symlink_to(f"portals/{number}")
    pointer.replace(link)
    for old in numbers:
        if str(old) != before:
            shutil.rmtree(store / str(old), ignore_errors=True)


# -- pages ---------------------------------------------------------------------------------------


def site(published: Sequence[Published]) -> dict[str, bytes]:
    """Every page by its path; the artefacts of each edition belong beside its `index.html`.

    Args:
        published: editions by week and revision; none gives a page that says so.

    """
    return dict(_Site(published).files()) if published else dict(_assets(_EMPTY))


_EMPTY = {
    "title": m.TEXT["title"],
    "description": m.TEXT["data_description"],
    "publisher": m.TEXT["province_name"],
    "contact": "",
    "press_note": m.TEXT["press_note"],
    "licence": "CC-BY-4.0",
    "licence_url": "https://creativecommons.org/licenses/by/4.0/deed.id",
    "notice": "",
    "nav": (),
}


def _assets(empty: dict[str, Any] | None = None) -> Iterator[tuple[str, bytes]]:
    """The style sheet and the script; and the page that stands in for a site without editions."""
    styles = (render.TEMPLATES / "buletin.css", render.TEMPLATES / "portal" / "portal.css")
    yield "portal.css", b"".join(style.read_bytes() for style in styles)
    yield "portal.js", (render.TEMPLATES / "portal" / "portal.js").read_bytes()
    if empty:
        yield "index.html", _page("kosong", s=empty, root="", page="index.html", part="")


def _page(template: str, **values: Any) -> bytes:
    return render.page(f"portal/{template}.html.j2", **values)


class _Site:
    """Writes the pages of one state of the archive."""

    def __init__(self, published: Sequence[Published]) -> None:
        self.all = list(published)
        newest = {one.edition.week_id: one for one in self.all}
        self.newest = {week: one.edition for week, one in newest.items()}
        self.latest = newest[max(newest)]
        self.e = self.latest.edition
        self.d = render.document(self.e)
        self.known = [r for r in self.e.regencies if not r.is_unknown]
        self.weeks = sorted({week for values in self.e.trend.values() for week, _ in values})
        self.restated = {
            (r.of_edition_id, r.figure_code, r.category_code, r.regency_code): r.new
            for r in self.e.restatements
            if r.period == "week"
        }
        decision = self.e.decision
        self.shared = {
            "title": self.d.title,
            "description": m.TEXT["data_description"],
            "publisher": self.d.publisher,
            "contact": self.d.contact,
            "press_note": self.d.press_note,
            "licence": self.e.office.licence,
            "licence_url": self.e.office.licence_url,
            "notice": self.d.status if decision and decision.how == "demo" else "",
            "nav": NAV,
        }

    def files(self) -> Iterator[tuple[str, bytes]]:
        """Path and bytes of every page."""
        yield from _assets()
        editions = [self.about(one) for one in self.all]
        shown = editions[::-1]
        yield self.page("index.html", "index", **self.front(shown))
        yield self.page("arsip.html", "arsip", editions=shown)
        for one, about in zip(self.all, editions, strict=True):
            yield self.page(
                f"edisi/{about['id']}/index.html", "edisi", "arsip.html", **self.edition(one, about)
            )
        yield from self.places()
        yield from self.themes()
        yield self.page(
            "tren.html",
            "tren",
            series=[self.series(measure, PROVINCE) for measure in MEASURES],
            all=self.all_figures(),
            latest=self.e.edition_id,
        )
        yield self.page(
            "unduhan.html",
            "unduhan",
            latest=self.e.edition_id,
            folder=f"edisi/{self.e.edition_id}/",
            files=self.described(self.latest),
            editions=shown,
        )
        yield self.page(
            "metode.html",
            "metode",
            latest=self.e.edition_id,
            meta=self.quoted_metadata(self.latest),
            dictionary=list(
                csv.DictReader(io.StringIO(self.latest.quoted["kamus-data.csv"].decode()))
            ),
            threshold=self.e.office.small_cell_threshold,
        )
        yield (
            "umpan.xml",
            render.page(
                "portal/umpan.xml.j2",
                s=self.shared,
                entries=shown[:_FEED],
                updated=max(e["published_at"] for e in shown),
                # RFC 4151 wants a day on which the address was the office's: of its first edition
                authority=f"{urlsplit(self.e.office.contact_url).hostname},"
                f"{self.all[0].edition.monday}",
            ),
        )

    def name(self, regency: Regency) -> str:
        """A regency's name without its kind."""
        return wording.name_of(regency, m.INDONESIAN)

    def page(self, path: str, template: str, part: str = "", **values: Any) -> tuple[str, bytes]:
        return path, _page(
            template,
            s=self.shared,
            d=self.d,
            root="../" * path.count("/"),
            page=path,
            part=part,
            **values,
        )

    # -- editions ----------------------------------------------------------------------------

    def about(self, one: Published) -> dict[str, Any]:
        """What every list of editions says about one."""
        e = one.edition
        newest = self.newest[e.week_id]
        files = self.described(one)
        if e.decision is None:
            raise PublicationError(
                "a published edition has no decision",
                where=f"edition {e.edition_id}",
                cure="find who wrote to schema published",
            )
        return {
            "id": e.edition_id,
            "revision": e.revision,
            "subtitle": m.TEXT["subtitle"].format(
                week=int(e.week_id[-2:]), range=m.week_range(e.monday)
            ),
            "as_of": m.moment(e.as_of),
            "as_of_short": _moment(e.as_of),
            "frozen_at": m.moment(e.frozen_at),
            "published_at": m.iso(e.decision.decided_at),
            "status": m.status(e.decision),
            "content_hash": e.content_hash,
            "replaced_by": newest.edition_id if newest is not e else "",
            "states": m.number(len(_new(e.restatements))),
            "changed": m.number(len(self.changed(e))),
            "main_files": [f for f in files if f["kind"]],
            "all_files": files,
            "points": _points(one),
        }

    def changed(self, e: Edition) -> list[Restatement]:
        """Its weekly figures that the latest edition would give otherwise."""
        return [
            r for r in self.e.restatements if r.period == "week" and r.of_edition_id == e.edition_id
        ]

    def edition(self, one: Published, about: dict[str, Any]) -> dict[str, Any]:
        stated, changed = _new(one.edition.restatements), self.changed(one.edition)
        return {
            "e": about,
            "latest": self.e.edition_id,
            "points": about["points"],
            "files": about["all_files"],
            "stated": self.lines(stated[:_LINES]),
            "stated_rest": m.number(len(stated) - _LINES) if len(stated) > _LINES else "",
            "changed": self.lines(changed[:_LINES]),
            "changed_rest": m.number(len(changed) - _LINES) if len(changed) > _LINES else "",
        }

    def lines(self, restatements: Sequence[Restatement]) -> list[dict[str, str]]:
        """Restatements as printed, the province first."""
        names = m.category_names(self.e)
        places = {r.code: self.name(r) for r in self.e.regencies}
        places[PROVINCE] = m.TEXT["province"]
        return [
            {
                "of": r.of_edition_id,
                "figure": _named(r.figure_code, names.get((r.figure_code, r.category_code))),
                "place": places.get(r.regency_code, r.regency_code),
                "old": m.number(r.old),
                "new": m.number(r.new),
                "why": m.reasons(r),
                "key": f"{r.figure_code}/{r.category_code}/{r.regency_code}/week@{r.of_edition_id}",
            }
            for r in sorted(
                restatements, key=lambda r: (r.of_edition_id, r.regency_code != PROVINCE)
            )
        ]

    def described(self, one: Published) -> list[dict[str, Any]]:
        """An edition's files as printed, the main ones first."""
        titles = {
            f["nama"]: f["judul"] for f in self.quoted_metadata(one).get("berkas", [])
        } | _OTHER_FILES
        order = {name: n for n, name in enumerate([*_MAIN_FILES, *_OTHER_FILES])}
        described = []
        for file in sorted(one.files, key=lambda f: (order.get(f.name, len(order)), f.name)):
            kind, short, about = _MAIN_FILES.get(file.name, ("", "", ""))
            described.append(
                {
                    "name": file.name,
                    "kind": kind,
                    "short": short,
                    "about": about or titles.get(file.name, file.name),
                    "size": f"{m.number(-(-file.byte_count // 1000))}{m.NBSP}kB",
                    "byte_count": file.byte_count,
                    "sha256": file.sha256,
                    "is_page": file.name.endswith((".html", ".pdf")),
                    "download": f"{one.edition.edition_id}-{file.name.replace('/', '-')}",
                }
            )
        return described

    def quoted_metadata(self, one: Published) -> dict[str, Any]:
        metadata: dict[str, Any] = json.loads(one.quoted.get("metadata.json", b"{}"))
        return metadata

    # -- figures -----------------------------------------------------------------------------

    def figure(self, measure: Measure, regency: str) -> Figure:
        """The latest edition's; categories that exclude each other are added up."""
        parts = [self.e.figure(measure.code, c, regency) for c in measure.categories]
        previous = [part.previous for part in parts if part.previous is not None]
        return Figure(
            sum(part.week for part in parts),
            sum(part.to_date for part in parts),
            sum(previous) if len(previous) == len(parts) else None,
        )

    def cells(self, measure: Measure, regency: str) -> list[Cell]:
        """A figure of the week, the week before, the difference and since the first week."""
        figure = self.figure(measure, regency)
        difference = None if figure.previous is None else figure.week - figure.previous
        texts = {
            "week": m.number(figure.week),
            "previous": m.number(figure.previous),
            "difference": m.signed(difference),
            "to_date": m.number(figure.to_date),
        }
        return [
            Cell(text, True, _reference(measure, regency, period)) for period, text in texts.items()
        ]

    def stats(self, measures: Sequence[Measure], regency: str) -> list[dict[str, str]]:
        """Key figures: the week's count, how it moved, and since the first week."""
        stats = []
        for measure in measures:
            figure = self.figure(measure, regency)
            text, name, to_date = m.number(figure.week), measure.name, m.number(figure.to_date)
            change = f"pekan lalu {m.number(figure.previous)}"
            if figure.previous is not None:
                change += f" ({m.signed(figure.week - figure.previous)})"
            if measure.code == "district_submitted":
                expected = self.e.figure("district_expected", "ALL", regency).week
                change = f"dari {m.number(expected)} ({m.percent(figure.week, expected)})"
                to_date = ""
            stats.append(
                {
                    "name": name,
                    "text": text,
                    "change": change,
                    "to_date": to_date,
                    "reference": _reference(measure, regency, "week"),
                }
            )
        return stats

    def points(self, measure: Measure, regency: str) -> list[Point]:
        """A count week by week, as the latest edition knows it.

        Of the province an edition holds every week. Of a regency it holds its own week and the one
        before: the others are those of the editions of their weeks, corrected by what the latest
        edition restates; a week that no edition holds is not known.
        """
        points = []
        for week in self.weeks:
            found: list[tuple[int | None, str | None]] = [
                self.value(measure.code, category, regency, week) for category in measure.categories
            ]
            values = [value for value, _ in found if value is not None]
            is_known = len(values) == len(found)
            points.append(
                Point(
                    week,
                    sum(values) if is_known else None,
                    found[0][1] if is_known else None,
                    _reference(measure, regency, "week", week) if is_known else "",
                )
            )
        first = next((n for n, point in enumerate(points) if point.value is not None), 0)
        return points[first:]

    def value(
        self, code: str, category: str, regency: str, week: str
    ) -> tuple[int | None, str | None]:
        """A week's count of one figure and the edition that holds it."""
        if regency == PROVINCE:
            return dict(self.e.trend.get((code, category), ())).get(week), self.e.edition_id
        key = code, category, regency
        own = self.newest.get(week)
        if own and key in own.figures:
            if (own.edition_id, *key) in self.restated:
                return self.restated[own.edition_id, *key], self.e.edition_id
            return own.figures[key].week, own.edition_id
        after = self.weeks[self.weeks.index(week) + 1 :][:1]
        later = self.newest.get(after[0]) if after else None
        if later and key in later.figures:
            return later.figures[key].previous, later.edition_id
        return None, None

    def series(
        self,
        measure: Measure,
        regency: str,
        *,
        name: str = "",
        identifier: str = "",
        top: int = 0,
    ) -> Series:
        """A count over time; with `top`, as of `charts.columns`, it is one of several pictures."""
        points = self.points(measure, regency)
        figure = self.figure(measure, regency)
        known = [point.value for point in points if point.value is not None]
        alt = (
            f"Diagram kolom {name or measure.name} tiap pekan; terendah {m.number(min(known))}, "
            f"tertinggi {m.number(max(known))}, pekan ini {m.number(figure.week)}. "
            "Semua angka ada di tabel data di bawahnya."
        )
        svg = charts.columns(
            [
                charts.Bar(
                    m.short_day(week_start(p.week_id)),
                    *(p.value, p.text),
                    f"Pekan {int(p.week_id[-2:])}, mulai {p.day}: {p.text}",
                )
                for p in points
            ],
            top=top,
        )
        return Series(
            identifier or measure.id,
            name or measure.name,
            f"Pekan {int(self.e.week_id[-2:])}: {m.number(figure.week)}, "
            f"{m.change(figure.week, figure.previous)}",
            svg,
            alt,
            "" if top else self.brief_source(measure),
            points,
            regency != PROVINCE,
        )

    def brief_source(self, measure: Measure) -> str:
        """The line beneath a picture."""
        return f"Sumber: {measure.source}. Keadaan data {_moment(self.e.as_of)}."

    # -- the front ---------------------------------------------------------------------------

    def front(self, editions: list[dict[str, Any]]) -> dict[str, Any]:
        about = next(e for e in editions if e["id"] == self.e.edition_id)
        themes, links = self.theme_table("")
        shown = [n for n, row in enumerate(themes.rows) if row[4].text != "0"][:8]
        return {
            "revision": self.e.revision,
            "folder": f"edisi/{self.e.edition_id}/",
            "main_files": about["main_files"],
            "stats": self.stats([*MEASURES[:1], *MEASURES[3:]], PROVINCE),
            "map": self.d.charts[0],
            "trend": self.series(_VIOLATION, PROVINCE),
            "restated": about["states"] if about["states"] != "0" else "",
            "earlier": [
                e for e in editions if e["id"] != self.e.edition_id and not e["replaced_by"]
            ][:6],
            "places": self.place_table(),
            "place_links": self.place_links(""),
            "themes": Table(
                0, "", f"{len(shown)} tema tersering sejak awal masa kampanye", themes.columns,
                [themes.rows[n] for n in shown], themes.source, notes=themes.notes,
            ),
            "theme_links": [links[n] for n in shown],
        }  # fmt: skip

    def section(self, identifier: str) -> Section:
        """A chapter of the latest edition."""
        return next(s for s in self.d.sections if s.id == identifier)

    def source(self, key: str) -> str:
        """The line beneath a table."""
        done = self.e.figure("district_submitted").week
        of = self.e.figure("district_expected").week
        return m.TEXT["source"].format(
            source=m.TEXT[key],
            as_of=m.moment(self.e.as_of),
            submitted=m.number(done),
            expected=m.number(of),
            percent=m.percent(done, of),
        )

    # -- regencies ---------------------------------------------------------------------------

    def place_links(self, root: str) -> list[str]:
        return ["" if r.is_unknown else f"{root}{_place(r)}" for r in self.e.regencies]

    def place_table(self) -> Table:
        """Every regency's suspected violations and completeness."""

        def row(name: str, code: str) -> list[Cell]:
            done = self.e.figure("district_submitted", "ALL", code).week
            of = self.e.figure("district_expected", "ALL", code).week
            both = f"district_submitted/ALL/{code}/week district_expected/ALL/{code}/week"
            return [
                Cell(name),
                *self.cells(_VIOLATION, code),
                Cell(m.percent(done, of), True, f"percent {both}"),
            ]

        return Table(
            0,
            "",
            "Dugaan pelanggaran dan kelengkapan penyampaian menurut kabupaten/kota",
            [m.TEXT["regency"], *_HEADS, "Kelengkapan pekan ini"],
            [row(self.name(r), r.code) for r in self.e.regencies],
            self.source("source_register"),
            total=row(m.TEXT["province"], PROVINCE),
        )

    def places(self) -> Iterator[tuple[str, bytes]]:
        gaps = self.gaps()
        highest = max(
            (p.value or 0 for r in self.known for p in self.points(_VIOLATION, r.code)), default=0
        )
        yield self.page(
            "wilayah.html",
            "wilayah",
            places=self.place_table(),
            place_links=self.place_links(""),
            gaps=gaps,
            source=self.brief_source(_VIOLATION),
            series=[
                self.series(
                    _VIOLATION,
                    r.code,
                    name=self.name(r),
                    identifier=f"w-{r.code}",
                    top=highest,
                )
                for r in self.known
            ],
        )

        def neighbour(n: int) -> tuple[str, str] | None:
            near = self.known[n : n + 1] if n >= 0 else []
            return (self.name(near[0]), f"{near[0].code}.html") if near else None

        for n, r in enumerate(self.known):
            themes, links = self.regency_themes(r)
            yield self.page(
                _place(r),
                "satu-wilayah",
                "wilayah.html",
                name=r.name,
                stats=self.stats([*MEASURES[:1], *MEASURES[3:]], r.code),
                gaps=gaps,
                series=[self.series(measure, r.code) for measure in MEASURES],
                tables=self.section(f"kab-{r.code.replace('.', '-')}").tables,
                themes=themes,
                theme_links=links,
                restated=self.lines(
                    [
                        s
                        for s in self.e.restatements
                        if s.period == "week" and s.regency_code == r.code
                    ]
                ),
                before=neighbour(n - 1),
                after=neighbour(n + 1),
            )

    def gaps(self) -> str:
        """Since when the editions hold the regencies' weeks."""
        points = self.points(_VIOLATION, self.known[0].code)
        text = (
            f"Angka wilayah tersedia mulai pekan {points[0].day}: dari edisi pekan itu, dikoreksi "
            "menurut pernyataan perubahan edisi terbaru."
        )
        if any(point.value is None for point in points):
            text += " Pekan yang tidak dimuat edisi mana pun ditandai garis."
        return text

    def regency_themes(self, regency: Regency) -> tuple[Table, list[str]]:
        rows = [
            (code, [Cell(self.e.issues[code]), *self.cells(_theme(code), regency.code)])
            for code in self.ranked()
            if self.e.figure("suspected_violation_by_issue", code, regency.code).to_date
        ]
        return (
            Table(
                0,
                "",
                f"{self.name(regency)}: dugaan pelanggaran menurut tema",
                [m.TEXT["theme"], *_HEADS],
                [cells for _, cells in rows],
                self.source("source_register"),
                notes=[m.TEXT["issue_note"]],
            ),
            [f"../tema/{code}.html" for code, _ in rows],
        )

    # -- themes ------------------------------------------------------------------------------

    def ranked(self) -> list[str]:
        """Theme codes, the most frequent since the first week first."""
        return sorted(
            self.e.issues,
            key=lambda code: (
                -self.e.figure("suspected_violation_by_issue", code).to_date,
                self.e.issues[code],
            ),
        )

    def theme_table(self, root: str) -> tuple[Table, list[str]]:
        """Every theme of the province, and the links to their pages."""
        ranked = self.ranked()
        return (
            Table(
                0,
                "",
                "Dugaan pelanggaran menurut tema, seluruh provinsi",
                [m.TEXT["theme"], *_HEADS],
                [[Cell(self.e.issues[c]), *self.cells(_theme(c), PROVINCE)] for c in ranked],
                self.source("source_register"),
                notes=[m.TEXT["issue_note"]],
            ),
            [f"{root}tema/{code}.html" for code in ranked],
        )

    def themes(self) -> Iterator[tuple[str, bytes]]:
        table, links = self.theme_table("")
        yield self.page("tema.html", "tema", themes=table, theme_links=links)
        ranked = self.ranked()
        for n, code in enumerate(ranked):
            measure = _theme(code)
            yield self.page(
                f"tema/{code}.html",
                "satu-tema",
                "tema.html",
                name=self.e.issues[code],
                stats=self.stats([measure], PROVINCE),
                series=self.series(measure, PROVINCE, name=self.e.issues[code]),
                places=Table(
                    0,
                    "",
                    f"Dugaan pelanggaran bertema “{self.e.issues[code]}”",
                    [m.TEXT["regency"], *_HEADS],
                    [[Cell(self.name(r)), *self.cells(measure, r.code)] for r in self.e.regencies],
                    self.source("source_register"),
                    total=[Cell(m.TEXT["province"]), *self.cells(measure, PROVINCE)],
                    notes=[m.TEXT["issue_note"]],
                ),
                place_links=self.place_links("../"),
                before=(self.e.issues[ranked[n - 1]], f"{ranked[n - 1]}.html") if n else None,
                after=(self.e.issues[ranked[n + 1]], f"{ranked[n + 1]}.html")
                if n + 1 < len(ranked)
                else None,
            )

    # -- all figures -------------------------------------------------------------------------

    def all_figures(self) -> Table:
        """Every figure of the province in the last weeks."""
        weeks = self.weeks[-_WEEKS:]
        names = m.category_names(self.e)
        order = list(m.FIGURES)
        rows = []
        for code, category in sorted(self.e.trend, key=lambda k: (order.index(k[0]), k[1])):
            values = dict(self.e.trend[code, category])
            rows.append(
                [
                    Cell(_named(code, names.get((code, category)))),
                    *(
                        Cell(m.number(values.get(week)), True, f"{code}/{category}/19/week@{week}")
                        for week in weeks
                    ),
                ]
            )
        return Table(
            0,
            "",
            f"Semua angka provinsi, {len(weeks)} pekan terakhir",
            [m.TEXT["figure"], *(m.short_day(week_start(week)) for week in weeks)],
            rows,
            self.source("source_all"),
            groups=[("", 1), ("Pekan mulai", len(weeks))],
        )


_HEADS = [m.TEXT[key] for key in ("this_week", "last_week", "difference", "to_date")]


def _theme(code: str) -> Measure:
    return Measure(f"tema-{code}", "Dugaan pelanggaran", "suspected_violation_by_issue", (code,))


def _place(regency: Regency) -> str:
    return f"wilayah/{regency.code}.html"


def _reference(measure: Measure, regency: str, period: str, week: str = "") -> str:
    """The frozen figures behind a number, as `pages.Cell`; `@` names another week."""
    return " ".join(
        f"{measure.code}/{category}/{regency}/{period}{week and '@' + week}"
        for category in measure.categories
    )


def _moment(value: datetime) -> str:
    """A moment in WIB where there is little room: `25 November 2024 06.00 WIB`."""
    local = value.astimezone(JAKARTA)
    return f"{m.day(local.date())} {local:%H.%M}{m.NBSP}WIB"


def _named(code: str, category: str | None) -> str:
    """`Dugaan pelanggaran menurut tema: Politik uang`."""
    return ": ".join(text for text in (m.FIGURES[code].name, category) if text)


def _new(restatements: Sequence[Restatement]) -> list[Restatement]:
    """The weekly figures that an edition is the first to restate."""
    return [r for r in restatements if r.period == "week" and not r.is_told]


def _points(one: Published) -> list[str]:
    """The main points as the press summary said them."""
    lines = one.quoted.get("siaran-pers.txt", b"").decode().splitlines()
    return [line.removeprefix("- ") for line in lines if line.startswith("- ")]
