"""What a service's NATS user may do, made from the lists in the service's README.

Under `## Publishes` and `## Consumes` each bullet names one subject in backquotes. From them follow the subjects of the
JetStream API: publish its own events and audit rows, make and pull exactly its own durable consumers, follow the deny-list.
Nothing else.
Under `## Buckets` a bullet names a bucket that the service reads and writes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from zhibu_kit.events import durable_of, stream_of

DENY_LIST_EVENT: Final = "zhibu.identity.v1.access_revoked"
HEARTBEAT: Final = "zhibu.identity.v1.deny_list_heartbeat"
# Each service's audit rows go out under its name behind this.
AUDIT_ROWS_SUBJECT: Final = "zhibu.audit_rows.v1"
_SUBJECT: Final = re.compile(r"^zhibu\.[a-z][a-z0-9_]*\.v[1-9][0-9]*\.[a-z][a-z0-9_]*$")
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
    """Read the lists of a README; a list that is missing, or a README that is, lists nothing.

    Raises:
        ValueError: when it lists what is no subject of ours, or what is not its own to publish.
    """
    return parse_subjects(readme.read_text("utf-8") if readme.exists() else "", service=service)


def parse_subjects(text: str, *, service: str) -> Subjects:
    """Read the lists in the text of a README, as `read_subjects` does."""
    lists: dict[str, list[str]] = {}
    heading = ""
    for line in text.splitlines():
        if match := _HEADING.match(line):
            heading = match[1].lower()
        elif match := _BULLET.match(line):
            lists.setdefault(heading, []).append(match[1])
    publishes, consumes = tuple(lists.get("publishes", ())), tuple(lists.get("consumes", ()))
    for subject in (*publishes, *consumes):
        if not _SUBJECT.match(subject):
            raise ValueError(f"the README of {service} lists {subject!r}, which is no subject of ours")
    strangers = [subject for subject in publishes if owner_of(subject) != service]
    if strangers:
        raise ValueError(f"the README of {service} lists what is not its own to publish: {', '.join(strangers)}")
    buckets = (*lists.get("buckets", ()), *lists.get("key-value buckets", ()))
    return Subjects(service=service, publishes=publishes, consumes=consumes, buckets=buckets)


def owner_of(subject: str) -> str:
    """Return the service that publishes a subject: identity for `zhibu.identity.v1.eid_changed`."""
    return subject.split(".")[1]


def permissions_of(subjects: Subjects) -> Permissions:
    """Return what the service's user may do.

    A consumer is reached by its exact name: with a wildcard a service could pull from somebody else's, and so read what it
    does not list. Streams are made by an administrator, because who may change a stream may empty it.
    """
    service = subjects.service
    publish = [*subjects.publishes, f"zhibu.dead.{service}", f"{AUDIT_ROWS_SUBJECT}.{service}"]
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
            # A bucket is its service's own: it may make it, but neither change nor remove it.
            f"$JS.API.STREAM.CREATE.KV_{bucket}",
            f"$JS.API.STREAM.INFO.KV_{bucket}",
            f"$JS.API.STREAM.MSG.GET.KV_{bucket}",
            f"$JS.API.DIRECT.GET.KV_{bucket}.>",
            f"$JS.API.CONSUMER.CREATE.KV_{bucket}",
            f"$JS.API.CONSUMER.CREATE.KV_{bucket}.>",
            f"$JS.API.CONSUMER.DELETE.KV_{bucket}.>",
            f"$JS.API.CONSUMER.INFO.KV_{bucket}.>",
            f"$JS.ACK.KV_{bucket}.>",
            f"$JS.FC.KV_{bucket}.>",
        ]
    return Permissions(publish=tuple(dict.fromkeys(publish)), subscribe=tuple(subscribe))
