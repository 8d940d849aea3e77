"""Every text of the pages in Chinese and English, side by side, so that neither is forgotten.

Keys begin with the noun of their file. Values may hold `{placeholders}`; both languages hold the same ones. Texts are
plain: links and emphasis are the templates' business.
"""

from __future__ import annotations

from typing import Final

from zhibu_web.texts import (
    account,
    applications,
    apply,
    branch,
    branch_values,
    card_check,
    cases,
    common,
    desk,
    desk_committees,
    desk_foundings,
    desk_organisations,
    desk_settings,
    desk_survey,
    eid_batches,
    eids,
    errors,
    foundings,
    grants,
    help_pages,
    home,
    inbox,
    log,
    log_check,
    my_data,
    organisations,
    people,
    rosters,
    services,
    statistics,
)

ZH: Final = "zh-CN"
EN: Final = "en"

CATALOGUE: Final[dict[str, tuple[str, str]]] = {}
_MODULES: Final = (
    common,
    home,
    apply,
    cases,
    account,
    applications,
    eids,
    grants,
    help_pages,
    card_check,
    errors,
    branch_values,
    branch,
    organisations,
    foundings,
    inbox,
    log,
    log_check,
    my_data,
    services,
    desk,
    rosters,
    people,
    eid_batches,
    desk_foundings,
    desk_committees,
    desk_organisations,
    desk_survey,
    desk_settings,
    statistics,
)
for _module in _MODULES:
    for _key, _pair in _module.TEXTS.items():
        if _key in CATALOGUE:
            raise ValueError(f"the text {_key} is there twice")
        CATALOGUE[_key] = _pair


def text(language: str, key: str, **values: object) -> str:
    """Return a text in a language with its placeholders filled.

    Raises:
        KeyError: there is no such text, or a placeholder has no value.
    """
    zh, en = CATALOGUE[key] if key in CATALOGUE else CATALOGUE[_unspecified(key)]
    template = en if language == EN else zh
    return template.format(**values) if values else template


def _unspecified(key: str) -> str:
    """Return the key of the unspecified value of an enum: the contract may be newer than this version, or the gateway's."""
    prefix, _, value = key.rpartition(".")
    if value.isupper() or value.isdecimal():
        for known in CATALOGUE:
            if known.startswith(f"{prefix}.") and known.endswith("_UNSPECIFIED"):
                return known
    return key
