"""What a notice is made of: what it says in the inbox and by SMS, where it leads, and how urgent it is. Pure.

A text's placeholders are the parameters of its notice. Those that end in `_id` and name organisations are filled with the
organisation's name when the text is read ({branch_id}, {organisation_id}); in a link they stand as they are. `sms` is
Chinese and short: the signature 【支部】 and one part leave 66 characters; a notice with an empty one never goes by SMS.
"""

from dataclasses import dataclass
from enum import IntEnum


class Kind(IntEnum):
    """What a notice is about; the numbers are the contract's."""

    EID = 1
    MEMBERSHIP = 2
    FOUNDING = 3
    COMMITTEE = 4
    RECORD = 5
    SURVEY = 6
    WORK = 7


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """One notice."""

    name: str
    kind: Kind
    title_zh: str
    title_en: str
    body_zh: str
    body_en: str
    sms: str = ""
    link: str = ""
    urgent: bool = False
    # What the telephone is told that a change replaced; `sms` goes to the new one.
    sms_former: str = ""


def template(
    name: str,
    kind: Kind,
    title: tuple[str, str],
    body: tuple[str, str],
    *,
    sms: str = "",
    link: str = "",
    urgent: bool = False,
    sms_former: str = "",
) -> Template:
    """One notice, with title and body as (Chinese, English)."""
    return Template(
        name=name,
        kind=kind,
        title_zh=title[0],
        title_en=title[1],
        body_zh=body[0],
        body_en=body[1],
        sms=sms,
        link=link,
        urgent=urgent,
        sms_former=sms_former,
    )
