"""One RPC as the contract describes it: its descriptor and our options, read once at start."""

from __future__ import annotations

from dataclasses import dataclass

from google.api import annotations_pb2
from google.protobuf.descriptor import MethodDescriptor
from zhibu.policy.v1 import policy_pb2


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """An RPC: `name` is `zhibu.identity.v1.ApplicationService/ApproveApplication`, `path` has a slash in front.

    `audited` is None when the contract says nothing about the log.
    """

    descriptor: MethodDescriptor
    name: str
    access: policy_pb2.Access
    audited: policy_pb2.Audited | None
    limits: policy_pb2.Limits
    webhook: bool

    @property
    def path(self) -> str:
        """The path of the RPC on the wire."""
        return f"/{self.name}"

    @property
    def reads(self) -> bool:
        """Whether the RPC only reads: published as a GET, or audited as a reading (searches are POSTs)."""
        http = self.descriptor.GetOptions().Extensions[annotations_pb2.http]  # pyright: ignore[reportArgumentType] - the stub of googleapis types it too widely
        return http.WhichOneof("pattern") == "get" or (self.audited is not None and self.audited.reading)

    @property
    def client_streaming(self) -> bool:
        """Whether the caller sends a stream."""
        return bool(self.descriptor.client_streaming)

    @property
    def server_streaming(self) -> bool:
        """Whether the answer is a stream."""
        return bool(self.descriptor.server_streaming)


def method_of(descriptor: MethodDescriptor) -> Method:
    """Read the contract's options of an RPC; whether they are complete is judged where they are used."""
    options = descriptor.GetOptions()
    return Method(
        descriptor=descriptor,
        name=f"{descriptor.containing_service.full_name}/{descriptor.name}",
        access=options.Extensions[policy_pb2.access],
        audited=options.Extensions[policy_pb2.audited] if options.HasExtension(policy_pb2.audited) else None,
        limits=options.Extensions[policy_pb2.limits],
        webhook=options.Extensions[policy_pb2.webhook],
    )
