"""The portal's pages: a static site made of the published editions only.

The same editions give the same pages, byte for byte; only the notice that an edition is late
depends on the day. Sentences of an edition are quoted from its stored files; every number is in an
edition, and suppressed numbers are left out. Each language of the latest edition has pages of its
own.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from lumbung import registry
from lumbung.errors import PublicationError
from lumbung.publication.chapters import (
    activity,
    charts,
    front,
    handling,
    profile,
    record,
    regency,
)
from lumbung.publication.chapters.builder import OF_RECAPS, PERIODS, ChapterBuilder
from lumbung.publication.formats import render
from lumbung.publication.model.document import Cell, Section, Table
from lumbung.publication.model.edition import Edition, Regency, Restatement
from lumbung.publication.portal import calendar, card, data
from lumbung.publication.portal.published import Published
from lumbung.publication.proof.manifest import (
    MANIFEST,
    PROOF_FILES,
    PUBLIC_KEY,
    SIGNATURE,
    Manifest,
)
from lumbung.publication.translations.formatting import BY_LANGUAGE, INDONESIAN, NBSP, Messages, iso
from lumbung.registry import LANGUAGES
from lumbung.settings import JAKARTA

_PRESS = {"id": "siaran-pers.txt", "en": "en/press-release.txt"}
_DICTIONARY = {"id": "kamus-data.csv", "en": "en/data-dictionary.csv"}
QUOTED = ("metadata.json", MANIFEST, PUBLIC_KEY, *_PRESS.values(), *_DICTIONARY.values())
"""The stored files that pages quote."""

NAV = (
    ("nav_latest", "index.html"),
    ("nav_places", "wilayah.html"),
    ("nav_themes", "tema.html"),
    ("nav_trends", "tren.html"),
    ("nav_archive", "arsip.html"),
    ("nav_downloads", "unduhan.html"),
    ("nav_method", "metode.html"),
)
PREVENTION = "nav_prevention", "agenda.html"
"""The entry of the navigation where prevention is planned or needed."""
REPORT = "nav_report", "melapor.html"
"""The entry of the navigation where the office says how to report."""
_CONDITIONS = (
    *("issue_codes", "min_case_count", "trend_code", "is_marked", "max_done_count"),
    *("max_planned_count", "min_gap_count"),
)
"""The columns of the seed `prevention_rule` that are conditions; an empty one is none."""
_BECAME = (("became_IA", "IA"), ("became_TM", "TM"), ("became_LP", "LP"))
_LINES = 200  # of restatements on one page; the open data has all
_WEEKS = 12  # columns of the table of all metrics
_FEED = 30  # entries
_MAIN_FILES = {
    "id": {"edisi.pdf": "pdf", "edisi.html": "html", "edisi.xlsx": "xlsx"},
    "en": {"en/edition.pdf": "pdf", "en/edition.html": "html", "en/edition.xlsx": "xlsx"},
}
_OTHER_FILES = {
    "siaran-pers.txt": "about_press",
    "en/press-release.txt": "about_press",
    "data.json": "about_json",
    "metadata.json": "about_metadata",
    "kamus-data.csv": "about_dictionary",
    "en/data-dictionary.csv": "about_dictionary",
    MANIFEST: "about_manifest",
    SIGNATURE: "about_signature",
    PUBLIC_KEY: "about_public_key",
}


@dataclass(frozen=True)
class Measure:
    """A count that the pages show over time: a metric, or the sum of categories of one."""

    id: str
    name: str
    code: str
    categories: tuple[str, ...] = ("ALL",)


@dataclass(frozen=True)
class Point:
    """A week of a series; `edition_id` says which edition holds the value (None: not known)."""

    week_id: str
    day: str
    value: int | None
    text: str
    edition_id: str | None
    reference: str


@dataclass(frozen=True)
class Series:
    """A metric over time: a chart and its numbers."""

    id: str
    name: str
    title: str
    svg: str
    alt: str
    source: str
    points: list[Point]
    has_editions: bool


def site(
    published: Sequence[Published],
    polygons: Mapping[str, Sequence[Any]] | None = None,
    *,
    now: datetime | None = None,
) -> dict[str, bytes]:
    """Return every page by its path; the files of an edition belong into `edisi/<edition_id>/`.

    Args:
        published: editions by week and revision; without any, the site is one page saying so.
        polygons: of each regency by its code, in degrees, where the office has a boundary file.
        now: decides whether the next edition is late (aware); None: it is not.

    """
    files = {
        "portal.css": b"".join(
            (render.TEMPLATES / style).read_bytes()
            for style in ("buletin.css", "portal/portal.css")
        ),
        "portal.js": (render.TEMPLATES / "portal" / "portal.js").read_bytes(),
    }
    if not published:
        shared = {"publisher": INDONESIAN["title"], "contact": "", "licence": ""}
        shared |= {"licence_url": "", "notice": ""}
        place = {
            "root": "",
            "home": "",
            "page": "index.html",
            "part": "",
            "others": (),
            "nav": (),
            "link": None,
        }
        page = render.page("portal/kosong.html.j2", t=INDONESIAN, s=shared, **place)
        return files | {"index.html": page}
    newest = max(published, key=lambda one: (one.edition.week_id, one.edition.revision))
    open_data = data.files(published, polygons or {})
    files |= open_data
    for language in newest.edition.office.languages:
        files |= _Site(published, language, open_data, now).files()
    return files


class _Site:
    """Writes the pages of a list of editions in one language."""

    def __init__(
        self,
        published: Sequence[Published],
        language: str,
        open_data: Mapping[str, bytes],
        now: datetime | None,
    ) -> None:
        self.all = list(published)
        self.open_data = open_data
        newest = {one.edition.week_id: one for one in self.all}
        self.newest = {week: one.edition for week, one in newest.items()}
        self.latest = newest[max(newest)]
        self.e = replace(self.latest.edition, language=language)
        self.d = render.document(self.e)
        self.late_after = calendar.late_after(self.e)
        self.is_late = now is not None and now >= self.late_after
        self.b = ChapterBuilder(self.e)
        self.m: Messages = self.b.m
        self.folder = "" if language == LANGUAGES[0] else f"{language}/"
        self.weeks = self.e.weeks
        self.restated = {
            (r.of_edition_id, r.metric_code, r.category_code, r.regency_code, r.period): r.new
            for r in self.e.restatements
        }
        m = self.m
        self.violation = Measure(
            "dugaan-pelanggaran", m.metrics["suspected_violation"].name, "suspected_violation"
        )
        self.measures = (
            self.violation,
            Measure("laporan", m["measure_reports"], "report_received", ("LP",)),
            Measure("temuan", self.b.kinds["TM"], "report_received", ("TM",)),
            Measure("informasi-awal", m.metrics["tip"].name, "tip"),
            Measure("kampanye", m["campaign_title"], "campaign_event"),
            Measure("pencegahan", m.metrics["prevention"].name, "prevention"),
            Measure("kecamatan", m["measure_recaps"], "district_submitted"),
        )
        self.key_measures = [self.violation, *self.measures[3:]]
        self.nav = (
            *NAV,
            *([PREVENTION] if self.e.plans or self.d.needs else []),
            *([REPORT] if self.e.office.reporting else []),
        )
        self.shared = {
            "publisher": self.d.publisher,
            "contact": self.d.contact,
            "licence": self.e.office.licence,
            "licence_url": self.e.office.licence_url,
            "notice": _notice(self.e, self.m),
        }

    def files(self) -> dict[str, bytes]:
        """Return the bytes of every page by its path."""
        return {self.folder + path: content for path, content in self.pages()}

    def pages(self) -> Iterator[tuple[str, bytes]]:
        """Yield the path within the language's folder and the bytes of every page."""
        editions = [self.about(one) for one in self.all]
        shown = editions[::-1]
        yield self.page("index.html", "index", **self.front(shown))
        yield self.page("arsip.html", "arsip", editions=shown)
        for one, about in zip(self.all, editions, strict=True):
            path = f"edisi/{about['id']}/index.html"
            yield self.page(path, "edisi", "arsip.html", **self.edition(one, about))
        yield from self.places()
        yield from self.themes()
        yield self.page(
            "tren.html",
            "tren",
            series=[self.series(measure, self.e.province) for measure in self.measures],
            all=self.all_metrics(),
        )
        yield self.page(
            "unduhan.html",
            "unduhan",
            folder=f"edisi/{self.e.edition_id}/",
            files=self.described(self.latest),
            editions=shown,
            dataset=data.dataset(self.e),
            tidy=[
                (self.m[f"tidy_{name}"], f"{'../' * self.folder.count('/')}data/{path}")
                for name, path in data.ADDRESSES.items()
                if f"data/{path}" in self.open_data
            ],
        )
        yield self.page("metode.html", "metode", **self.method())
        if PREVENTION in self.nav:
            agenda = [*self.agenda()]
            yield self.page("agenda.html", "agenda", needs=self.d.needs, agenda=agenda)
        if self.e.office.reporting:
            is_english = self.e.language == "en"
            channels = [
                (each.name, (is_english and each.text_en) or each.text, each.url)
                for each in self.e.office.reporting
            ]
            yield self.page("melapor.html", "melapor", channels=channels, became=self.became())
        for one in self.all:
            yield f"kartu/{one.edition.edition_id}.png", self.card(one.edition)
        yield "kalender.ics", calendar.releases([one.edition for one in self.all], self.m)
        yield (
            "umpan.xml",
            render.page(
                "portal/umpan.xml.j2",
                t=self.m,
                s=self.shared,
                entries=shown[:_FEED],
                updated=max(e["published_at"] for e in shown),
                language=self.e.language,
                root="../" * self.folder.count("/"),
                base=self.e.office.portal_url and self.e.office.portal_url + self.folder,
                # RFC 4151 requires a day on which the office held the address: its first edition's
                authority=f"{urlsplit(self.e.office.contact_url).hostname},"
                f"{self.all[0].edition.monday}",
            ),
        )

    def page(self, path: str, template: str, part: str = "", **values: Any) -> tuple[str, bytes]:
        """Return a page: its path, and its filled template.

        Args:
            path: within the language's folder.
            template: its name in `templates/portal`.
            part: the page of the navigation that it belongs to.
            values: what it says.

        """
        home = "../" * path.count("/")
        root = home + "../" * self.folder.count("/")
        languages = self.e.office.languages
        return path, render.page(
            f"portal/{template}.html.j2",
            t=self.m,
            s=self.shared,
            d=self.d,
            nav=[(self.m[key], href) for key, href in self.nav],
            others=[
                (other, BY_LANGUAGE[other]["language_name"], f"{root}{folder}{path}")
                for other in languages
                if other != self.e.language
                for folder in ["" if other == LANGUAGES[0] else f"{other}/"]
            ],
            root=root,
            home=home,
            page=path,
            part=part,
            latest=self.e.edition_id,
            short_weeks=self.m.short_weeks(self.e, self.weeks),
            link=self.link(path, values.get("e")),
            **values,
        )

    def link(self, path: str, about: dict[str, Any] | None) -> dict[str, Any] | None:
        """Return what a message shows for a link to a page; None where no address is configured.

        Args:
            path: within the language's folder.
            about: the edition that the page is about; None: the latest.

        """
        base = self.e.office.portal_url
        if base is None:
            return None
        points = about["points"] if about else self.press_points(self.latest)
        return {
            "address": f"{base}{self.folder}{path.removesuffix('index.html')}",
            "description": points[0] if points else self.m["data_description"],
            # an earlier edition's page does not show the numbers of the latest
            "image": f"{base}{self.folder}kartu/{about['id'] if about else self.e.edition_id}.png",
            "width": card.WIDTH,
            "height": card.HEIGHT,
        }

    def card(self, edition: Edition) -> bytes:
        """Draw an edition's picture, of its own numbers alone (12 ms of CPU)."""
        m, e = self.m, replace(edition, language=self.e.language)
        b = ChapterBuilder(e)
        recaps = next(each for each in self.measures if each.code == "district_submitted")
        measures = (self.violation, *self.key_measures[1:2], recaps)
        region_map, _ = front.front_charts(b)
        return card.draw(
            language=e.language,
            publisher=e.office.name,
            title=m["title"],
            subtitle=m.subtitle(e),
            stats=[
                (each["name"], each["text"], each["change"])
                for each in self.stats([each for each in measures if e.has(each.code)], b)
            ],
            note=_notice(e, m) or m("edition", edition_id=e.edition_id),
            region_map=region_map.svg,
            map_title=region_map.title,
        )

    # -- editions ----------------------------------------------------------------------------

    def about(self, one: Published) -> dict[str, Any]:
        """Return what lists of editions print about one."""
        e, m = one.edition, self.m
        newest = self.newest[e.week_id]
        files = self.described(one)
        if e.decision is None:
            raise PublicationError(
                "a published edition has no decision",
                where=f"edition {e.edition_id}",
                remediation="find who wrote to schema published",
            )
        return {
            "id": e.edition_id,
            "revision": e.revision,
            "subtitle": m.subtitle(e),
            "as_of": m.moment(e.data_at),
            "as_of_short": self.short_moment(e.data_at),
            "frozen_at": m.moment(e.frozen_at),
            "published_at": iso(e.decision.decided_at),
            "status": m.status(e.decision),
            "content_hash": e.content_hash,
            **_proof(one),
            "replaced_by": newest.edition_id if newest is not e else "",
            "states": m.number(len(e.new_restatements)),
            "changed": m.number(len(self.changed(e))),
            "main_files": [*self.main(e, files)],
            "all_files": files,
            "points": self.press_points(one),
        }

    def press_points(self, one: Published) -> list[str]:
        """Return the main points of the press summary."""
        press = one.quoted.get(_PRESS[self.e.language]) or one.quoted.get(_PRESS["id"], b"")
        lines = press.decode().splitlines()
        return [line.removeprefix("- ") for line in lines if line.startswith("- ")]

    def changed(self, e: Edition) -> list[Restatement]:
        """Return the weekly metrics of an edition that differ in the latest edition."""
        return [
            r
            for r in self.e.restatements
            if r.period != "to_date" and r.of_edition_id == e.edition_id and r.new != r.old
        ]

    def edition(self, one: Published, about: dict[str, Any]) -> dict[str, Any]:
        """Return what the page of an edition prints."""
        m = self.m
        stated, changed = one.edition.new_restatements, self.changed(one.edition)
        return {
            "e": about,
            "stated": self.revisions(m("stated_caption", count=about["states"]), stated),
            "stated_rest": m.number(len(stated) - _LINES) if len(stated) > _LINES else "",
            "changed": self.revisions(
                m("changed_caption", count=about["changed"], edition=self.e.edition_id), changed, 1
            ),
            "changed_rest": m.number(len(changed) - _LINES) if len(changed) > _LINES else "",
        }

    def revisions(self, caption: str, restatements: Sequence[Restatement], first: int = 0) -> Table:
        """Return restatements as printed, the province first, from column `first` on."""
        heads, rows = record.revisions(self.b, record.by_edition(self.b, restatements))
        shown = [cells[first:] for cells in rows[:_LINES]]
        return Table("", "", caption, heads[first:], shown, "", is_text=True)

    def described(self, one: Published) -> list[dict[str, Any]]:
        """Return an edition's files as printed, the main ones first."""
        m, main = self.m, _MAIN_FILES[self.e.language] | {"data/angka.csv": "csv"}
        titles = {
            name: f"about_{kind}" for kinds in _MAIN_FILES.values() for name, kind in kinds.items()
        } | _OTHER_FILES
        order = {name: n for n, name in enumerate(dict.fromkeys([*main, *titles]))}
        described = []
        for file in sorted(one.files, key=lambda f: (order.get(f.name, len(order)), f.name)):
            kind = main.get(file.name, "")
            data = f"data_{file.name.removeprefix('data/').removesuffix('.csv')}"
            if part := re.search(r"-(\d+)\.pdf$", file.name):
                about = m("about_part", number=int(part[1]))
            else:
                about = m[f"about_{kind}" if kind else titles.get(file.name, data)]
            language = "en" if file.name.startswith("en/") else LANGUAGES[0]
            is_localized = part or (
                file.name in titles and file.name not in ("data.json", *PROOF_FILES)
            )
            if is_localized and language != self.e.language:
                about = m(f"about_in_{language}", about=about)
            described.append(
                {
                    "name": file.name,
                    "kind": kind.upper(),
                    "short": m[f"short_{kind}"] if kind else "",
                    "about": about,
                    "size": self.size(file.byte_count),
                    "byte_count": file.byte_count,
                    "sha256": file.sha256,
                    "is_page": file.name.endswith((".html", ".pdf")),
                    "download": f"{one.edition.edition_id}-{file.name.replace('/', '-')}",
                }
            )
        return described

    def main(self, e: Edition, files: Sequence[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        """Yield an edition's main files with their addresses; as CSV the tidy table."""
        for file in files:
            if file["kind"] == "CSV":
                path = f"data/{e.edition_id}/angka.csv"
                yield file | {"href": path, "size": self.size(len(self.open_data[path]))}
            elif file["kind"]:
                yield file | {"href": f"edisi/{e.edition_id}/{file['name']}"}

    def size(self, byte_count: int) -> str:
        """Return the size of a file as printed."""
        return f"{self.m.number(-(-byte_count // 1000))}{NBSP}kB"

    def method(self) -> dict[str, Any]:
        """Return the latest edition's method, quoted from its metadata and data dictionary."""
        language, quoted = self.e.language, self.latest.quoted
        meta = json.loads(quoted["metadata.json"])
        suffix = "" if language == LANGUAGES[0] else f"_{language}"
        rows = csv.reader(io.StringIO(quoted[_DICTIONARY[language]].decode()))
        return {
            "meta": meta,
            "rules": self.m.method(self.e),
            "metrics": [
                {
                    "code": metric["kode"],
                    "name": metric[f"nama{suffix}"],
                    "definition": metric[f"definisi{suffix}"],
                    "unit": self.m.metrics[metric["kode"]].unit,
                    "source": self.m[self.m.metrics[metric["kode"]].source],
                }
                for metric in meta["angka"]
            ],
            "dictionary": [*rows][1:],
            "suggestions": self.suggestion_rules() if self.d.needs else None,
            "threshold": self.e.office.small_cell_threshold,
        }

    def suggestion_rules(self) -> Table:
        """Return the table of the rules that suggest a step, as the office has them now."""
        m, is_english = self.m, self.e.language == "en"

        def condition(column: str, value: str) -> str:
            if column == "issue_codes":
                value = m.listing([self.e.issues.get(code, code) for code in value.split()])
            elif column == "trend_code":
                value = m[value]
            return m(f"rules_{column}", value=value)

        rows = [
            [
                Cell(rule["rule_code"]),
                Cell("; ".join(condition(name, rule[name]) for name in _CONDITIONS if rule[name])),
                Cell(rule["suggestion_en" if is_english else "suggestion"]),
            ]
            for rule in sorted(registry.seed("prevention_rule"), key=lambda r: int(r["precedence"]))
            if rule["is_active"] == "true"
        ]
        heads = [m[f"rules_{head}"] for head in ("code", "conditions", "step")]
        return Table("", "", m["rules_caption"], heads, rows, "", is_text=True)

    # -- metrics -----------------------------------------------------------------------------

    def cells(self, measure: Measure, regency: str) -> list[Cell]:
        """Return a metric's cells: week, previous week, difference, and since the first week."""
        return [self.b.sum_cell(measure.code, measure.categories, regency, p) for p in PERIODS]

    def stats(
        self, measures: Sequence[Measure], b: ChapterBuilder, regency: str = ""
    ) -> list[dict[str, str]]:
        """Return key metrics: the week's count, its change, and the count since the first week.

        Args:
            measures: what is counted.
            b: the builder of the edition that counts.
            regency: its code; empty: the province.

        """
        m, regency = self.m, regency or b.e.province
        stats = []
        for measure in measures:
            week, previous, difference, to_date = (
                b.sum_cell(measure.code, measure.categories, regency, p) for p in PERIODS
            )
            change = m("stat_previous", previous=previous.text, difference=difference.text)
            since = m("stat_to_date", to_date=to_date.text)
            if difference.value is None:
                change = m["change_unknown"]
            if measure.code in OF_RECAPS and not b.has_recaps(regency):
                change = m["stat_no_recap"]
            if measure.code == "district_submitted":
                done, of = b.submitted(regency)
                change, since = m("stat_of", of=m.number(of), percent=m.percent(done, of)), ""
            stats.append(
                {
                    "name": measure.name,
                    "text": week.text,
                    "change": change,
                    "to_date": since,
                    "reference": week.metric,
                }
            )
        return stats

    def points(self, measure: Measure, regency: str) -> list[Point]:
        """Return a count by week, as in the latest edition.

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
            value = sum(values) if len(values) == len(found) else None
            references = (f"{measure.code}/{c}/{regency}/week@{week}" for c in measure.categories)
            points.append(
                Point(
                    week,
                    self.m.day(self.e.days_of(week)[0]),
                    *(value, self.m.number(value)),
                    found[0][1] if value is not None else None,
                    " ".join(references) if value is not None else "",
                )
            )
        first = next((n for n, point in enumerate(points) if point.value is not None), 0)
        return points[first:]

    def value(
        self, code: str, category: str, regency: str, week: str
    ) -> tuple[int | None, str | None]:
        """Return a week's count of one metric and the edition that holds it."""
        if regency == self.e.province:
            return dict(self.e.trend.get((code, category), ())).get(week), self.e.edition_id
        key = code, category, regency
        own = self.newest.get(week)
        if own and key in own.metrics:
            if (own.edition_id, *key, "week") in self.restated:
                return self.restated[own.edition_id, *key, "week"], self.e.edition_id
            return own.metrics[key].week, own.edition_id
        after = self.weeks[self.weeks.index(week) + 1 :][:1]
        later = self.newest.get(after[0]) if after else None
        if later and key in later.metrics:
            if (later.edition_id, *key, week) in self.restated:
                return self.restated[later.edition_id, *key, week], self.e.edition_id
            return later.metrics[key].previous, later.edition_id
        return None, None

    def series(
        self, measure: Measure, regency: str, *, name: str = "", identifier: str = "", top: int = 0
    ) -> Series:
        """Return a count over time; `top` as in `charts.columns`, where charts share a scale."""
        m = self.m
        points = self.points(measure, regency)
        metric = self.b.total(measure.code, measure.categories, regency)
        known = [point.value for point in points if point.value is not None]
        bars = [
            charts.Bar(
                m.short_day(self.e.days_of(p.week_id)[0]),
                *(p.value, p.text),
                m("series_said", week=int(p.week_id[-2:]), day=p.day, value=p.text),
            )
            for p in points
        ]
        return Series(
            identifier or measure.id,
            name or measure.name,
            m(
                "series_title",
                week=int(self.e.week_id[-2:]),
                value=m.number(metric.week),
                change=self.b.moved_by_recaps(measure.code, regency)
                if measure.code in OF_RECAPS
                else self.b.moved(metric),
            ),
            charts.columns(bars, top=top),
            m(
                "series_alt",
                name=name or measure.name,
                lowest=m.number(min(known)),
                highest=m.number(max(known)),
                value=m.number(metric.week),
            ),
            "" if top else self.source(measure, regency),
            points,
            regency != self.e.province,
        )

    def source(self, measure: Measure, place: str = "") -> str:
        """Return the line below a chart."""
        return self.b.source(self.m.metrics[measure.code].source, place)

    def short_moment(self, value: datetime) -> str:
        """Format a moment in WIB briefly: `25 November 2024 06.00 WIB`."""
        local = value.astimezone(JAKARTA)
        day = self.m.day(local.date())
        return self.m("short_moment", day=day, hour=f"{local:%H}", minute=f"{local:%M}")

    # -- the front ---------------------------------------------------------------------------

    def front(self, editions: list[dict[str, Any]]) -> dict[str, Any]:
        """Return what the first page prints about the latest and the earlier editions."""
        about = next(e for e in editions if e["id"] == self.e.edition_id)
        themes, links = self.theme_table("")
        shown = [n for n, row in enumerate(themes.rows) if row[4].value][:8]
        return {
            "revision": self.e.revision,
            "next": self.d.next_edition,
            "late_after": self.late_after.isoformat(),
            "is_late": self.is_late,
            "folder": f"edisi/{self.e.edition_id}/",
            "main_files": about["main_files"],
            "stats": self.stats(self.key_measures, self.b),
            "map": self.d.charts[0],
            "trend": self.series(self.violation, self.e.province),
            "restated": about["states"] if about["states"] != "0" else "",
            "earlier": [
                e for e in editions if e["id"] != self.e.edition_id and not e["replaced_by"]
            ][:6],
            "places": self.place_table(),
            "place_links": self.place_links(""),
            "themes": replace(
                themes,
                caption=self.m("themes_top", count=len(shown)),
                rows=[themes.rows[n] for n in shown],
            ),
            "theme_links": [links[n] for n in shown],
        }

    def section(self, identifier: str) -> Section:
        """Return a chapter of the latest edition."""
        return next(s for s in self.d.sections if s.id == identifier)

    # -- regencies ---------------------------------------------------------------------------

    def place_links(self, home: str) -> list[str]:
        """Return the link to each regency's page; the unknown member has none."""
        return ["" if r.is_unknown else f"{home}{_place(r)}" for r in self.e.regencies]

    def place_table(self) -> Table:
        """Return the table of suspected violations and completeness by regency."""
        rows, total = self.b.by_regency(
            lambda code: [*self.cells(self.violation, code), self.b.recaps(code)]
        )
        m = self.m
        return self.b.compared(
            Table(
                *("", "", m["places_caption"]),
                [m["regency"], *self.b.period_heads, m["places_recaps"]],
                rows,
                self.b.source("source_register"),
                total=total,
            )
        )

    def places(self) -> Iterator[tuple[str, bytes]]:
        """Yield a page of all regencies, and one for each."""
        m, known = self.m, self.b.known
        gaps = self.gaps()
        highest = max(
            (p.value or 0 for r in known for p in self.points(self.violation, r.code)), default=0
        )
        yield self.page(
            "wilayah.html",
            "wilayah",
            places=self.place_table(),
            place_links=self.place_links(""),
            beside=[*handling.participation(self.b), *profile.vulnerability(self.b)],
            gaps=gaps,
            source=self.source(self.violation),
            series=[
                self.series(
                    *(self.violation, r.code),
                    name=self.b.place[r.code],
                    identifier=f"w-{r.code}",
                    top=highest,
                )
                for r in known
            ],
        )
        near = [(self.b.place[r.code], f"{r.code}.html") for r in known]
        for n, r in enumerate(known):
            themes, links = self.regency_themes(r)
            identifier = r.code.replace(".", "-")
            section = self.section(f"kab-{identifier}")
            brief = next(s for s in self.d.bulletin if s.id == f"ringkas-{identifier}")
            restated = [
                s for s in self.e.restatements if s.period != "to_date" and s.regency_code == r.code
            ]
            caption = m("regency_restated", count=m.number(len(restated)))
            table = self.revisions(caption, restated)
            yield self.page(
                _place(r),
                "satu-wilayah",
                "wilayah.html",
                name=regency.title(self.b, r),
                stats=self.stats(self.key_measures, self.b, r.code),
                gaps=gaps,
                series=[
                    self.series(measure, r.code)
                    for measure in self.measures
                    if not registry.metrics()[measure.code].is_detail
                ],
                brief=brief.lead,
                # the note of the printed table is of the PDF
                needs=[replace(t, notes=[m["need_note"]]) for t in brief.tables],
                tables=section.tables,
                said=section.paragraphs,
                themes=themes,
                theme_links=links,
                restated=table,
                before=near[n - 1] if n else None,
                after=near[n + 1] if n + 1 < len(near) else None,
            )

    def gaps(self) -> str:
        """Say since when editions hold weeks by regency, and which weeks are shorter."""
        points = self.points(self.violation, self.b.known[0].code)
        text = self.m("gaps_since", day=points[0].day)
        if any(point.value is None for point in points):
            text += f" {self.m['gaps_line']}"
        return " ".join([text, *self.m.short_weeks(self.e, (point.week_id for point in points))])

    def regency_themes(self, regency: Regency) -> tuple[Table, list[str]]:
        """Return a regency's themes with at least one case, and the links to their pages."""
        m = self.m
        themes = [
            (code, [Cell(self.e.issues[code]), *self.cells(self.theme(code), regency.code)])
            for code in self.ranked()
            if self.e.metric("suspected_violation_by_issue", code, regency.code).to_date
        ]
        table = Table(
            *("", "", m("regency_themes_caption", name=self.b.place[regency.code])),
            [m["theme"], *self.b.period_heads],
            [cells for _, cells in themes],
            self.b.source("source_register", regency.code),
            notes=[m["issue_note"]],
        )
        return self.b.compared(table), [f"../tema/{code}.html" for code, _ in themes]

    # -- themes ------------------------------------------------------------------------------

    def theme(self, code: str) -> Measure:
        """Return the measure of a theme's suspected violations."""
        name = self.violation.name
        return Measure(f"tema-{code}", name, "suspected_violation_by_issue", (code,))

    def ranked(self) -> list[str]:
        """Return the codes of themes, the most frequent since the first week first."""
        return [code for code, _, _ in self.b.ranked_issues("to_date")]

    def theme_table(self, home: str) -> tuple[Table, list[str]]:
        """Return the table of the province's themes, and the links to their pages."""
        m, ranked = self.m, self.ranked()
        table = Table(
            *("", "", m["themes_caption"]),
            [m["theme"], *self.b.period_heads],
            [[Cell(self.e.issues[c]), *self.cells(self.theme(c), self.e.province)] for c in ranked],
            self.b.source("source_register"),
            notes=[m["issue_note"]],
        )
        return self.b.compared(table), [f"{home}tema/{code}.html" for code in ranked]

    def themes(self) -> Iterator[tuple[str, bytes]]:
        """Yield a page of all themes, and one for each."""
        m = self.m
        table, links = self.theme_table("")
        tables, paragraphs = activity.effects(self.b)
        yield self.page(
            *("tema.html", "tema"),
            themes=table,
            theme_links=links,
            effects=tables,
            effects_absent=paragraphs,
        )
        ranked = self.ranked()
        near = [(self.e.issues[code], f"{code}.html") for code in ranked]
        for n, code in enumerate(ranked):
            rows, total = self.b.by_regency(partial(self.cells, self.theme(code)))
            yield self.page(
                f"tema/{code}.html",
                "satu-tema",
                "tema.html",
                name=self.e.issues[code],
                stats=self.stats([self.theme(code)], self.b),
                series=self.series(self.theme(code), self.e.province),
                places=self.b.compared(
                    Table(
                        *("", "", m("theme_caption", name=self.e.issues[code])),
                        [m["regency"], *self.b.period_heads],
                        rows,
                        self.b.source("source_register"),
                        total=total,
                        notes=[m["issue_note"]],
                    )
                ),
                place_links=self.place_links("../"),
                before=near[n - 1] if n else None,
                after=near[n + 1] if n + 1 < len(near) else None,
            )

    def became(self) -> list[tuple[str, str]]:
        """Return what became of the province's tips, zeros included; none where it is not known."""
        if self.e.tip_outcomes is None:
            return []
        counts = {"IA": self.b.total("tip", ["ALL"]).to_date} | self.e.tip_outcomes
        return [(self.m[name], self.m.number(counts[kind])) for name, kind in _BECAME]

    # -- what is planned ---------------------------------------------------------------------

    def agenda(self) -> Iterator[Table]:
        """Yield a table for each period of the prevention that offices plan."""
        m, is_english = self.m, self.e.language == "en"
        heads = [m[f"agenda_{each}"] for each in ("regency", "themes", "form", "groups", "count")]
        for (start, end), plans in groupby(self.e.plans, key=lambda plan: (plan.start, plan.end)):
            rows = []
            for plan in plans:
                form = plan.form_en if is_english else plan.form
                groups = plan.groups_en if is_english else plan.groups
                themes = [self.e.issues[code] for code in plan.issue_codes]
                texts = (m.listing(themes), form, m.listing(groups))
                rows.append(
                    [
                        Cell(self.b.place[plan.regency_code]),
                        *(Cell(text or m["agenda_any"]) for text in texts),
                        self.b.count(
                            plan.activities,
                            f"plan/{plan.regency_code}/{start}/{end}",
                            m["agenda_definition"],
                        ),
                    ]
                )
            yield Table("", "", m.week_range(start, end), heads, rows, "", is_text=True)

    # -- all metrics -------------------------------------------------------------------------

    def all_metrics(self) -> Table:
        """Return the table of all metrics of the province in the last weeks."""
        m, weeks = self.m, self.weeks[-_WEEKS:]
        order = list(m.metrics)
        rows = []
        for code, category in sorted(self.e.trend, key=lambda k: (order.index(k[0]), k[1])):
            values = dict(self.e.trend[code, category])
            key = f"{code}/{category}/{self.e.province}/week"
            counts = [Cell(m.number(values.get(b)), True, f"{key}@{b}") for b in weeks]
            rows.append([Cell(self.b.full_name(code, category)), *counts])
        return Table(
            *("", "", m("all_caption", count=len(weeks))),
            [m["metric"], *(m.short_day(self.e.days_of(week)[0]) for week in weeks)],
            rows,
            self.b.source("source_all"),
            notes=m.short_weeks(self.e, weeks),
            groups=[("", 1), (m["week_from"], len(weeks))],
        )


def _notice(edition: Edition, m: Messages) -> str:
    """Return what every page says of a demo's edition."""
    decision = edition.decision
    return m.status(decision) if decision and decision.how == "demo" else ""


def _place(regency: Regency) -> str:
    return f"wilayah/{regency.code}.html"


def _proof(one: Published) -> dict[str, str]:
    """Return an edition's root hash and the key that signed it; empty where it is not signed."""
    manifest, key = one.quoted.get(MANIFEST), one.quoted.get(PUBLIC_KEY)
    if manifest is None or key is None:
        return {"root": "", "key": ""}
    return {"root": Manifest(manifest).root, "key": key.decode().splitlines()[-1]}
