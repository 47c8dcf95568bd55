"""A PDF from a document on standard input: `python -m lumbung.publication.formats.pdf TIMESTAMP`.

A process of its own, since the compiler gives back nothing of what it laid out. `TIMESTAMP`, in
seconds since 1970 UTC, is the time that the PDF names as its own.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

TEMPLATE = Path(__file__).parents[1] / "templates" / "edisi.typ"


def main() -> None:
    """Compile the document on standard input (JSON) to a PDF/UA-1 on standard output."""
    pdf: bytes = typst.compile(
        TEMPLATE.read_bytes(),
        sys_inputs={"document": sys.stdin.buffer.read().decode()},
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(sys.argv[1]),
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
