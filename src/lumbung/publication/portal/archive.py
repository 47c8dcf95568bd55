"""The pages of the published editions: their files, points, proofs and restatements."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from lumbung.errors import PublicationError
from lumbung.publication.chapters import record
from lumbung.publication.chapters.builder import ChapterBuilder
from lumbung.publication.model.document import Table
from lumbung.publication.model.edition import Edition, Restatement
from lumbung.publication.portal.published import Published
from lumbung.publication.portal.site import Site
from lumbung.publication.proof.manifest import (
    MANIFEST,
    PROOF_FILES,
    PUBLIC_KEY,
    SIGNATURE,
    Manifest,
)
from lumbung.publication.translations.formatting import NBSP, iso
from lumbung.registry import LANGUAGES
from lumbung.settings import JAKARTA

_LINES = 200  # of restatements on one page; the open data has all
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


def about(site: Site, one: Published) -> dict[str, Any]:
    """Return what lists of editions print about one."""
    e, m = one.edition, site.m
    newest = site.newest[e.week_id]
    files = stored_files(site, one)
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
        "as_of_short": _short_moment(site, e.data_at),
        "frozen_at": m.moment(e.frozen_at),
        "published_at": iso(e.decision.decided_at),
        "status": m.status(e.decision),
        "content_hash": e.content_hash,
        **_proof(one),
        "replaced_by": newest.edition_id if newest is not e else "",
        "states": m.number(len(e.new_restatements)),
        "changed": m.number(len(changed_since(site, e))),
        "main_files": [*_main_files(site, e, files)],
        "all_files": files,
        "points": site.press_points(one),
    }


def changed_since(site: Site, e: Edition) -> list[Restatement]:
    """Return the weekly metrics of an edition that differ in the latest edition."""
    return [
        r
        for r in site.e.restatements
        if r.period != "to_date" and r.of_edition_id == e.edition_id and r.new != r.old
    ]


def values(site: Site, one: Published, about: dict[str, Any]) -> dict[str, Any]:
    """Return what the page of an edition prints."""
    m = site.m
    stated, changed = one.edition.new_restatements, changed_since(site, one.edition)
    own = ChapterBuilder(replace(one.edition, language=site.e.language))
    return {
        "e": about,
        "stated": revisions(site, m("stated_caption", count=about["states"]), stated),
        "nothing_restated": own.nothing_restated(),
        "stated_rest": m.number(len(stated) - _LINES) if len(stated) > _LINES else "",
        "changed": revisions(
            site,
            m("changed_caption", count=about["changed"], edition=site.e.edition_id),
            changed,
            1,
        ),
        "changed_rest": m.number(len(changed) - _LINES) if len(changed) > _LINES else "",
    }


def revisions(
    site: Site, caption: str, restatements: Sequence[Restatement], first: int = 0
) -> Table:
    """Return restatements as printed, the province first, from column `first` on."""
    heads, rows = record.revisions(site.b, record.by_edition(site.b, restatements))
    shown = [cells[first:] for cells in rows[:_LINES]]
    return Table("", "", caption, heads[first:], shown, "", is_text=True)


def stored_files(site: Site, one: Published) -> list[dict[str, Any]]:
    """Return an edition's files as printed, the main ones first."""
    m, main = site.m, _MAIN_FILES[site.e.language] | {"data/angka.csv": "csv"}
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
        if is_localized and language != site.e.language:
            about = m(f"about_in_{language}", about=about)
        described.append(
            {
                "name": file.name,
                "kind": kind.upper(),
                "short": m[f"short_{kind}"] if kind else "",
                "about": about,
                "size": _size(site, file.byte_count),
                "byte_count": file.byte_count,
                "sha256": file.sha256,
                "is_page": file.name.endswith((".html", ".pdf")),
                "download": f"{one.edition.edition_id}-{file.name.replace('/', '-')}",
            }
        )
    return described


def _main_files(
    site: Site, e: Edition, files: Sequence[dict[str, Any]]
) -> Iterator[dict[str, Any]]:
    """Yield an edition's main files with their addresses; as CSV the tidy table."""
    for file in files:
        if file["kind"] == "CSV":
            path = f"data/{e.edition_id}/angka.csv"
            yield file | {"href": path, "size": _size(site, len(site.open_data[path]))}
        elif file["kind"]:
            yield file | {"href": f"edisi/{e.edition_id}/{file['name']}"}


def _size(site: Site, byte_count: int) -> str:
    """Return the size of a file as printed."""
    return f"{site.m.number(-(-byte_count // 1000))}{NBSP}kB"


def _short_moment(site: Site, value: datetime) -> str:
    """Format a moment in WIB briefly: `25 November 2024 06.00 WIB`."""
    local = value.astimezone(JAKARTA)
    day = site.m.day(local.date())
    return site.m("short_moment", day=day, hour=f"{local:%H}", minute=f"{local:%M}")


def _proof(one: Published) -> dict[str, str]:
    """Return an edition's root hash and the key that signed it; empty where it is not signed."""
    manifest, key = one.quoted.get(MANIFEST), one.quoted.get(PUBLIC_KEY)
    if manifest is None or key is None:
        return {"root": "", "key": ""}
    return {"root": Manifest(manifest).root, "key": key.decode().splitlines()[-1]}
