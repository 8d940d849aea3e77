"""What a code message says, how it is cut into parts, and how many a number may get. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import Final


class Purpose(StrEnum):
    """What a code is for; chooses the text around it."""

    TELEPHONE_PROOF = "telephone_proof"
    LOGIN = "login"
    ACTIVATION = "activation"


# Mainland operators deliver only messages that begin with a registered signature in these brackets.
_ZH: Final[Mapping[Purpose, str]] = {
    Purpose.TELEPHONE_PROOF: "【支部】验证码{code}，用于核验您填写的手机号码，{expiry}内有效。请勿告诉他人。",
    Purpose.LOGIN: "【支部】登录验证码{code}，{expiry}内有效。请勿告诉他人，工作人员不会向您索取。",
    Purpose.ACTIVATION: "【支部】您的电子身份证激活码{code}，{expiry}内有效，只能使用一次。请勿告诉他人。",
}
_EN: Final[Mapping[Purpose, str]] = {
    Purpose.TELEPHONE_PROOF: "(Zhibu) {code} proves your telephone number. Valid for {expiry}. Do not share it.",
    Purpose.LOGIN: "(Zhibu) {code} is your log-in code. Valid for {expiry}. Never share it, staff do not ask for it.",
    Purpose.ACTIVATION: "(Zhibu) {code} activates your e-ID once. Valid for {expiry}. Do not share it.",
}

# Codes that one number may get: enough for somebody who mistypes, too few to make a telephone ring all day.
LIMITS: Final[tuple[tuple[timedelta, int], ...]] = ((timedelta(minutes=10), 6), (timedelta(days=1), 30))
# The longest period of LIMITS, for which records are counted.
LIMIT_PERIOD: Final = max(period for period, _ in LIMITS)

_MINUTE_S: Final = 60
_HOUR_S: Final = 3600
_DAY_S: Final = 86400


def code_text(*, purpose: Purpose, code: str, language: str, expires_in_s: int) -> str:
    """The text of a message with a code, in English for a language tag of English and otherwise in Chinese."""
    english = language.lower().partition("-")[0] == "en"
    template = (_EN if english else _ZH)[purpose]
    return template.format(code=code, expiry=_expiry(expires_in_s, english=english))


def _expiry(expires_in_s: int, *, english: bool) -> str:
    # Rounded down, so that no message promises more time than there is.
    for unit_s, zh, en in ((_DAY_S, "天", "day"), (_HOUR_S, "小时", "hour"), (_MINUTE_S, "分钟", "minute")):
        if expires_in_s >= unit_s:
            count = expires_in_s // unit_s
            return f"{count} {en}{'s' if count > 1 else ''}" if english else f"{count}{zh}"
    return f"{expires_in_s} seconds" if english else f"{expires_in_s}秒"


def wait_until_allowed(ages: list[timedelta]) -> timedelta | None:
    """How long a number has to wait, given the ages of the codes sent to it; None when it may have one now."""
    waits: list[timedelta] = []
    for period, count in LIMITS:
        recent = sorted(age for age in ages if age < period)
        if len(recent) >= count:
            # The number is free again when the oldest of the last `count` codes leaves the period.
            waits.append(period - recent[count - 1])
    return max(waits, default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """The user data of one submit_sm."""

    octets: bytes
    data_coding: int
    has_header: bool


_GSM_CODING: Final = 0
_UCS2_CODING: Final = 8
_GSM_LENGTH_MAX: Final = 160
_UCS2_UNITS_MAX: Final = 70
# With a concatenation header of six octets, 67 UTF-16 units remain of 140 octets.
_UCS2_UNITS_MAX_WITH_HEADER: Final = 67
# Characters whose octet is the same in ASCII and in the GSM default alphabet (3GPP TS 23.038).
_SAFE_GSM: Final = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789 !\"#%&'()*+,-./:;<=>?\n")


def segments_of(text: str, *, reference: int) -> list[Segment]:
    """Cuts a text into the parts that telephones join again (3GPP TS 23.040, section 9.2.3.24.1).

    `reference` (0 to 255) tells the parts of one text from those of another to the same number. No part ends
    within a character.
    """
    if len(text) <= _GSM_LENGTH_MAX and set(text) <= _SAFE_GSM:
        return [Segment(octets=text.encode("ascii"), data_coding=_GSM_CODING, has_header=False)]
    if _units(text) <= _UCS2_UNITS_MAX:
        return [Segment(octets=text.encode("utf-16-be"), data_coding=_UCS2_CODING, has_header=False)]
    pieces = [""]
    for character in text:
        if _units(pieces[-1]) + _units(character) > _UCS2_UNITS_MAX_WITH_HEADER:
            pieces.append("")
        pieces[-1] += character
    return [
        Segment(
            octets=bytes([5, 0, 3, reference, len(pieces), number]) + piece.encode("utf-16-be"),
            data_coding=_UCS2_CODING,
            has_header=True,
        )
        for number, piece in enumerate(pieces, start=1)
    ]


def _units(text: str) -> int:
    return len(text.encode("utf-16-be")) // 2


def validity_period(expires_in_s: int) -> str:
    """The relative time of SMPP 3.4, section 7.1.1, after which the SMSC forgets a message that has lost its use."""
    days, rest = divmod(expires_in_s, _DAY_S)
    hours, rest = divmod(rest, _HOUR_S)
    minutes, seconds = divmod(rest, _MINUTE_S)
    return f"0000{days:02}{hours:02}{minutes:02}{seconds:02}000R"
