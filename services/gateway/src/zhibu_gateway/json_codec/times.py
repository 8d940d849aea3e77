"""Timestamp and Duration: nanoseconds kept, RFC 3339 and nothing looser.

datetime.fromisoformat() takes bare dates and week dates and cuts nanoseconds, so the text is taken apart here.
"""

import re
from datetime import date

from zhibu_gateway.json_codec.errors import DecodeError, EncodeError, Fault
from zhibu_gateway.json_codec.strict_json import Json

_TIMESTAMP = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,9}))?"
    r"(?:Z|([+-])([0-9]{2}):([0-9]{2}))",
    re.ASCII,
)
_DURATION = re.compile(r"(-?)([0-9]{1,12})(?:\.([0-9]{1,9}))?s", re.ASCII)

_NANOS_PER_S = 1_000_000_000
_DAY_S = 86_400
_EPOCH_DAY = date(1970, 1, 1).toordinal()
# 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z, as timestamp.proto says.
_TIMESTAMP_MIN_S = -62_135_596_800
_TIMESTAMP_MAX_S = 253_402_300_799
# 10,000 years, as duration.proto says.
_DURATION_MAX_S = 315_576_000_000


def timestamp_of(value: Json) -> tuple[int, int]:
    """Gives the seconds and nanoseconds of an RFC 3339 instant."""
    if not isinstance(value, str):
        raise DecodeError(Fault.WRONG_TYPE)
    match = _TIMESTAMP.fullmatch(value)
    if match is None:
        raise DecodeError(Fault.BAD_TIMESTAMP)
    year, month, day, hour, minute, second, fraction, sign, offset_hour, offset_minute = match.groups()
    if int(hour) > 23 or int(minute) > 59 or int(second) > 59:
        raise DecodeError(Fault.BAD_TIMESTAMP)
    try:
        days = date(int(year), int(month), int(day)).toordinal() - _EPOCH_DAY
    except ValueError as error:
        raise DecodeError(Fault.BAD_TIMESTAMP) from error
    seconds = days * _DAY_S + int(hour) * 3600 + int(minute) * 60 + int(second)
    if sign is not None:
        if int(offset_hour) > 23 or int(offset_minute) > 59:
            raise DecodeError(Fault.BAD_TIMESTAMP)
        offset_s = int(offset_hour) * 3600 + int(offset_minute) * 60
        seconds -= offset_s if sign == "+" else -offset_s
    if not _TIMESTAMP_MIN_S <= seconds <= _TIMESTAMP_MAX_S:
        raise DecodeError(Fault.OUT_OF_RANGE)
    return seconds, _nanos_of(fraction)


def timestamp_text(seconds: int, nanos: int) -> str:
    """Writes an instant in UTC with no, 3, 6 or 9 digits of fraction.

    Raises:
        EncodeError: the message holds no instant of the years 1 to 9999.
    """
    if not (_TIMESTAMP_MIN_S <= seconds <= _TIMESTAMP_MAX_S and 0 <= nanos < _NANOS_PER_S):
        raise EncodeError("timestamp out of range")
    days, rest = divmod(seconds, _DAY_S)
    hour, rest = divmod(rest, 3600)
    minute, second = divmod(rest, 60)
    day = date.fromordinal(days + _EPOCH_DAY)
    return f"{day.year:04d}-{day.month:02d}-{day.day:02d}T{hour:02d}:{minute:02d}:{second:02d}{_fraction_text(nanos)}Z"


def duration_of(value: Json) -> tuple[int, int]:
    """Gives the seconds and nanoseconds of a text such as "1.5s"; both have one sign."""
    if not isinstance(value, str):
        raise DecodeError(Fault.WRONG_TYPE)
    match = _DURATION.fullmatch(value)
    if match is None:
        raise DecodeError(Fault.BAD_DURATION)
    sign, whole, fraction = match.groups()
    seconds, nanos = int(whole), _nanos_of(fraction)
    if seconds > _DURATION_MAX_S:
        raise DecodeError(Fault.OUT_OF_RANGE)
    return (-seconds, -nanos) if sign else (seconds, nanos)


def duration_text(seconds: int, nanos: int) -> str:
    """Writes a length of time such as "-3.100s".

    Raises:
        EncodeError: beyond 10,000 years, or seconds and nanoseconds of different signs.
    """
    if abs(seconds) > _DURATION_MAX_S or abs(nanos) >= _NANOS_PER_S or seconds * nanos < 0:
        raise EncodeError("duration out of range")
    sign = "-" if seconds < 0 or nanos < 0 else ""
    return f"{sign}{abs(seconds)}{_fraction_text(abs(nanos))}s"


def _nanos_of(fraction: str | None) -> int:
    return int(fraction.ljust(9, "0")) if fraction else 0


def _fraction_text(nanos: int) -> str:
    if nanos == 0:
        return ""
    if nanos % 1_000_000 == 0:
        return f".{nanos // 1_000_000:03d}"
    if nanos % 1_000 == 0:
        return f".{nanos // 1_000:06d}"
    return f".{nanos:09d}"
