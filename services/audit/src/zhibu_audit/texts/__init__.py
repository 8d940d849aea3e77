"""How acts and offices read in Chinese and English: one line for each `audited.action` of the contract."""

from __future__ import annotations

from typing import Final

from zhibu_kit.errors import EN
from zhibu_kit.offices import OFFICES

from zhibu_audit.texts.branches import BRANCHES
from zhibu_audit.texts.identity import IDENTITY
from zhibu_audit.texts.others import OF_THE_LOG, OTHERS

ACTIONS: Final[dict[str, tuple[str, str]]] = {**BRANCHES, **IDENTITY, **OTHERS}


def text_of_action(action: str, language: str) -> str:
    """Return an act in the caller's language; one that this version does not know stands by its name."""
    zh, en = ACTIONS.get(action) or OF_THE_LOG.get(action) or (action, action)
    return en if language == EN else zh


def text_of_office(office: str, language: str) -> str:
    """Return an office in the caller's language; one that this version does not know stands by its name."""
    known = OFFICES.get(office)
    if known is None:
        return office
    return known.en if language == EN else known.zh
