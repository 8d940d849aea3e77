"""The part of identity's PeopleService that notify asks, as a real gRPC server of its own: telephones of members."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import grpc.aio
from zhibu.identity.v1 import people_service_pb2 as pb


@dataclass(slots=True)
class PeopleServer:
    """Telephones by member; `asked` keeps who was asked for, call by call."""

    numbers: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[list[str]] = field(default_factory=list[list[str]])
    # Numbers that were replaced, by member and version of the record.
    former_numbers: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])
    # While it is set, no call is answered.
    down: bool = False
    address: str = ""

    async def resolve(
        self, request: pb.ResolveTelephonesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[pb.ResolveTelephonesResponse]:
        if self.down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        self.asked.append(list(request.member_ids))
        for member_id in request.member_ids:
            if member_id in self.numbers:
                yield pb.ResolveTelephonesResponse(member_id=member_id, telephone=self.numbers[member_id])

    async def resolve_former(
        self, request: pb.ResolveFormerTelephonesRequest, context: grpc.aio.ServicerContext[Any, Any]
    ) -> AsyncGenerator[pb.ResolveFormerTelephonesResponse]:
        if self.down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        for one in request.former_telephones:
            number = self.former_numbers.get((one.member_id, one.version))
            if number is not None:
                yield pb.ResolveFormerTelephonesResponse(former_telephone=one, telephone=number)


@asynccontextmanager
async def running_people_server() -> AsyncGenerator[PeopleServer]:
    """Serve on a free port while the block runs."""
    people = PeopleServer()
    server = grpc.aio.server()
    handlers = {
        "ResolveTelephones": grpc.unary_stream_rpc_method_handler(
            people.resolve,  # pyright: ignore[reportArgumentType] - the stubs know synchronous servers
            request_deserializer=pb.ResolveTelephonesRequest.FromString,
            response_serializer=pb.ResolveTelephonesResponse.SerializeToString,
        ),
        "ResolveFormerTelephones": grpc.unary_stream_rpc_method_handler(
            people.resolve_former,  # pyright: ignore[reportArgumentType] - the same
            request_deserializer=pb.ResolveFormerTelephonesRequest.FromString,
            response_serializer=pb.ResolveFormerTelephonesResponse.SerializeToString,
        ),
    }
    service = pb.DESCRIPTOR.services_by_name["PeopleService"].full_name
    server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, handlers),))
    people.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield people
    finally:
        await server.stop(0)
