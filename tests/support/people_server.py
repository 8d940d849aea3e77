"""The part of identity's PeopleService that notify asks, as a real gRPC server of its own: telephones of members."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import grpc
import grpc.aio
from zhibu.identity.v1 import people_service_pb2 as pb
from zhibu.identity.v1 import people_service_pb2_grpc


@dataclass(slots=True)
class PeopleServer(people_service_pb2_grpc.PeopleServiceServicer):
    """Telephones by member; `asked` keeps who was asked for, call by call."""

    numbers: dict[str, str] = field(default_factory=dict[str, str])
    asked: list[list[str]] = field(default_factory=list[list[str]])
    # While it is set, no call is answered.
    down: bool = False
    address: str = ""

    async def ResolveTelephones(  # pyright: ignore[reportIncompatibleMethodOverride] - the stubs know synchronous servers
        self, request: pb.ResolveTelephonesRequest, context: grpc.aio.ServicerContext[object, object]
    ) -> AsyncGenerator[pb.ResolveTelephonesResponse]:
        if self.down:
            await context.abort(grpc.StatusCode.UNAVAILABLE, "down")
        self.asked.append(list(request.member_ids))
        for member_id in request.member_ids:
            if member_id in self.numbers:
                yield pb.ResolveTelephonesResponse(member_id=member_id, telephone=self.numbers[member_id])


@asynccontextmanager
async def running_people_server() -> AsyncGenerator[PeopleServer]:
    """Serve on a free port while the block runs."""
    people = PeopleServer()
    server = grpc.aio.server()
    people_service_pb2_grpc.add_PeopleServiceServicer_to_server(people, server)
    people.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    await server.start()
    try:
        yield people
    finally:
        await server.stop(0)
