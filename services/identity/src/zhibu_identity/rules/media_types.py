"""Which originals are kept, told by what stands in the file: its name and what the browser says can be made up."""

from __future__ import annotations

from typing import Final

MOST_BYTES: Final = 15 * 1024 * 1024
# Enough to tell every kind.
SNIFFED_BYTES: Final = 1024

_PDF: Final = b"%PDF-"
_JPEG: Final = b"\xff\xd8\xff"
_PNG: Final = b"\x89PNG\r\n\x1a\n"
# Readers look for the beginning of a PDF within the first kilobyte; we want it at the beginning, where a file that is also
# something else would have that.
_BY_BEGINNING: Final = {_PDF: "application/pdf", _JPEG: "image/jpeg", _PNG: "image/png"}


def sniff(beginning: bytes) -> str | None:
    """Return the media type that the first bytes of a file tell, None when it is none that is kept."""
    return next((kind for mark, kind in _BY_BEGINNING.items() if beginning.startswith(mark)), None)


def safe_file_name(name: str) -> str:
    """Return a file's name without directories and control characters."""
    last = name.replace("\\", "/").rpartition("/")[2]
    return "".join(character for character in last if character.isprintable()).strip(". ") or "document"
