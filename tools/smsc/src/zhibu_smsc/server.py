"""The message centre as a whole: SMPP and the web page on two loopback ports, one process."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from typing import Final

import uvicorn

from zhibu_smsc.faults import FaultSwitch
from zhibu_smsc.inbox import Inbox
from zhibu_smsc.session import Centre, Session
from zhibu_smsc.web import make_app

# More ESMEs at the same time than any test or development stack has.
_MAX_SESSIONS: Final = 50
_WEB_STOP_TIMEOUT_S: Final = 1


class StartError(Exception):
    """The message centre cannot start; the text says why in one sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Where to listen and whom to let in. Port 0 takes a free one."""

    host: str = "127.0.0.1"
    smpp_port: int = 7075
    web_port: int = 7076
    system_id: str = "zhibu"
    # SMPP carries it in clear text, and this centre listens on loopback only.
    password: str = "zhibu"  # noqa: S105


class MessageCentre:
    """A running message centre."""

    def __init__(self, settings: Settings) -> None:
        """Prepare; nothing listens yet."""
        self.inbox = Inbox()
        self.faults = FaultSwitch()
        self.smpp_port = settings.smpp_port
        self.web_port = settings.web_port
        self._centre = Centre(
            system_id=settings.system_id, password=settings.password, inbox=self.inbox, faults=self.faults
        )
        self._sessions: set[Session] = set()
        # Connections accepted since the start.
        self.connection_count = 0

    @property
    def session_count(self) -> int:
        """How many are connected now."""
        return len(self._sessions)

    def drop_sessions(self) -> None:
        """Cuts off everybody who is connected."""
        for session in tuple(self._sessions):
            session.drop()

    async def serve_connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Serves one SMPP connection."""
        if len(self._sessions) >= _MAX_SESSIONS:
            writer.close()
            return
        session = Session(self._centre, reader, writer)
        self._sessions.add(session)
        self.connection_count += 1
        try:
            await session.run()
        finally:
            self._sessions.discard(session)


@asynccontextmanager
async def running_message_centre(settings: Settings) -> AsyncGenerator[MessageCentre]:
    """A message centre that listens as long as the block runs.

    Raises:
        StartError: the address is not loopback, or a port is in use.
    """
    if not ip_address(settings.host).is_loopback:
        raise StartError(f"{settings.host} is no loopback address: this message centre shows codes to all who ask.")
    centre = MessageCentre(settings)
    with _listening(settings.host, settings.smpp_port) as smpp, _listening(settings.host, settings.web_port) as page:
        centre.smpp_port, centre.web_port = smpp.getsockname()[1], page.getsockname()[1]
        web = _Web(
            uvicorn.Config(
                make_app(centre.inbox, centre.faults, drop_sessions=centre.drop_sessions),
                log_level="warning",
                # The addresses of requests hold telephone numbers.
                access_log=False,
                lifespan="off",
                server_header=False,
                timeout_graceful_shutdown=_WEB_STOP_TIMEOUT_S,
            )
        )
        server = await asyncio.start_server(centre.serve_connection, sock=smpp)
        # No TaskGroup around the yield: it would wrap the errors of whoever uses the message centre into a group.
        serving = asyncio.create_task(web.serve(sockets=[page]))
        try:
            yield centre
        finally:
            web.should_exit = True
            centre.inbox.close()
            server.close()
            centre.drop_sessions()
            await asyncio.gather(serving, server.wait_closed())


class _Web(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Generator[None]:
        # The process decides about signals, not the part of it that serves the page.
        yield


@contextmanager
def _listening(host: str, port: int) -> Generator[socket.socket]:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
        except OSError as error:
            raise StartError(f"Port {port} on {host} cannot be had: {error.strerror}.") from error
        listener.listen()
        listener.setblocking(False)
        yield listener
