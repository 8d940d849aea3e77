"""What stands on the pages of a PDF."""

from __future__ import annotations

import io

from pypdf import PdfReader


def pages_of(document: bytes) -> list[str]:
    """Return the text of each page, without blanks: where they fall is the reader's guess.

    pypdf shows the first byte of fpdf2's two-byte characters as a character of its own; other readers do not.
    """
    pages = PdfReader(io.BytesIO(document)).pages
    return ["".join(page.extract_text().replace("\x00", "").split()) for page in pages]
