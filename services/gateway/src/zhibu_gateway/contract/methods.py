"""The RPCs of the contract, each with what the gateway needs to know of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from google.api import annotations_pb2, http_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor, FileDescriptor, MethodDescriptor, ServiceDescriptor
from zhibu.policy.v1 import policy_pb2

from zhibu_gateway.contract.path_template import PathTemplate, parse_template
from zhibu_gateway.descriptors import typed

HTTP_BODY = "google.api.HttpBody"
TESTING_PACKAGE = "zhibu.testing.v1"


class ContractError(Exception):
    """The contract asks for something that the gateway cannot publish; it does not start."""


class Input(Enum):
    """What a request's body is."""

    NONE = auto()
    JSON = auto()
    RAW = auto()
    RAW_STREAM = auto()
    WEBHOOK = auto()


class Output(Enum):
    """What an answer's body is."""

    JSON = auto()
    FILE = auto()
    FILE_STREAM = auto()
    EVENTS = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class Binding:
    """One HTTP form of an RPC; `body_field` is the request field that the body fills, None for the whole request."""

    http_method: str
    template: PathTemplate
    has_body: bool
    body_field: FieldDescriptor | None
    response_field: FieldDescriptor | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicMethod:
    """One RPC that has a place in the public API."""

    descriptor: MethodDescriptor
    service: ServiceDescriptor
    request: Descriptor
    response: Descriptor
    access: policy_pb2.Access
    limits: policy_pb2.Limits
    lifecycle: policy_pb2.Lifecycle | None
    deprecated: bool
    bindings: tuple[Binding, ...]
    input: Input
    output: Output

    @property
    def peer(self) -> str:
        """Name of the service that answers, for example "identity"."""
        return self.service.file.package.split(".")[1]

    @property
    def full_path(self) -> str:
        """The gRPC path."""
        return f"/{self.service.full_name}/{self.descriptor.name}"

    @property
    def rule(self) -> str:
        """Which access rule it has: "permission", "self", "public" or "anonymous"."""
        return self.access.WhichOneof("rule") or ""

    @property
    def reads_token(self) -> bool:
        """Whether a caller may reach the handler at all."""
        return self.rule != "anonymous"

    @property
    def needs_token(self) -> bool:
        """Whether nobody gets in without one."""
        return self.rule in ("permission", "self")


def public_methods(files: list[FileDescriptor], *, with_testing: bool) -> list[PublicMethod]:
    """Gives the RPCs that clients may call, in the order of the contract.

    Raises:
        ContractError: an RPC has no access rule, is public without a URL, or has a URL although only services may call it.
    """
    return [
        method
        for file in files
        if with_testing or file.package != TESTING_PACKAGE
        for service in file.services_by_name.values()
        for descriptor in service.methods
        if (method := _public_method(service, descriptor)) is not None
    ]


def _public_method(service: ServiceDescriptor, descriptor: MethodDescriptor) -> PublicMethod | None:
    name = f"{service.full_name}/{descriptor.name}"
    options = descriptor.GetOptions()
    access = options.Extensions[policy_pb2.access]
    has_url = options.HasExtension(typed(annotations_pb2.http))
    match access.WhichOneof("rule"):
        case None:
            raise ContractError(f"{name} has no access rule")
        case "service":
            if has_url:
                raise ContractError(f"{name} is for services only, and yet has a URL")
            return None
        case _ if not has_url:
            raise ContractError(f"{name} is public and has no google.api.http")
        case _:
            pass
    if descriptor.client_streaming and descriptor.server_streaming:
        raise ContractError(f"{name} streams both ways, for which HTTP has no form here")
    bindings = tuple(_bindings(descriptor, options.Extensions[typed(annotations_pb2.http)]))
    return PublicMethod(
        descriptor=descriptor,
        service=service,
        request=descriptor.input_type,
        response=descriptor.output_type,
        access=access,
        limits=options.Extensions[policy_pb2.limits],
        lifecycle=options.Extensions[policy_pb2.lifecycle] if options.HasExtension(policy_pb2.lifecycle) else None,
        deprecated=options.deprecated or options.HasExtension(policy_pb2.lifecycle),
        bindings=bindings,
        input=_input(name, descriptor, bindings[0], webhook=options.Extensions[policy_pb2.webhook]),
        output=_output(descriptor),
    )


def _bindings(descriptor: MethodDescriptor, rule: http_pb2.HttpRule) -> Iterator[Binding]:
    for one in (rule, *rule.additional_bindings):
        pattern = one.WhichOneof("pattern")
        if pattern is None:
            raise ContractError(f"{descriptor.full_name} has a google.api.http without a pattern")
        kind, path = (
            (one.custom.kind, one.custom.path) if pattern == "custom" else (pattern.upper(), getattr(one, pattern))
        )
        request = descriptor.input_type
        if one.body not in ("", "*") and one.body not in request.fields_by_name:
            raise ContractError(f"{descriptor.full_name} takes its body from the unknown field {one.body!r}")
        yield Binding(
            http_method=kind,
            template=parse_template(path),
            has_body=bool(one.body),
            body_field=request.fields_by_name.get(one.body),
            response_field=descriptor.output_type.fields_by_name[one.response_body] if one.response_body else None,
        )


def _input(name: str, descriptor: MethodDescriptor, binding: Binding, *, webhook: bool) -> Input:
    body = binding.body_field
    raw = body is not None and body.message_type is not None and body.message_type.full_name == HTTP_BODY
    if webhook:
        if not raw or "headers" not in descriptor.input_type.fields_by_name:
            raise ContractError(f"{name} is a webhook and needs a google.api.HttpBody as body and the map `headers`")
        return Input.WEBHOOK
    if descriptor.client_streaming:
        if not raw:
            raise ContractError(f"{name} receives a stream that is no google.api.HttpBody")
        return Input.RAW_STREAM
    if raw:
        return Input.RAW
    return Input.JSON if binding.has_body else Input.NONE


def _output(descriptor: MethodDescriptor) -> Output:
    if descriptor.output_type.full_name == HTTP_BODY:
        return Output.FILE_STREAM if descriptor.server_streaming else Output.FILE
    return Output.EVENTS if descriptor.server_streaming else Output.JSON
