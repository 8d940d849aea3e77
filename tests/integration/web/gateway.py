"""A gateway on loopback that answers what a test says, and remembers what it was asked."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import uvicorn
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response
from zhibu_kit.testing.waiting import wait_until

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Asked:
    """One call."""

    method: str
    path: str
    query: dict[str, str]
    body: Json
    headers: dict[str, str]
    content: bytes


@dataclass(slots=True)
class StubGateway:
    """Answers by method and path; what was not prepared does not exist."""

    url: str = ""
    answers: dict[str, tuple[int, Json]] = field(default_factory=dict[str, tuple[int, Json]])
    calls: list[Asked] = field(default_factory=list[Asked])

    def prepare(self, call: str, answer: Json, *, status: int = 200) -> None:
        """Answer `call` ("GET /v1/me") from now on."""
        self.answers[call] = (status, answer)

    def refuse(self, call: str, status: int, code: str, detail: str, **more: Any) -> None:
        """Refuse `call` from now on, as the gateway words it."""
        self.answers[call] = (status, {"status": status, "code": code, "detail": detail, **more})

    def asked(self, call: str) -> list[Asked]:
        """Give the calls of one kind."""
        return [one for one in self.calls if f"{one.method} {one.path}" == call]


@asynccontextmanager
async def running_gateway() -> AsyncGenerator[StubGateway]:
    stub = StubGateway()
    app = FastAPI()

    @app.api_route("/{path:path}", methods=["GET", "POST", "PUT"])
    async def answer(request: Request) -> Response:
        content = await request.body()
        asked = Asked(
            request.method,
            request.url.path,
            dict(request.query_params),
            json.loads(content) if "json" in request.headers.get("content-type", "") else {},
            dict(request.headers),
            content,
        )
        stub.calls.append(asked)
        missing = (404, {"status": 404, "code": "NOT_FOUND", "detail": "没有找到"})
        status, document = stub.answers.get(f"{asked.method} {asked.path}", missing)
        return JSONResponse(document, status)

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None, lifespan="off"))
    task = asyncio.create_task(server.serve())
    await wait_until(lambda: server.started)
    stub.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    try:
        yield stub
    finally:
        server.should_exit = True
        await task
