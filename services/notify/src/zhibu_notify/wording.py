"""A notice's words, from its template, its parameters and the names of organisations. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from zhibu_kit.offices import OFFICES

from zhibu_notify.texts import TEMPLATES, Template

# Mainland operators deliver only messages that begin with a registered signature in these brackets.
SIGNATURE: Final = "【支部】"
# An organisation that this service does not know, or not yet.
_UNKNOWN: Final = {"zh": "（组织）", "en": "(organisation)"}
# Parameters that name organisations. Those of other things end in _id too, and stand in links only.
_ORGANISATIONS: Final = frozenset({"organisation_id", "branch_id", "desk_id"})
_POSTS: Final[Mapping[str, tuple[str, str]]] = {
    "1": ("书记", "secretary"),
    "2": ("副书记", "deputy secretary"),
    "3": ("组织委员", "member for organisation"),
    "4": ("宣传委员", "member for publicity"),
    "5": ("纪检委员", "member for discipline inspection"),
    "6": ("青年委员", "member for youth"),
    "7": ("委员", "committee member"),
}
_PERMILLE_OF_PERCENT: Final = 10

Parameters = Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """What a member reads."""

    title: str
    body: str
    link_path: str


def organisations_of(every: Iterable[Parameters]) -> frozenset[str]:
    """The organisations whose names are wanted."""
    return frozenset(
        value for parameters in every for name, value in parameters.items() if name in _ORGANISATIONS and value
    )


def words_of(template: Template, parameters: Parameters, *, names: Mapping[str, str], english: bool) -> Words:
    """The words of a notice in the inbox."""
    filled = _filled(parameters, names=names, english=english)
    return Words(
        title=(template.title_en if english else template.title_zh).format_map(filled),
        body=(template.body_en if english else template.body_zh).format_map(filled),
        link_path=template.link.format_map(_Blanks(parameters)),
    )


def sms_of(template: Template, parameters: Parameters, *, names: Mapping[str, str], former: bool = False) -> str:
    """The text of a notice as a message, with the signature; "" when it never goes by SMS, or not to a former telephone."""
    text = template.sms_former if former else template.sms
    return SIGNATURE + text.format_map(_filled(parameters, names=names, english=False)) if text else ""


def find_template(name: str) -> Template | None:
    """The template of a stored name; None for one that this version does not have."""
    return TEMPLATES.get(name)


class _Blanks(dict[str, str]):
    """A parameter that is missing leaves a gap and no error: the notice is worth more than its completeness."""

    def __missing__(self, key: str) -> str:
        return ""


def _filled(parameters: Parameters, *, names: Mapping[str, str], english: bool) -> _Blanks:
    filled = _Blanks()
    for name, value in parameters.items():
        if name in _ORGANISATIONS:
            filled[name] = names.get(value) or _UNKNOWN["en" if english else "zh"]
        elif name == "office":
            office = OFFICES.get(value)
            filled[name] = (office.en if english else office.zh) if office else value
        elif name == "post":
            filled[name] = _POSTS.get(value, ("", ""))[int(english)]
        elif name == "end_date":
            filled[name] = _day(value, english=english)
        elif name == "rate_permille":
            filled["rate"] = f"{int(value) / _PERMILLE_OF_PERCENT:g}"
        else:
            filled[name] = value
    return filled


def _day(value: str, *, english: bool) -> str:
    """A day as people write it; what is none stands as it came."""
    try:
        day = date.fromisoformat(value)
    except ValueError:
        return value
    return f"{day.day} {day:%B %Y}" if english else f"{day.year}年{day.month}月{day.day}日"
