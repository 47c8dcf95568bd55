"""Compile a document: `python -m lumbung.publication.formats.pdf TEMPLATE TIMESTAMP`.

This runs as a separate process because the compiler does not free the memory of a layout.
The document is on standard input. `TIMESTAMP`, in seconds since 1970 UTC, is the creation time in
the PDF.
"""

from __future__ import annotations

import sys
from pathlib import Path

import typst

TEMPLATES = Path(__file__).parents[1] / "templates"


def main() -> None:
    """Compile the document on standard input (JSON) to a PDF/UA-1 on standard output."""
    pdf: bytes = typst.compile(
        (TEMPLATES / sys.argv[1]).read_bytes(),
        sys_inputs={"document": sys.stdin.buffer.read().decode()},
        ignore_system_fonts=True,
        format="pdf",
        pdf_standards=["ua-1"],
        timestamp=int(sys.argv[2]),
    )
    sys.stdout.buffer.write(pdf)


if __name__ == "__main__":
    main()
