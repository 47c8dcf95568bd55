"""An edition, its letter and the portal, to look at.

`python -m tests.support.look FOLDER` makes those of the sample, with several editions.
`python -m tests.support.look FOLDER HOME URL` copies those of a demo and adds its leadership sheet.
HOME is its LUMBUNG_HOME, URL what `lumbung db-url` prints. `pictures.py FOLDER` then takes the
pictures of the documentation.
"""

import pickle
import shutil
import sys
import tempfile
from pathlib import Path

from lumbung import database
from lumbung.local.postgres import EmbeddedPostgres
from lumbung.publication.delivery.sheet import leadership_sheet
from lumbung.publication.editions import freezing, review
from lumbung.publication.formats import render
from lumbung.publication.model import store
from lumbung.publication.portal import publish
from lumbung.settings import Settings
from tests.support.edition_sample import WEEK, fill, pass_checkpoint
from tests.support.homes import demo_home
from tests.support.published import publish_weeks

target = Path(sys.argv[1])
target.mkdir(parents=True, exist_ok=True)
if len(sys.argv) > 2:
    home, url = Path(sys.argv[2]), sys.argv[3]
    (edition,) = (home / "editions").iterdir()
    shutil.copytree(edition, target, dirs_exist_ok=True)
    shutil.copytree(home / "portal", target / "portal", dirs_exist_ok=True)
    found = store.load(edition.name, database_url=url)
    (target / "surat.html").write_text(render.letter(found)[1])
    office = Settings(home, Path(__file__).parents[2], None)
    sheet = leadership_sheet(found.edition_id, reader="pimpinan", settings=office, database_url=url)
    (target / "lembar.html").write_bytes(sheet.html)
    (target / "lembar.pdf").write_bytes(sheet.pdf)
    sys.exit()
with tempfile.TemporaryDirectory() as folder:
    postgres = EmbeddedPostgres(Path(folder))
    postgres.start()
    try:
        url = postgres.ensure_database("look")
        database.migrate(url)
        fill(url)
        settings = demo_home(Path(folder), Path(__file__).parents[2])
        edition_id = freezing.freeze(WEEK, settings=settings, database_url=url)
        (target / "draft.html").write_bytes(
            render.render(store.load(edition_id, database_url=url))["edisi.html"]
        )
        pass_checkpoint(url, edition_id)
        review.approve(edition_id, by="demo", how="demo", database_url=url)
        approved = store.load(edition_id, database_url=url)
        (target / "edition.pickle").write_bytes(pickle.dumps(approved))  # for render_elsewhere.py
        (target / "surat.html").write_text(render.letter(approved)[1])
        for name, content in render.render(approved).items():
            (target / name).parent.mkdir(exist_ok=True)
            (target / name).write_bytes(content)
        url = postgres.ensure_database("portal")
        database.migrate(url)
        fill(url)
        with database.connect(url) as connection:  # else the pictures' data are of today
            connection.execute(
                "alter table raw.batch alter landed_at set default '2024-11-25 05:00+07'"
            )
        publish_weeks(url, settings)
        publish.build(settings=settings, database_url=url)
        shutil.copytree(settings.portal, target / "portal", dirs_exist_ok=True)
    finally:
        postgres.stop()
