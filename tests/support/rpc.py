"""Helpers of these tests: call with a token, and take the refusal as one of our errors."""

from collections.abc import Awaitable, Callable

import grpc.aio
import pytest
from zhibu_kit.errors import ServiceError
from zhibu_kit.status import error_of

Metadata = tuple[tuple[str, str], ...]


def bearer(token: str) -> Metadata:
    return (("authorization", f"Bearer {token}"),)


async def refusal_of(call: Callable[[], Awaitable[object]]) -> ServiceError:
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await call()
    return error_of(caught.value)


async def outcome_of(call: Awaitable[object]) -> str:
    """Return "OK", or the reason of the refusal."""
    try:
        await call
    except grpc.aio.AioRpcError as error:
        return error_of(error).reason
    return "OK"
