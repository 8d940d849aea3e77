"""Sending notices by SMS: paced, behind the codes, and never one twice."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from opentelemetry.metrics import Counter
from zhibu_kit.clock import Clock
from zhibu_kit.db import Database, Role
from zhibu_kit.errors import ServiceError
from zhibu_kit.scope import Scope

from zhibu_notify.notice_queue import (
    Message,
    Result,
    State,
    begin_submitting,
    claim_messages,
    close_unsent,
    drop_unwanted,
    give_back,
    record_results,
)
from zhibu_notify.notice_rules import ATTEMPTS
from zhibu_notify.organisation_names import names_of
from zhibu_notify.pace import Pace
from zhibu_notify.precedence import Precedence
from zhibu_notify.rules import Segment, segments_of, validity_period
from zhibu_notify.smpp.link import LinkDownError, OutcomeUnknownError, RefusedError, SmscLink, ThrottledError
from zhibu_notify.telephones import TelephoneBook
from zhibu_notify.wording import find_template, organisations_of, sms_of

_log = logging.getLogger(__name__)

# Messages in hand at a time: their telephones are in this process's memory until they are sent, a few seconds.
CLAIM_MAX: Final = 200
# A link that is down is usually back within this; otherwise the messages wait in the queue.
_LINK_WAIT_S: Final = 5.0
_SUBMIT_TIMEOUT_S: Final = 10.0
_GIVE_WAY_LIMIT_S: Final = 1.0
# identity or the link was away: not again before this.
_AWAY: Final = timedelta(seconds=15)
# The message centre forgets an ordinary notice that does not arrive for a day, an urgent one after three.
_VALID_S: Final = 86_400
_URGENT_VALID_S: Final = 259_200


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    message: Message
    number: str
    segments: list[Segment]


class NoticeSender:
    """Sends what waits. Several processes may do so at once."""

    def __init__(
        self,
        database: Database,
        link: SmscLink,
        *,
        telephones: TelephoneBook,
        precedence: Precedence,
        clock: Clock,
        outcomes: Counter,
        per_s: float,
        window: int,
    ) -> None:
        """Outcomes counts what became of each message, by `outcome`."""
        self._database = database
        self._link = link
        self._telephones = telephones
        self._precedence = precedence
        self._clock = clock
        self._outcomes = outcomes
        self._pace = Pace(per_s)
        self._window = window

    async def send_waiting(self, *, urgent: bool) -> int:
        """Sends everything that may go out now; returns how many were handed over."""
        total = 0
        while True:
            async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
                messages = await claim_messages(transaction, urgent=urgent, now=self._clock.now(), count_max=CLAIM_MAX)
                wanted, dropped = await drop_unwanted(transaction, messages, now=self._clock.now())
            if dropped:
                self._outcomes.add(dropped, {"outcome": "DROPPED"})
            if wanted:
                handed_over = await self._send(wanted)
                total += handed_over
                if not handed_over:
                    return total
            if len(messages) < CLAIM_MAX:
                return total

    async def _send(self, messages: list[Message]) -> int:
        """Sends messages in hand; returns how many left. The rest was given back or closed."""
        ready = await self._prepare(messages)
        left = 0
        for start in range(0, len(ready), self._window):
            few = ready[start : start + self._window]
            try:
                await self._link.wait_bound(timeout_s=_LINK_WAIT_S)
            except LinkDownError:
                await self._give_back([one.message for one in ready[start:]], reason="SMSC_UNAVAILABLE")
                return left
            await self._precedence.give_way(limit_s=_GIVE_WAY_LIMIT_S)
            await self._pace.take(sum(len(one.segments) for one in few))
            results = await self._hand_over(few)
            left += sum(result.state is not State.WAITING for result in results)
            if any(result.reason == "SMSC_THROTTLED" for result in results):
                self._pace.slow_down()
            else:
                self._pace.speed_up()
        return left

    async def _prepare(self, messages: list[Message]) -> list[_Ready]:
        """Telephones and texts. Without them a message is given back, or closed when it will never have them."""
        try:
            numbers = await self._numbers_of(messages)
        except ServiceError as error:
            await self._give_back(messages, reason=error.reason)
            return []
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            names = await names_of(transaction, organisations_of(message.parameters for message in messages))
            ready: list[_Ready] = []
            unsent: dict[str, str] = {}
            for message in messages:
                template = find_template(message.template)
                former = message.former_version > 0
                text = sms_of(template, message.parameters, names=names, former=former) if template else ""
                number = numbers.get((message.member_id, message.former_version))
                if not text:
                    unsent[message.notice_sms_id] = "NO_TEXT"
                elif number is None:
                    unsent[message.notice_sms_id] = "NO_TELEPHONE"
                else:
                    segments = segments_of(text, reference=secrets.randbelow(256))
                    ready.append(_Ready(message=message, number=number, segments=segments))
            await close_unsent(transaction, unsent, now=self._clock.now())
        for reason in unsent.values():
            self._outcomes.add(1, {"outcome": reason})
        return ready

    async def _numbers_of(self, messages: Sequence[Message]) -> dict[tuple[str, int], str]:
        """The number of each message's member and, where one was replaced, the former."""
        own = {message.member_id for message in messages if not message.former_version}
        former = {(message.member_id, message.former_version) for message in messages if message.former_version}
        numbers = {(member_id, 0): number for member_id, number in (await self._telephones.numbers_of(own)).items()}
        return numbers | await self._telephones.former_numbers_of(former)

    async def _hand_over(self, few: Sequence[_Ready]) -> list[Result]:
        """Marks messages, submits them side by side, and notes what became of each."""
        segment_counts = {one.message.notice_sms_id: len(one.segments) for one in few}
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            began = await begin_submitting(
                transaction, [one.message for one in few], segment_counts=segment_counts, now=self._clock.now()
            )
        # No transaction is open from here: a slow message centre must not use up the database's connections.
        results = await asyncio.gather(*(self._submit(one) for one in few if one.message.notice_sms_id in began))
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await record_results(transaction, results, segment_counts=segment_counts, now=self._clock.now())
        for result in results:
            self._outcomes.add(1, {"outcome": result.reason or "ACCEPTED"})
        return results

    async def _submit(self, ready: _Ready) -> Result:
        message, message_ids = ready.message, list[str]()
        try:
            for segment in ready.segments:
                message_id = await self._link.submit(
                    segment,
                    number=ready.number,
                    validity_period=validity_period(_URGENT_VALID_S if message.urgent else _VALID_S),
                    timeout_s=_SUBMIT_TIMEOUT_S,
                )
                message_ids.append(message_id)
        except (LinkDownError, ThrottledError, RefusedError, OutcomeUnknownError) as error:
            return _result_of(message, error, message_ids=message_ids)
        return Result(message=message, state=State.ACCEPTED, message_ids=message_ids)

    async def _give_back(self, messages: Sequence[Message], *, reason: str) -> None:
        fields = {"count": len(messages), "reason": reason}
        _log.warning("notices wait for what they need", extra={"fields": fields})
        async with self._database.transaction(Scope.none(), role=Role.RELAY) as transaction:
            await give_back(transaction, messages, not_before=self._clock.now() + _AWAY)


def _result_of(
    message: Message,
    error: LinkDownError | ThrottledError | RefusedError | OutcomeUnknownError,
    *,
    message_ids: Sequence[str],
) -> Result:
    """What a failure means for a message, of which some parts may have been taken."""
    if message_ids or isinstance(error, OutcomeUnknownError):
        # A part is on its way: the whole once more would come twice.
        return Result(message=message, state=State.UNKNOWN, reason="SMS_OUTCOME_UNKNOWN", message_ids=message_ids)
    match error:
        case RefusedError(number_at_fault=True):
            return Result(message=message, state=State.NOT_SENT, reason="SMS_NUMBER_REFUSED")
        case ThrottledError():
            reason = "SMSC_THROTTLED"
        case RefusedError() | LinkDownError():
            reason = "SMSC_UNAVAILABLE"
    # Throttling is no fault of the message, and passes.
    given_up = message.attempt_count + 1 >= ATTEMPTS and reason != "SMSC_THROTTLED"
    return Result(message=message, state=State.NOT_SENT if given_up else State.WAITING, reason=reason)
