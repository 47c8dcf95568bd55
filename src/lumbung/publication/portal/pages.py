"""The portal's pages: a static site made of the published editions only.

The same editions give the same pages, byte for byte; only the notice that an edition is late
depends on the day. Sentences of an edition are quoted from its stored files; every number is in an
edition, and suppressed numbers are left out. Each language of the latest edition has pages of its
own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from itertools import groupby
from typing import Any
from urllib.parse import urlsplit

from lumbung.publication.chapters import front
from lumbung.publication.chapters.builder import ChapterBuilder
from lumbung.publication.formats import render
from lumbung.publication.model.document import Cell, Table
from lumbung.publication.model.edition import Edition
from lumbung.publication.portal import (
    archive,
    calendar,
    card,
    counts,
    data,
    home,
    method,
    places,
    themes,
)
from lumbung.publication.portal.published import Published
from lumbung.publication.portal.site import PRESS, PREVENTION, Site, notice
from lumbung.publication.proof.manifest import MANIFEST, PUBLIC_KEY
from lumbung.publication.translations.formatting import INDONESIAN

QUOTED = ("metadata.json", MANIFEST, PUBLIC_KEY, *PRESS.values(), *method.DICTIONARY.values())
"""The stored files that pages quote."""

_BECAME = (("became_IA", "IA"), ("became_TM", "TM"), ("became_LP", "LP"))
_WEEKS = 12  # columns of the table of all metrics
_FEED = 30  # entries


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
        of_language = Site(published, language, open_data, now)
        files |= {of_language.folder + path: page for path, page in _pages(of_language)}
    return files


def _pages(site: Site) -> Iterator[tuple[str, bytes]]:
    """Yield the path within the language's folder and the bytes of every page."""
    editions = [archive.about(site, one) for one in site.all]
    shown = editions[::-1]
    yield site.page("index.html", "index", **home.values(site, shown))
    yield site.page("arsip.html", "arsip", editions=shown)
    for one, about in zip(site.all, editions, strict=True):
        path = f"edisi/{about['id']}/index.html"
        yield site.page(path, "edisi", "arsip.html", **archive.values(site, one, about))
    yield from places.pages(site)
    yield from themes.pages(site)
    yield site.page(
        "tren.html",
        "tren",
        series=[counts.series(site, measure, site.e.area_code) for measure in site.measures],
        all=_all_metrics(site),
    )
    yield site.page(
        "unduhan.html",
        "unduhan",
        folder=f"edisi/{site.e.edition_id}/",
        files=archive.stored_files(site, site.latest),
        editions=shown,
        dataset=data.dataset(site.e),
        tidy=[
            (site.m[f"tidy_{name}"], f"{'../' * site.folder.count('/')}data/{path}")
            for name, path in data.ADDRESSES.items()
            if f"data/{path}" in site.open_data
        ],
    )
    yield site.page("metode.html", "metode", **method.values(site))
    if PREVENTION in site.nav:
        agenda = [*_agenda(site)]
        yield site.page("agenda.html", "agenda", needs=site.d.needs, agenda=agenda)
    if site.e.office.reporting:
        is_english = site.e.language == "en"
        channels = [
            (each.name, (is_english and each.text_en) or each.text, each.url)
            for each in site.e.office.reporting
        ]
        yield site.page("melapor.html", "melapor", channels=channels, became=_became(site))
    for one in site.all:
        yield f"kartu/{one.edition.edition_id}.png", edition_card(site, one.edition)
    yield "kalender.ics", calendar.releases([one.edition for one in site.all], site.m)
    yield (
        "umpan.xml",
        render.page(
            "portal/umpan.xml.j2",
            t=site.m,
            s=site.shared,
            entries=shown[:_FEED],
            updated=max(e["published_at"] for e in shown),
            language=site.e.language,
            root="../" * site.folder.count("/"),
            base=site.e.office.portal_url and site.e.office.portal_url + site.folder,
            # RFC 4151 requires a day on which the office held the address: its first edition's
            authority=f"{urlsplit(site.e.office.contact_url).hostname},"
            f"{site.all[0].edition.monday}",
        ),
    )


def edition_card(site: Site, edition: Edition) -> bytes:
    """Draw an edition's picture, of its own numbers alone (12 ms of CPU)."""
    m, e = site.m, replace(edition, language=site.e.language)
    b = ChapterBuilder(e)
    recaps = next(each for each in site.measures if each.code == "district_submitted")
    measures = (site.violation, *site.key_measures[1:2], recaps)
    region_map, _ = front.front_charts(b)
    return card.draw(
        language=e.language,
        publisher=e.office.name,
        title=m["title"],
        subtitle=m.subtitle(e),
        stats=[
            (each["name"], each["text"], each["change"])
            for each in counts.stats(site, [each for each in measures if e.has(each.code)], b)
        ],
        note=notice(e, m) or m("edition", edition_id=e.edition_id),
        region_map=region_map.svg,
        map_title=region_map.title,
    )


def _became(site: Site) -> list[tuple[str, str]]:
    """Return what became of the province's tips, zeros included; none where it is not known."""
    if site.e.tip_outcomes is None:
        return []
    outcomes = {"IA": site.b.total("tip", ["ALL"]).to_date} | site.e.tip_outcomes
    return [(site.m[name], site.m.number(outcomes[kind])) for name, kind in _BECAME]


def _agenda(site: Site) -> Iterator[Table]:
    """Yield a table for each period of the prevention that offices plan."""
    m, is_english = site.m, site.e.language == "en"
    heads = [m[f"agenda_{each}"] for each in ("regency", "themes", "form", "groups", "count")]
    for (start, end), plans in groupby(site.e.plans, key=lambda plan: (plan.start, plan.end)):
        rows = []
        for plan in plans:
            form = plan.form_en if is_english else plan.form
            groups = plan.groups_en if is_english else plan.groups
            names = [site.e.issues[code] for code in plan.issue_codes]
            texts = (m.listing(names), form, m.listing(groups))
            rows.append(
                [
                    Cell(site.b.place[plan.regency_code]),
                    *(Cell(text or m["agenda_any"]) for text in texts),
                    site.b.count(
                        plan.activities,
                        f"plan/{plan.regency_code}/{start}/{end}",
                        m["agenda_definition"],
                    ),
                ]
            )
        yield Table("", "", m.week_range(start, end), heads, rows, "", is_text=True)


def _all_metrics(site: Site) -> Table:
    """Return the table of all metrics of the province in the last weeks."""
    m, weeks = site.m, site.weeks[-_WEEKS:]
    order = list(m.metrics)
    rows = []
    for code, category in sorted(site.e.trend, key=lambda k: (order.index(k[0]), k[1])):
        values = dict(site.e.trend[code, category])
        key = f"{code}/{category}/{site.e.area_code}/week"
        cells = [Cell(m.number(values.get(b)), True, f"{key}@{b}") for b in weeks]
        rows.append([Cell(site.b.full_name(code, category)), *cells])
    return Table(
        *("", "", m("all_caption", count=len(weeks))),
        [m["metric"], *(m.short_day(site.e.days_of(week)[0]) for week in weeks)],
        rows,
        site.b.source("source_all"),
        notes=m.short_weeks(site.e, weeks),
        groups=[("", 1), (m["week_from"], len(weeks))],
    )
