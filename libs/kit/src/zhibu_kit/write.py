"""Work in answer to a call: readings that leave an audit row, and writes that are done once for each request id."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, Final, Generic, Protocol, TypeVar

from google.protobuf.message import Message
from sqlalchemy.ext.asyncio import AsyncConnection

from zhibu_kit.audit import INSERT_AUDIT, audit_row
from zhibu_kit.audit_subjects import INSERT_SUBJECTS, Openings
from zhibu_kit.call import Call
from zhibu_kit.clock import Clock
from zhibu_kit.errors import REQUEST_ID_REUSED, UNAVAILABLE
from zhibu_kit.together import Together
from zhibu_kit.transaction import INSERT_EVENTS, Transaction

ANONYMOUS: Final = "anonymous"

# The kit's own statements of every call go to asyncpg as they are: Core would cost more than the database.
_CLAIM: Final = """
insert into kit_request (caller, method, request_id, body_hash, created_at) values ($1, $2, $3, $4, $5)
on conflict do nothing returning true"""
_FIND: Final = "select body_hash, response from kit_request where caller = $1 and method = $2 and request_id = $3"
_ANSWER: Final = "update kit_request set response = $4 where caller = $1 and method = $2 and request_id = $3"
_GIVE_BACK: Final = "delete from kit_request where caller = $1 and method = $2 and request_id = $3"

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
        self._openings: Openings | None = None
        self._replied = False

    def reply(self, response: A, *, subjects: Sequence[str] = ()) -> A:
        """Return the answer; `subjects` are the identifiers of those whose personal data it shows."""
        self._replied = True
        audited = self._call.method.audited
        if audited is not None:
            self._openings = Openings.of(subjects) if subjects else None
            self._audit = audit_row(
                self._call,
                self._request,
                outcome="read" if audited.reading else "done",
                occurred_at=self._clock.now(),
                openings=self._openings,
            )
        return response

    async def finish(self) -> None:
        """Write events and the audit row; the end of the transaction does this by itself.

        Raises:
            RuntimeError: when the handler forgot `reply`, without which an audited call would leave nothing in the log.
        """
        if self._call.method.audited is not None and not self._replied:
            raise RuntimeError(f"{self._call.method.name} ended without reply(), which writes its audit row")
        last = Together()
        self._add_last(last)
        if last:
            await last.run(await self.raw())

    def _add_last(self, last: Together) -> None:
        """Add what the end of the transaction writes."""
        if self._events:
            last.add(INSERT_EVENTS, self._take_events())
        if self._audit is not None:
            last.add(INSERT_AUDIT, list(self._audit.values()))
            if self._openings is not None:
                last.add(INSERT_SUBJECTS, [self._audit["audit_id"], *self._openings.columns])


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
        if self.replayed is None:
            await super().finish()

    def _add_last(self, last: Together) -> None:
        super()._add_last(last)
        if not self._request_id:
            return
        if self._response is None:
            # Nothing was answered, so there is nothing to answer again.
            last.add(_GIVE_BACK, self._request_key())
            return
        answer = self._seal(self._response.SerializeToString(deterministic=True))
        last.add(_ANSWER, [*self._request_key(), answer])

    async def claim_request(self, response_type: type[R]) -> None:
        """Take the request id, or find the answer that it already has; a second caller waits here for the first.

        Raises:
            ServiceError: REQUEST_ID_REUSED when the id came with another body before.
        """
        if not self._request_id:
            return
        body_hash = hashlib.sha256(self._request.SerializeToString(deterministic=True)).digest()
        raw = await self.raw()
        # The hash is sealed too: a plain one of a body lets short personal data be found by trying.
        if await raw.fetchval(_CLAIM, *self._request_key(), self._seal(body_hash), self._clock.now()):
            return
        row = await raw.fetchrow(_FIND, *self._request_key())
        if row is None or row["response"] is None:
            # The clean-up took it between the two statements; the caller tries again.
            raise UNAVAILABLE()
        if self._open(row["body_hash"]) != body_hash:
            raise REQUEST_ID_REUSED()
        self.replayed = response_type.FromString(self._open(row["response"]))

    def _seal(self, plain: bytes) -> bytes:
        return self._sealer.seal(plain) if self._sealer else plain

    def _open(self, sealed: bytes) -> bytes:
        return self._sealer.open(sealed) if self._sealer else sealed

    def _caller(self) -> str:
        return self._call.principal.account_id if self._call.principal else ANONYMOUS

    def _request_key(self) -> tuple[str, str, str]:
        return self._caller(), self._call.method.name, self._request_id
