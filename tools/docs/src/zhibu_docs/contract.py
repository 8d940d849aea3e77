"""Walks the contract: every service, RPC, message and event that protoc generated, with their comments."""

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, cast

import zhibu
from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor
from zhibu.policy.v1 import policy_pb2

if TYPE_CHECKING:
    from google.protobuf.descriptor_pb2 import MethodOptions
    from google.protobuf.internal.extension_dict import (
        _ExtensionFieldDescriptor,  # pyright: ignore[reportPrivateUsage]  the stubs name the type so
    )

REPOSITORY = Path(__file__).resolve().parents[4]
# Mounted only in tests; documents for people leave it out.
TESTING_PACKAGE = "zhibu.testing.v1"


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A message that is published: its subject, and the fields that order it (empty without an outbox)."""

    descriptor: Descriptor
    service: str
    subject: str
    key_field: str
    version_field: str


@cache
def files() -> tuple[FileDescriptor, ...]:
    """Import every generated module and return the descriptors of their files, by name."""
    names = {
        ".".join(("zhibu", *path.relative_to(root).with_suffix("").parts))
        for root in zhibu.__path__
        for path in Path(root).rglob("*_pb2.py")
    }
    return tuple(importlib.import_module(name).DESCRIPTOR for name in sorted(names))


def methods(*, testing: bool = False) -> Iterator[MethodDescriptor]:
    """Give every RPC of the contract; those of the tests only when asked for."""
    for file in files():
        if testing or file.package != TESTING_PACKAGE:
            for service in file.services_by_name.values():
                yield from service.methods


def messages(*, testing: bool = False) -> Iterator[Descriptor]:
    """Give every message, nested ones too, without the entries of maps."""
    for file in files():
        if testing or file.package != TESTING_PACKAGE:
            for message in file.message_types_by_name.values():
                yield from _with_nested(message)


def events(*, testing: bool = False) -> Iterator[EventType]:
    """Give every message of the `<service>_events.proto` files: published in the past tense, over NATS."""
    for message in messages(testing=testing):
        if message.file.name.endswith("_events.proto") and message.containing_type is None:
            option = message.GetOptions().Extensions[policy_pb2.event]
            yield EventType(
                descriptor=message,
                service=message.file.package.split(".")[1],
                subject=subject_of(message),
                key_field=option.key_field,
                version_field=option.version_field,
            )


def subject_of(message: Descriptor) -> str:
    """Return the NATS subject of an event: its package and its name in snake case."""
    snake = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in message.name).lstrip("_")
    return f"{message.file.package}.{snake}"


def access_of(method: MethodDescriptor) -> policy_pb2.Access:
    """Return who may call an RPC."""
    return method.GetOptions().Extensions[policy_pb2.access]


def audited_of(method: MethodDescriptor) -> policy_pb2.Audited | None:
    """Return what an RPC leaves in the log, None when nothing."""
    options = method.GetOptions()
    return options.Extensions[policy_pb2.audited] if options.HasExtension(policy_pb2.audited) else None


def http_rule_of(method: MethodDescriptor) -> http_pb2.HttpRule | None:
    """Return where the gateway publishes an RPC, None when nowhere."""
    # The stubs of google.api give the extension a type that fits no method option.
    extension = cast("_ExtensionFieldDescriptor[MethodOptions, http_pb2.HttpRule]", annotations_pb2.http)
    options = method.GetOptions()
    return options.Extensions[extension] if options.HasExtension(extension) else None


def is_personal(field: FieldDescriptor) -> bool:
    """Say whether the field holds personal data or a secret."""
    return field.GetOptions().Extensions[policy_pb2.personal]


def is_published(field: FieldDescriptor) -> bool:
    """Say whether others will read what the field holds."""
    return field.GetOptions().Extensions[policy_pb2.published]


def _with_nested(descriptor: Descriptor) -> Iterator[Descriptor]:
    if descriptor.GetOptions().map_entry:
        return
    yield descriptor
    for nested in descriptor.nested_types:
        yield from _with_nested(nested)
