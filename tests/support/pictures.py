"""The documentation's pictures of a demo that `look.py` copied: `tests.support.pictures FOLDER`.

Needs Chromium, and pdftoppm (Debian: poppler-utils).
"""

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

looked = Path(sys.argv[1]).resolve()
pictures = Path(__file__).parents[2] / "docs" / "pictures"
SCREENS = {  # page, width, height, dark, what is scrolled to
    "edition-desktop.png": ("edisi.html", 1100, 900, False, ""),
    "edition-phone.png": ("edisi.html", 390, 1500, False, ""),
    "edition-dark.png": ("edisi.html", 390, 1500, True, "#tabel-1"),
    "sheet-phone.png": ("lembar.html", 390, 1500, False, ""),
    "mail.png": ("surat.html", 760, 1120, False, ""),
    "mail-phone.png": ("surat.html", 390, 1120, False, ""),
    "portal-agenda.png": ("portal/agenda.html", 390, 1500, False, ""),
    "portal-terbaru.png": ("portal/index.html", 1080, 1060, False, ""),
    "portal-gelap.png": ("portal/index.html", 1100, 900, True, "#peta"),
    "portal-ponsel.png": ("portal/index.html", 390, 844, True, ""),
    "portal-wilayah.png": ("portal/wilayah/19.71.html", 1080, 1200, False, ""),
}
with sync_playwright() as playwright, tempfile.TemporaryDirectory() as folder:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium"), args=["--no-sandbox"]
    )
    page = browser.new_page()
    for name, (path, width, height, is_dark, target) in SCREENS.items():
        page.set_viewport_size({"width": width, "height": height})
        page.emulate_media(color_scheme="dark" if is_dark else "light")
        page.goto((looked / path).as_uri() + target)
        page.screenshot(path=pictures / name)
    page.emulate_media(media="print")
    page.goto((looked / "portal" / "index.html").as_uri())
    printed = Path(folder) / "portal.pdf"
    page.pdf(path=printed, prefer_css_page_size=True)
    browser.close()
    for name, pdf, number in (
        ("edition-page-1", looked / "edisi.pdf", 1),
        ("edition-regency", looked / "edisi.pdf", 3),
        ("portal-cetak", printed, 1),
    ):
        subprocess.run(
            [
                "pdftoppm",
                "-r",
                "72",
                "-f",
                str(number),
                "-singlefile",
                "-png",
                pdf,
                pictures / name,
            ],
            check=True,
        )
