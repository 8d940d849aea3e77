"""What requests about the log ask for, read and judged."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from sqlalchemy import Row
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_kit.call import Call
from zhibu_kit.errors import INVALID_ARGUMENT, INVALID_PAGE_TOKEN, PERMISSION_DENIED, field_error

from zhibu_audit.api.entry_messages import NAMES_OF_OUTCOMES
from zhibu_audit.entries import Place, Wanted
from zhibu_audit.errors import PERIOD_NOT_VALID

LONGEST_PERIOD: Final = timedelta(days=366)
_LARGEST_INDEX_DIGITS: Final = 18


def wanted_of(request: pb.SearchEntriesRequest) -> Wanted:
    """Read what a search asks for."""
    return Wanted(
        member_id=request.member_id,
        subject_id=request.subject_id,
        action_prefix=request.action_prefix,
        outcome=NAMES_OF_OUTCOMES.get(request.outcome, ""),
        start_time=_instant(request, "start_time"),
        end_time=_instant(request, "end_time"),
    )


def period_of(request: pb.ExportEntriesRequest) -> tuple[datetime, datetime]:
    """Read the period of an export."""
    start, end = _instant(request, "start_time"), _instant(request, "end_time")
    if start is None or end is None or not timedelta(0) < end - start <= LONGEST_PERIOD:
        raise field_error("end_time", PERIOD_NOT_VALID, days=str(LONGEST_PERIOD.days))
    return start, end


def before_of(after: Sequence[str] | None) -> Place | None:
    """Read the place behind which a page goes on."""
    if after is None:
        return None
    match after:
        case (time, digits) if digits.isascii() and digits.isdigit() and len(digits) <= _LARGEST_INDEX_DIGITS:
            return instant_of(time), int(digits)
        case _:
            raise field_error("page_token", INVALID_PAGE_TOKEN)


def token_keys(row: Row[Any]) -> list[str]:
    """Return by what the page after an entry is found again."""
    return [row.occurred_at.isoformat(), str(row.entry_index)]


def instant_of(text: str) -> datetime:
    """Read an instant out of a page token, which anybody may have written.

    Raises:
        ServiceError: a field error on `page_token`.
    """
    try:
        instant = datetime.fromisoformat(text)
        if instant.tzinfo is not None:
            return instant.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise field_error("page_token", INVALID_PAGE_TOKEN)


def member_of(call: Call) -> str:
    """Return the member who calls; an account without one has no record that anybody could have looked at."""
    member_id = call.caller.member_id
    if not member_id:
        raise PERMISSION_DENIED()
    return member_id


def _instant(request: Message, field: str) -> datetime | None:
    if not request.HasField(field):
        return None
    value: Timestamp = getattr(request, field)
    try:
        return value.ToDatetime(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise field_error(field, INVALID_ARGUMENT) from None
