"""Compile a document on standard input: `python -m lumbung.publication.formats.pdf TIMESTAMP`.

This runs as a separate process because the compiler does not free the memory of a layout.
`TIMESTAMP`, in seconds since 1970 UTC, is the creation time in the PDF.
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
