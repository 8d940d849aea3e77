"""The little of Markdown that comments of the contract use, as HTML: paragraphs, lists, code and bold."""

import re

from markupsafe import Markup, escape


def to_html(text: str) -> Markup:
    """Turns text into HTML; everything is escaped first."""
    blocks: list[str] = []
    for block in re.split(r"\n{2,}", text.strip()):
        lines = block.split("\n")
        if all(line.startswith(("- ", "  ")) for line in lines) and lines[0].startswith("- "):
            items = re.split(r"^- ", block, flags=re.MULTILINE)[1:]
            blocks.append("<ul>" + "".join(f"<li>{_inline(item)}</li>" for item in items) + "</ul>")
        elif block:
            blocks.append(f"<p>{_inline(block)}</p>")
    # Every part went through escape().
    return Markup("".join(blocks))  # noqa: S704


def _inline(text: str) -> str:
    escaped = str(escape(text))
    escaped = re.sub(r"`([^`]+)`", r"<code>\1</code>", escaped)
    return re.sub(r"\*\*([^*]+)\*\*", r"<strong>\1</strong>", escaped)
