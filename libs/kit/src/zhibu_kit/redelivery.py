"""When JetStream delivers an event again: after failures that pass, and after a silence that `signs_of_life` prevents."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from typing import Final

import nats.errors
from grpc import StatusCode
from nats.aio.msg import Msg

from zhibu_kit.errors import ServiceError

_AWAY: Final = frozenset({StatusCode.UNAVAILABLE, StatusCode.DEADLINE_EXCEEDED, StatusCode.RESOURCE_EXHAUSTED})


def is_away(error: Exception) -> bool:
    """Return whether a failure passes by itself, so that the event must wait instead of being set aside."""
    match error:
        case ServiceError():
            return error.code in _AWAY
        case nats.errors.Error() | ConnectionError():
            return True
        case _:
            return False


async def signs_of_life(unsettled: Mapping[int, Msg], *, every_s: float) -> None:
    """Tell JetStream, until cancelled, that these messages are being worked on, so that it does not deliver them again."""
    while True:
        await asyncio.sleep(every_s)
        for message in list(unsettled.values()):
            with suppress(nats.errors.Error):
                await message.in_progress()
