"""Events as the contract describes them: subject, key, version and the CloudEvents headers they travel with.

CloudEvents 1.0, binary content mode over NATS (https://github.com/cloudevents/spec, `nats-protocol-binding`).
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Final

from google.protobuf.descriptor import Descriptor
from google.protobuf.message import Message
from zhibu.policy.v1 import policy_pb2

# One relay works on a shard at a time; more shards let more relays work side by side.
SHARDS: Final = 16
_WORD_START: Final = re.compile(r"(?<!^)(?=[A-Z])")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """What the contract says of an event message."""

    name: str
    subject: str
    key_field: str
    version_field: str


@cache
def event_type_of(descriptor: Descriptor) -> EventType:
    """Read an event's type from its descriptor.

    Raises:
        TypeError: when the message is no event.
    """
    options = descriptor.GetOptions()
    if not options.HasExtension(policy_pb2.event):
        raise TypeError(f"{descriptor.full_name} is no event: it lacks the option zhibu.policy.v1.event")
    event = options.Extensions[policy_pb2.event]
    package, _, name = descriptor.full_name.rpartition(".")
    return EventType(
        name=descriptor.full_name,
        subject=f"{package}.{_WORD_START.sub('_', name).lower()}",
        key_field=event.key_field,
        version_field=event.version_field,
    )


def stream_of(subject: str) -> str:
    """Return the stream that keeps a subject: `zhibu.identity.v1.x` is kept by ZHIBU_IDENTITY."""
    return f"ZHIBU_{subject.split('.')[1].upper()}"


def event_name_of(subject: str) -> str:
    """Return the last word of a subject, for example `eid_changed`."""
    return subject.rpartition(".")[2]


def durable_of(service: str, subject: str) -> str:
    """Return the name of a service's durable consumer of a subject, for example `branches_grant_changed`."""
    return f"{service}_{event_name_of(subject)}"


def key_of(event: Message) -> str:
    """Return the identifier of the aggregate that the event is about."""
    return str(getattr(event, event_type_of(event.DESCRIPTOR).key_field))


def version_of(event: Message) -> int:
    """Return the version of the aggregate after the event."""
    return int(getattr(event, event_type_of(event.DESCRIPTOR).version_field))


def shard_of(key: str) -> int:
    """Return the shard in which all events of a key are relayed."""
    return hashlib.sha256(key.encode()).digest()[0] % SHARDS


@dataclass(frozen=True, slots=True, kw_only=True)
class EventContext:
    """What travels beside an event."""

    event_id: str
    subject: str
    key: str
    version: int
    county_code: str
    traceparent: str
    occurred_at: datetime

    def headers(self, *, event_type: str, source: str) -> dict[str, str]:
        """Return the headers of the message."""
        return {
            "Nats-Msg-Id": self.event_id,
            "ce-specversion": "1.0",
            "ce-id": self.event_id,
            "ce-source": f"/zhibu/{source}",
            "ce-type": event_type,
            "ce-time": self.occurred_at.isoformat(),
            "content-type": "application/protobuf",
            "traceparent": self.traceparent,
            "zhibu-key": self.key,
            "zhibu-version": str(self.version),
            "zhibu-county": self.county_code,
        }

    @classmethod
    def of(cls, subject: str, headers: dict[str, str]) -> EventContext:
        """Read the headers of a message.

        Raises:
            ValueError: when one is missing or malformed: the message is not ours.
        """
        try:
            return cls(
                event_id=headers["ce-id"],
                subject=subject,
                key=headers["zhibu-key"],
                version=int(headers["zhibu-version"]),
                county_code=headers["zhibu-county"],
                traceparent=headers.get("traceparent", ""),
                occurred_at=datetime.fromisoformat(headers["ce-time"]),
            )
        except KeyError as error:
            raise ValueError(f"the header {error} is missing") from None
