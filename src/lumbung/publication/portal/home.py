"""The portal's first page."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from lumbung.publication.portal import counts, places, themes
from lumbung.publication.portal.site import Site


def values(site: Site, editions: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what the first page prints about the latest and the earlier editions."""
    about = next(e for e in editions if e["id"] == site.e.edition_id)
    theme_table, links = themes.theme_table(site, "")
    shown = [n for n, row in enumerate(theme_table.rows) if row[4].value][:8]
    earlier = [e for e in editions if e["id"] != site.e.edition_id and not e["replaced_by"]]
    return {
        "revision": site.e.revision,
        "next": site.d.next_edition,
        "late_after": site.late_after.isoformat(),
        "is_late": site.is_late,
        "folder": f"edisi/{site.e.edition_id}/",
        "main_files": about["main_files"],
        "stats": counts.stats(site, site.key_measures, site.b),
        "map": site.d.charts[0],
        "trend": counts.series(site, site.violation, site.e.area_code),
        "restated": about["states"] if about["states"] != "0" else "",
        "nothing_restated": site.b.nothing_restated(),
        "earlier": earlier[:6],
        "places": places.place_table(site),
        "place_links": site.place_links(""),
        "themes": replace(
            theme_table,
            caption=site.m("themes_top", count=len(shown)),
            rows=[theme_table.rows[n] for n in shown],
        ),
        "theme_links": [links[n] for n in shown],
    }
