"""Who calls, and whether they may go on: limits by address, the token, limits by account.

The service behind checks the token again and decides about permissions. The gateway refuses early what would be refused in
any case, and needs the account for its limits.
"""

from zhibu_kit.errors import UNAUTHENTICATED

from zhibu_gateway.contract.methods import PublicMethod
from zhibu_gateway.limits.limiter import MethodLimits
from zhibu_gateway.pipelines.parts import Parts
from zhibu_gateway.web.exchange import Exchange


class Admission:
    """The admission of one method."""

    def __init__(self, method: PublicMethod, parts: Parts) -> None:
        """Reads rule and limits once."""
        self._parts = parts
        self._limits = MethodLimits.of(method)
        self._reads_token = method.reads_token
        self._needs_token = method.needs_token

    async def admit(self, exchange: Exchange) -> None:
        """Lets a call pass.

        Raises:
            ServiceError: RATE_LIMITED, UNAUTHENTICATED, or UNAVAILABLE when nobody can tell who was revoked.
        """
        self._parts.limiter.check_address(exchange, self._limits)
        if not self._reads_token:
            return
        authorization = exchange.headers.get("authorization")
        if authorization is None:
            if self._needs_token:
                raise UNAUTHENTICATED()
            return
        scheme, _, token = authorization.partition(" ")
        token = token.strip()
        if scheme.lower() != "bearer" or not token or not token.isascii():
            raise UNAUTHENTICATED()
        principal = await self._parts.verifier.verify(token)
        await self._parts.deny_list.check(principal.account_id, principal.issued_at)
        exchange.principal = principal
        self._parts.limiter.check_account(exchange, self._limits, principal.account_id)

    def metadata(self, exchange: Exchange) -> tuple[tuple[str, str], ...]:
        """Gives what the service learns about the call; of an anonymous method's caller, nothing."""
        metadata = [
            ("accept-language", exchange.language),
            ("traceparent", exchange.traceparent),
            ("x-request-id", exchange.request_id),
        ]
        if exchange.principal is not None:
            metadata.append(("authorization", exchange.headers["authorization"]))
        return tuple(metadata)
