"""The running service notify as identity sees it, with a message centre whose telephone can be read."""

import asyncio
import itertools
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
from support.rpc import Metadata, bearer
from zhibu.notify.v1 import code_service_pb2 as pb
from zhibu.notify.v1 import code_service_pb2_grpc
from zhibu_kit.app import RunningService
from zhibu_kit.ids import new_ulid
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_smsc.server import MessageCentre, Settings, running_message_centre

CODE = "482913"
_NUMBERS = itertools.count(19900000001)


def new_number() -> str:
    """A number that no other test of this run has used: limits count by number."""
    return str(next(_NUMBERS))


@dataclass(slots=True, kw_only=True)
class Smsc:
    """A message centre that keeps its ports when it is stopped and started again."""

    settings: Settings = field(default_factory=lambda: Settings(smpp_port=0, web_port=0))
    centre: MessageCentre | None = None
    _stop: asyncio.Event = field(default_factory=asyncio.Event)
    _task: asyncio.Task[None] | None = None

    async def start(self) -> MessageCentre:
        started: asyncio.Future[MessageCentre] = asyncio.get_running_loop().create_future()
        self._stop = asyncio.Event()
        self._task = asyncio.create_task(self._run(started))
        self.centre = await started
        self.settings = Settings(smpp_port=self.centre.smpp_port, web_port=self.centre.web_port)
        return self.centre

    async def stop(self) -> None:
        self._stop.set()
        if self._task is not None:
            await self._task

    async def _run(self, started: asyncio.Future[MessageCentre]) -> None:
        async with running_message_centre(self.settings) as centre:
            started.set_result(centre)
            await self._stop.wait()

    @property
    def running(self) -> MessageCentre:
        assert self.centre is not None
        return self.centre

    def texts(self, number: str) -> list[str]:
        return [message.text for message in self.running.inbox.list_messages(to=number)]

    @asynccontextmanager
    async def telephone(self) -> AsyncGenerator[httpx.AsyncClient]:
        async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{self.running.web_port}", timeout=10) as client:
            yield client


@dataclass(frozen=True, slots=True, kw_only=True)
class Notify:
    """The service, its message centre and a way to call it."""

    service: RunningService
    stub: "code_service_pb2_grpc.CodeServiceAsyncStub"
    issuer: TokenIssuer
    smsc: Smsc

    def as_service(self, name: str = "identity") -> Metadata:
        return bearer(self.issuer.token(f"account-of-svc-{name}", service=name))

    async def send(
        self,
        number: str,
        *,
        request_id: str = "",
        code: str = CODE,
        purpose: pb.CodePurpose.ValueType = pb.CODE_PURPOSE_LOGIN,
        language: str = "zh-CN",
        timeout_s: float = 8,
    ) -> pb.SendCodeResponse:
        return await self.stub.SendCode(
            pb.SendCodeRequest(
                telephone=number,
                code=code,
                purpose=purpose,
                language=language,
                expires_in_s=300,
                request_id=request_id or new_ulid(),
            ),
            metadata=self.as_service(),
            timeout=timeout_s,
        )
