"""Pages have what their parts need."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import zhibu_web

_TEMPLATES = Path(zhibu_web.__file__).parent / "templates"
# The layouts of pages; the desk's loads htmx for all of them.
_DESK = "desk/layout.html"


def _text(name: str) -> str:
    return (_TEMPLATES / name).read_text("utf-8")


_NAMES = sorted(path.relative_to(_TEMPLATES).as_posix() for path in _TEMPLATES.rglob("*.html"))
_EXCHANGED = [name for name in _NAMES if re.search(r"\bhx-[a-z]+=", _text(name))]


def _pages_with(name: str) -> list[str]:
    """The pages on which a template stands: itself, or those that include it."""
    if "{% extends" in _text(name):
        return [name]
    return [page for other in _NAMES if f'include "{name}"' in _text(other) for page in _pages_with(other)]


@pytest.mark.parametrize("name", _EXCHANGED)
def test_every_page_with_a_part_that_is_exchanged_loads_htmx(name: str) -> None:
    pages = _pages_with(name)
    assert pages
    for page in pages:
        text = _text(page)
        of_desk = f'{{% extends "{_DESK}" %}}' in text and "{% block head %}" not in text
        assert of_desk or '{% include "htmx.html" %}' in text, page


def test_the_layout_of_the_desk_loads_htmx_and_that_of_members_does_not() -> None:
    assert '{% include "htmx.html" %}' in _text(_DESK)
    assert "htmx" not in _text("layout.html")
