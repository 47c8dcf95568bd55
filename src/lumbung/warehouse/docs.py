"""Documentation of the tables for analysts: dbt's pages and the Data Docs.

`LUMBUNG_HOME/docs/` is a folder that any web server can serve: `index.html`, `dbt/index.html`
(tables, columns, lineage, in one file) and `checks/<suite>/index.html` (Great Expectations; written
by every run of a checkpoint).
"""

from __future__ import annotations

import html
import shutil
from datetime import datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from lumbung import database
from lumbung.errors import ServiceError
from lumbung.settings import JAKARTA, Settings
from lumbung.warehouse.build import AS_READERS_SEE, LOCK_WAIT
from lumbung.warehouse.build_lock import hold_builds_off
from lumbung.warehouse.dbt_runner import run_dbt

_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lumbung: documentation</title>
<meta name="viewport" content="width=device-width">
<style>body {{ font: 16px/1.5 system-ui, sans-serif; max-width: 40rem; margin: 2rem auto;
padding: 0 1rem; color-scheme: light dark }}</style></head>
<body><h1>Documentation of the warehouse</h1><ul>
{entries}
</ul></body></html>
"""


def write(*, settings: Settings, database_url: str) -> Path:
    """Generate dbt's documentation, and an index of it and of the existing Data Docs.

    Args:
        settings: name the dbt project and `LUMBUNG_HOME`.
        database_url: the warehouse, whose catalog the pages show.

    Returns:
        the index page.

    Raises:
        BuildError: when dbt cannot read the project or the database.
        ServiceError: when a build does not end in time.

    """
    folder = settings.docs
    (folder / "dbt").mkdir(parents=True, exist_ok=True)
    shutil.copyfile(_dbt_page(settings, database_url), folder / "dbt" / "index.html")
    entries = [("dbt/index.html", "Tables, columns and where they come from (dbt)")]
    entries += [
        (f"checks/{page.parent.name}/index.html", f"Checks at the checkpoint '{page.parent.name}'")
        for page in sorted(folder.glob("checks/*/index.html"))
    ]
    index = folder / "index.html"
    index.write_text(
        _PAGE.format(
            entries="\n".join(
                f'<li><a href="{address}">{html.escape(title)}</a>,'
                f" {_written(folder / address)}</li>"
                for address, title in entries
            )
        ),
        encoding="utf-8",
    )
    return index


def server(folder: Path, port: int = 0) -> ThreadingHTTPServer:
    """A web server for a folder, on the loopback interface only; port 0 takes a free port.

    Raises:
        ServiceError: when the port is taken.

    """
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    try:
        return ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError as error:
        raise ServiceError(
            f"port {port} cannot be used: {error.strerror}",
            where="lumbung docs",
            remediation="choose another with --port, or leave it out for a free one",
        ) from error


def _dbt_page(settings: Settings, database_url: str) -> Path:
    """Run `dbt docs generate` and return its page, which is a single file.

    No build runs beside it: the catalog would show schemas that are half built. Nor may one begin
    between two sessions of dbt: it would wait for the first, and the second would wait for it.
    """
    with database.session(database_url, application="lumbung docs") as connection:
        hold_builds_off(connection, LOCK_WAIT, command="lumbung docs")
        run_dbt(
            ["docs", "generate", "--static", *AS_READERS_SEE],
            settings=settings,
            database_url=database_url,
            target="docs",
        )
    return settings.home / "dbt" / "docs" / "static_index.html"


def _written(page: Path) -> str:
    moment = datetime.fromtimestamp(page.stat().st_mtime, JAKARTA)
    return f"{moment:%Y-%m-%d %H:%M} WIB"
