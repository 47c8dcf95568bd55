"""The portal in one language: its editions, its words, and the frame of each page.

Modules beside this one write the pages: `home`, `archive`, `places`, `themes` and `method`; `pages`
writes the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lumbung.publication.chapters.builder import ChapterBuilder
from lumbung.publication.formats import render
from lumbung.publication.model.edition import Edition, Regency
from lumbung.publication.portal import calendar, card
from lumbung.publication.portal.published import Published
from lumbung.publication.translations.formatting import BY_LANGUAGE, Messages
from lumbung.registry import LANGUAGES

PRESS = {"id": "siaran-pers.txt", "en": "en/press-release.txt"}
"""The press text by language."""

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


@dataclass(frozen=True)
class Measure:
    """A count that the pages show over time: a metric, or the sum of categories of one."""

    id: str
    name: str
    code: str
    categories: tuple[str, ...] = ("ALL",)


class Site:
    """The published editions in one language, and what every page has.

    Attributes:
        all: the editions, by week and revision.
        newest: the newest revision of each week.
        latest: the newest edition as stored, `e` its content in the language, `d` its document, `b`
            the builder of its chapters and `m` the messages.
        restated: what the latest edition says now of a number of an earlier one.
        folder: of the language; empty for Indonesian.
        open_data: the portal's data files by path.

    """

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
            "notice": notice(self.e, self.m),
        }

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

    def press_points(self, one: Published) -> list[str]:
        """Return the main points of the press summary."""
        press = one.quoted.get(PRESS[self.e.language]) or one.quoted.get(PRESS["id"], b"")
        lines = press.decode().splitlines()
        return [line.removeprefix("- ") for line in lines if line.startswith("- ")]

    def place_links(self, home: str) -> list[str]:
        """Return the link to each regency's page; the unknown member has none."""
        return ["" if r.is_unknown else f"{home}{place_path(r)}" for r in self.e.regencies]


def notice(edition: Edition, m: Messages) -> str:
    """Return what every page says of a demo's edition."""
    decision = edition.decision
    return m.status(decision) if decision and decision.how == "demo" else ""


def place_path(regency: Regency) -> str:
    """Return the path of a regency's page within the language's folder."""
    return f"wilayah/{regency.code}.html"
