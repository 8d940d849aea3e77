"""Work in answer to a call: readings that leave an audit row, and writes that are done once for each request id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from google.protobuf.message import Message
from sqlalchemy import delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from zhibu_kit import tables
from zhibu_kit.audit import audit_row
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.errors import REQUEST_ID_REUSED, UNAVAILABLE
from zhibu_kit.transaction import Transaction

ANONYMOUS: Final = "anonymous"

R = TypeVar("R", bound=Message)
A = TypeVar("A", bound=Message)


class Sealer(Protocol):
    """Encrypts stored answers that may hold personal data; identity brings one, the others store ids only."""

    def seal(self, plain: bytes) -> bytes:
        """Return the encrypted bytes."""
        ...

    def open(self, sealed: bytes) -> bytes:
        """Return the plain bytes."""
        ...


class Read(Transaction):
    """A reading in answer to a call; `reply` leaves an audit row where the contract says so."""

    def __init__(self, connection: AsyncConnection, *, clock: Clock, call: Call, request: Message) -> None:
        """Begin a reading for a call."""
        super().__init__(connection, clock=clock)
        self._call = call
        self._request = request
        self._audit: dict[str, Any] | None = None
        self._replied = False

    def reply(self, response: A, *, subjects: Sequence[str] = ()) -> A:
        """Return the answer; `subjects` are the identifiers of those whose personal data it shows."""
        self._replied = True
        audited = self._call.method.audited
        if audited is not None:
            self._audit = audit_row(
                self._call,
                self._request,
                outcome="read" if audited.reading else "done",
                occurred_at=self._clock.now(),
                subjects=subjects,
            )
        return response

    async def finish(self) -> None:
        """Write events and the audit row; the end of the transaction does this by itself.

        Raises:
            RuntimeError: when the handler forgot `reply`, without which an audited call would leave nothing in the log.
        """
        if self._call.method.audited is not None and not self._replied:
            raise RuntimeError(f"{self._call.method.name} ended without reply(), which writes its audit row")
        await self.flush()
        if self._audit is not None:
            await self.connection.execute(insert(tables.audit).inline(), self._audit)


class Write(Read, Generic[R]):
    """A write in answer to a call: done once for each request id, with its audit row in the same transaction.

    `replayed` holds the stored answer when the same request was answered before; return it and do nothing else.
    """

    def __init__(
        self, connection: AsyncConnection, *, clock: Clock, call: Call, request: Message, sealer: Sealer | None
    ) -> None:
        """Begin a write for a call."""
        super().__init__(connection, clock=clock, call=call, request=request)
        self.replayed: R | None = None
        self._request_id: str = getattr(request, "request_id", "")
        self._sealer = sealer
        self._response: Message | None = None

    def reply(self, response: A, *, subjects: Sequence[str] = ()) -> A:
        """Return the answer, to be stored for the request id with the commit."""
        self._response = response
        return super().reply(response, subjects=subjects)

    async def finish(self) -> None:
        """Write events, the audit row and the answer."""
        if self.replayed is not None:
            return
        await super().finish()
        if not self._request_id:
            return
        if self._response is None:
            # Nothing was answered, so there is nothing to answer again.
            await self.connection.execute(delete(tables.request).where(*self._request_row()))
            return
        sealed = self._seal(self._response.SerializeToString(deterministic=True))
        await self.connection.execute(update(tables.request).where(*self._request_row()).values(response=sealed))

    async def claim_request(self, response_type: type[R]) -> None:
        """Take the request id, or find the answer that it already has; a second caller waits here for the first.

        Raises:
            ServiceError: REQUEST_ID_REUSED when the id came with another body before.
        """
        if not self._request_id:
            return
        body_hash = hashlib.sha256(self._request.SerializeToString(deterministic=True)).digest()
        claimed = await self.connection.execute(
            insert(tables.request)
            .values(
                caller=self._caller(),
                method=self._call.method.name,
                request_id=self._request_id,
                # Sealed too: a plain hash of a body lets short personal data be found by trying.
                body_hash=self._seal(body_hash),
                created_at=self._clock.now(),
            )
            .on_conflict_do_nothing()
        )
        if claimed.rowcount:
            return
        row = (
            await self.connection.execute(
                select(tables.request.c.body_hash, tables.request.c.response).where(*self._request_row())
            )
        ).one_or_none()
        if row is None or row.response is None:
            # The clean-up took it between the two statements; the caller tries again.
            raise UNAVAILABLE()
        if self._open(bytes(row.body_hash)) != body_hash:
            raise REQUEST_ID_REUSED()
        self.replayed = response_type.FromString(self._open(bytes(row.response)))

    def _seal(self, plain: bytes) -> bytes:
        return self._sealer.seal(plain) if self._sealer else plain

    def _open(self, sealed: bytes) -> bytes:
        return self._sealer.open(sealed) if self._sealer else sealed

    def _caller(self) -> str:
        return self._call.principal.account_id if self._call.principal else ANONYMOUS

    def _request_row(self) -> tuple[Any, ...]:
        columns = tables.request.c
        return (
            columns.caller == self._caller(),
            columns.method == self._call.method.name,
            columns.request_id == self._request_id,
        )
