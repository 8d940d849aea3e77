"""Knocks at the door of every RPC as every role: an almost empty request, which the door judges before anything else does."""

from collections.abc import Callable
from dataclasses import dataclass

import grpc.aio
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from support.access_matrix import Bearer, Cell, Role, Verdict, access_of
from zhibu_kit.status import error_of
from zhibu_kit.testing.issuer import TokenIssuer

_TIMEOUT_S = 10.0


def account_of(role: Role) -> str:
    """Return the account (the token's subject) of a role."""
    return f"account-{role.key}"


def member_of(role: Role) -> str:
    """Return the member behind a role: 26 characters, as identifiers are."""
    return f"01m{sum(map(ord, role.key)):023d}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The running services, and tokens for whoever knocks."""

    channels: dict[str, grpc.aio.Channel]
    issuer: TokenIssuer

    async def knock(self, cell: Cell) -> str:
        """Return what a call in this cell met: a verdict, or the code or reason of what lies behind the door."""
        return await self.call(cell.method, self.token(cell.role), request_of(cell))

    def token(self, role: Role) -> str | None:
        """Return a token of the role, None for nobody."""
        match role.bearer:
            case Bearer.NOBODY:
                return None
            case Bearer.SERVICE:
                return self.issuer.token(account_of(role), service=role.service)
            case Bearer.PERSON | Bearer.REVOKED:
                county = (role.place.county_code if role.place else None) or "370724"
                scope = "openid zhibu-api zhibu-write" if role.writes else "openid zhibu-api"
                return self.issuer.token(account_of(role), member_id=member_of(role), county_code=county, scope=scope)

    async def call(self, method: MethodDescriptor, token: str | None, request: Message) -> str:
        """Call a method and return "OK", or the reason of the refusal."""
        service = method.containing_service
        channel = self.channels[service.file.package.split(".")[1]]
        metadata = (("authorization", f"Bearer {token}"),) if token else ()
        path = f"/{service.full_name}/{method.name}"
        answer = _reader(method)
        try:
            if method.server_streaming:
                stream = channel.unary_stream(path, _write, answer)(request, metadata=metadata, timeout=_TIMEOUT_S)
                async for _ in stream:
                    stream.cancel()
                    break
            else:
                await channel.unary_unary(path, _write, answer)(request, metadata=metadata, timeout=_TIMEOUT_S)
        except grpc.aio.AioRpcError as error:
            return error_of(error).reason
        return "OK"


@dataclass(frozen=True, slots=True, kw_only=True)
class House:
    """The gateway with everything behind it, and tokens for whoever comes."""

    url: str
    doors: Doors


def request_of(cell: Cell) -> Message:
    """Return a request that names the place and nothing else."""
    request = GetMessageClass(cell.method.input_type)()
    if cell.place is not None:
        field = access_of(cell.method).permission.organisation_field
        *parents, last = field.split(".")
        target = request
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, last, cell.place.organisation_id)
    return request


def says(answer: str) -> Verdict:
    """Return the verdict in an answer: whatever is no refusal at the door has passed it."""
    return next((verdict for verdict in Verdict if verdict.value == answer), Verdict.ADMITTED)


def _write(message: Message) -> bytes:
    return message.SerializeToString()


def _reader(method: MethodDescriptor) -> Callable[[bytes], Message]:
    return GetMessageClass(method.output_type).FromString
