"""What arrived on the demo telephones. Kept in memory only: it ends with the process, because it holds codes."""

import asyncio
from collections import deque
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Final

# The newest messages that are kept over all numbers.
_MAX_MESSAGES: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message as a telephone shows it. sequence grows by one with each message over all numbers."""

    sequence: int
    to: str
    sender: str
    text: str
    segments: int
    received_at: datetime

    def as_json(self) -> dict[str, object]:
        """What the JSON API shows."""
        return {**asdict(self), "received_at": self.received_at.isoformat()}


class Inbox:
    """Messages of all numbers, oldest first."""

    def __init__(self) -> None:
        """Start empty."""
        self._messages: deque[Message] = deque(maxlen=_MAX_MESSAGES)
        self._last_sequence = 0
        self._arrival = asyncio.Event()
        self.is_closed = False

    def put(self, *, to: str, sender: str, text: str, segments: int) -> Message:
        """Stores a message and wakes everybody who waits."""
        self._last_sequence += 1
        message = Message(
            sequence=self._last_sequence,
            to=to,
            sender=sender,
            text=text,
            segments=segments,
            received_at=datetime.now(UTC),
        )
        self._messages.append(message)
        self._wake()
        return message

    def list_messages(self, *, to: str | None = None, after: int = 0) -> list[Message]:
        """Messages with a higher sequence, to one number or to all."""
        return [message for message in self._messages if message.sequence > after and (to is None or message.to == to)]

    async def wait_messages(self, *, to: str | None = None, after: int = 0, timeout_s: float) -> list[Message]:
        """As list_messages, but waits until there is one; empty when none came in time."""
        try:
            async with asyncio.timeout(timeout_s):
                while not (messages := self.list_messages(to=to, after=after)) and not self.is_closed:
                    await self._arrival.wait()
                return messages
        except TimeoutError:
            return []

    def clear(self) -> None:
        """Forgets all messages; sequences go on, so that a waiter does not see an old one as new."""
        self._messages.clear()
        self._wake()

    def close(self) -> None:
        """Lets everybody who waits go, because the message centre stops."""
        self.is_closed = True
        self._wake()

    def _wake(self) -> None:
        self._arrival.set()
        self._arrival = asyncio.Event()


def local_number(address: str) -> str:
    """A mainland number as members write it: without + and without the country code 86."""
    digits = address.removeprefix("+")
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits
