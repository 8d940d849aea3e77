"""Which limits a call counts against, and the headers that tell the caller (RFC 9110 and the RateLimit header fields)."""

from dataclasses import dataclass

from zhibu_kit.clock import Clock
from zhibu_kit.errors import RATE_LIMITED

from zhibu_gateway.contract.methods import PublicMethod
from zhibu_gateway.limits.counts import WINDOW_S, Counts, Verdict
from zhibu_gateway.web.exchange import Exchange


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodLimits:
    """The limits of one method; None where only the general ones hold."""

    name: str
    per_address: int | None
    per_account: int | None

    @staticmethod
    def of(method: PublicMethod) -> "MethodLimits":
        """Reads the limits of a method from its option."""
        return MethodLimits(
            name=method.full_path,
            per_address=method.limits.per_address_per_minute or None,
            per_account=method.limits.per_account_per_minute or None,
        )


class Limiter:
    """Counts calls and refuses those beyond a limit."""

    def __init__(self, counts: Counts, clock: Clock, *, per_address: int, per_account: int, factor: int = 1) -> None:
        """Takes the general limits, which hold over all methods together; every limit is multiplied by the factor."""
        self._counts = counts
        self._clock = clock
        self._per_address = per_address
        self._per_account = per_account
        self._factor = factor

    def check_address(self, exchange: Exchange, limits: MethodLimits) -> None:
        """Counts a call against its address, before anything dear is done for it.

        Raises:
            ServiceError: RATE_LIMITED.
        """
        verdicts = [self._count(f"address|{exchange.address}", self._per_address)]
        if limits.per_address is not None:
            verdicts.append(self._count(f"address|{exchange.address}|{limits.name}", limits.per_address))
        _tell(exchange, verdicts)

    def check_account(self, exchange: Exchange, limits: MethodLimits, account_id: str) -> None:
        """Counts a call against its account.

        Raises:
            ServiceError: RATE_LIMITED.
        """
        verdicts = [self._count(f"account|{account_id}", self._per_account)]
        if limits.per_account is not None:
            verdicts.append(self._count(f"account|{account_id}|{limits.name}", limits.per_account))
        _tell(exchange, verdicts)

    def _count(self, key: str, limit: int) -> Verdict:
        return self._counts.count(key, limit=limit * self._factor, now_s=self._clock.now().timestamp())


def _tell(exchange: Exchange, verdicts: list[Verdict]) -> None:
    tightest = min(verdicts, key=lambda verdict: (verdict.allowed, verdict.remaining))
    exchange.out[:] = [header for header in exchange.out if not header[0].startswith(b"ratelimit")]
    exchange.add("ratelimit-policy", f'"calls";q={tightest.limit};w={WINDOW_S}')
    exchange.add("ratelimit", f'"calls";r={tightest.remaining};t={tightest.wait_s}')
    if not tightest.allowed:
        exchange.add("retry-after", str(tightest.wait_s))
        raise RATE_LIMITED()
