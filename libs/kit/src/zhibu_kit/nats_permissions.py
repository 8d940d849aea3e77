"""What a service's NATS user may do, made from the lists in the service's README.

Under `## Publishes` and `## Consumes` each bullet names one subject in backquotes. From them follow the subjects of the
JetStream API: publish its own events, make and pull exactly its own durable consumers, follow the deny-list. Nothing else.
Under `## Key-value buckets` a bullet names a bucket that the service reads and writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibu_kit.events import durable_of, stream_of

DENY_LIST_EVENT: Final = "zhibu.identity.v1.access_revoked"
HEARTBEAT: Final = "zhibu.identity.v1.deny_list_heartbeat"
_HEADING: Final = re.compile(r"^##\s+(.+?)\s*$")
_BULLET: Final = re.compile(r"^[-*]\s+`([^`]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Subjects:
    """The lists of one service's README."""

    service: str
    publishes: tuple[str, ...]
    consumes: tuple[str, ...]
    buckets: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """The subjects that one NATS user may publish to and subscribe to."""

    publish: tuple[str, ...]
    subscribe: tuple[str, ...]


def read_subjects(readme: Path, *, service: str) -> Subjects:
    """Read the lists of a README; a list that is missing is empty."""
    lists: dict[str, list[str]] = {}
    heading = ""
    for line in readme.read_text("utf-8").splitlines():
        if match := _HEADING.match(line):
            heading = match[1].lower()
        elif match := _BULLET.match(line):
            lists.setdefault(heading, []).append(match[1])
    return Subjects(
        service=service,
        publishes=tuple(lists.get("publishes", ())),
        consumes=tuple(lists.get("consumes", ())),
        buckets=tuple(lists.get("key-value buckets", ())),
    )


def permissions_of(subjects: Subjects) -> Permissions:
    """Return what the service's user may do.

    Raises:
        ValueError: when it lists a subject of another service as its own.
    """
    service = subjects.service
    own = f"zhibu.{service}.v1."
    strangers = [subject for subject in subjects.publishes if not subject.startswith(own)]
    if strangers:
        raise ValueError(f"{service} lists subjects that are not its own: {', '.join(strangers)}")
    publish = [*subjects.publishes, f"zhibu.dead.{service}"]
    subscribe = [f"_INBOX.{service}.>", HEARTBEAT]
    for subject in subjects.consumes:
        if subject in (HEARTBEAT, DENY_LIST_EVENT):
            continue
        stream, durable = stream_of(subject), durable_of(service, subject)
        publish += [
            f"$JS.API.CONSUMER.CREATE.{stream}.{durable}.{subject}",
            f"$JS.API.CONSUMER.INFO.{stream}.{durable}",
            f"$JS.API.CONSUMER.MSG.NEXT.{stream}.{durable}",
            f"$JS.ACK.{stream}.{durable}.>",
        ]
    # The deny-list's consumer is ephemeral, bound to the one subject, and acknowledges nothing.
    deny_stream = stream_of(DENY_LIST_EVENT)
    publish += [
        f"$JS.API.CONSUMER.CREATE.{deny_stream}.*.{DENY_LIST_EVENT}",
        f"$JS.API.CONSUMER.INFO.{deny_stream}.*",
    ]
    for bucket in subjects.buckets:
        publish += [
            f"$KV.{bucket}.>",
            f"$JS.API.STREAM.INFO.KV_{bucket}",
            f"$JS.API.STREAM.MSG.GET.KV_{bucket}",
            f"$JS.API.DIRECT.GET.KV_{bucket}.>",
            f"$JS.API.CONSUMER.CREATE.KV_{bucket}.>",
            f"$JS.API.CONSUMER.DELETE.KV_{bucket}.>",
            f"$JS.API.CONSUMER.INFO.KV_{bucket}.>",
            f"$JS.FC.KV_{bucket}.>",
        ]
    return Permissions(publish=tuple(dict.fromkeys(publish)), subscribe=tuple(subscribe))
