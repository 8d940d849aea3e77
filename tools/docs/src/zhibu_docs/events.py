"""docs/events.md: every event, its subject and key, who publishes it and who consumes it."""

from functools import cache

from zhibu_kit.nats_permissions import Subjects, read_subjects

from zhibu_docs.contract import REPOSITORY, EventType, events
from zhibu_docs.markdown import page, table

_ABOUT = """
Services tell each other what happened by events: proto messages in the past tense, published from the outbox after commit, with no
personal data. The subject follows from the message's name, the stream is the service's (`ZHIBU_IDENTITY`). Events with the same key
arrive in order of publishing at a serial consumer; parallel ones ignore a version older than the one they have seen. Headers: CloudEvents
(`ce-id`, `ce-source`, `ce-type`, `ce-time`, `ce-specversion`), `traceparent`, `zhibu-key`, `zhibu-version`, `zhibu-county`.

Who publishes and consumes what stands in each service's README, from which the permissions of its NATS user are made.
"""


def render() -> str:
    """Write the page."""
    summary = table(
        ["event", "subject", "key", "version", "publisher", "consumers"], (_event(event) for event in events())
    )
    details = [f"### {event.descriptor.full_name}\n\n{_fields(event)}" for event in events()]
    source = "the contract and the services' READMEs"
    return page("Events", source, _ABOUT, "## All of them", summary, "## Their fields", *details)


def _event(event: EventType) -> list[str]:
    consumers = [name for name in service_names() if event.subject in subjects_of(name).consumes]
    return [
        event.descriptor.name,
        f"`{event.subject}`",
        f"`{event.key_field}`" if event.key_field else "(none, no outbox)",
        f"`{event.version_field}`" if event.version_field else "",
        event.service,
        ", ".join(consumers) or "(none yet)",
    ]


def _fields(event: EventType) -> str:
    return table(
        ["field", "type"],
        (
            [
                f"`{field.name}`",
                field.message_type.full_name
                if field.message_type
                else field.enum_type.full_name
                if field.enum_type
                else _SCALARS.get(field.type, "number"),
            ]
            for field in event.descriptor.fields
        ),
    )


_SCALARS = {9: "string", 8: "bool", 12: "bytes"}


@cache
def service_names() -> tuple[str, ...]:
    """Return the names of the services in this repository."""
    return tuple(sorted(path.parent.name for path in (REPOSITORY / "services").glob("*/README.md")))


@cache
def subjects_of(service: str) -> Subjects:
    """Return the subjects that a service's README lists: the source of its NATS user's permissions."""
    return read_subjects(REPOSITORY / "services" / service / "README.md", service=service)
