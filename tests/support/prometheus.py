"""A real Prometheus with the alerts of deploy/alerts in quick motion: a minute of the rules takes two seconds."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from zhibu_kit.testing.databases import REPOSITORY
from zhibu_kit.testing.waiting import wait_until
from zhibu_stack.engines import Prometheus

RULES = REPOSITORY / "deploy" / "alerts" / "zhibu.yaml"
MINUTE_S = 2
# Several samples in the shortest window of the rules, which is five minutes; and a busy machine must answer within this.
SCRAPE_S = 1.0
# How long causes may take to be noticed, on a machine that may do ten other things.
LIMIT_S = 120.0
LOOK_S = 0.25


@dataclass(slots=True, kw_only=True)
class Watch:
    """What fires, and what has fired since the last look back."""

    http: httpx.AsyncClient
    seen: set[str] = field(default_factory=set[str])

    async def firing(self) -> set[str]:
        """Return the names of the alerts that fire now."""
        answer = (await self.http.get("/api/v1/alerts")).raise_for_status().json()
        now = {str(alert["labels"]["alertname"]) for alert in answer["data"]["alerts"] if alert["state"] == "firing"}
        self.seen |= now
        return now

    async def until_firing(self, *alerts: str) -> None:
        """Wait until exactly these alerts fire; no other one may have fired meanwhile.

        Raises:
            AssertionError: naming what has fired instead.
        """
        self.seen.clear()
        await self._until(set(alerts))
        assert self.seen == set(alerts)

    async def until_quiet(self) -> None:
        """Wait until nothing fires any more; nothing but what has fired already may have done so."""
        before = set(self.seen)
        await self._until(set())
        assert self.seen <= before

    async def is_up(self, job: str) -> bool:
        """Say whether Prometheus has read the metrics of a process."""
        query = {"query": f'up{{job="{job}"}} == 1'}
        answer = (await self.http.get("/api/v1/query", params=query)).raise_for_status().json()
        return bool(answer["data"]["result"])

    async def _until(self, wanted: set[str]) -> None:
        ends_at_s = time.monotonic() + LIMIT_S
        while (now := await self.firing()) != wanted:
            assert time.monotonic() < ends_at_s, f"{now or 'nothing'} fires instead of {wanted or 'nothing'}"
            await asyncio.sleep(LOOK_S)


@asynccontextmanager
async def watching(directory: Path, targets: Mapping[str, str]) -> AsyncGenerator[Watch]:
    """Run Prometheus over these processes (job to address) while the block runs."""
    rules = _write_rules(directory)
    prometheus = Prometheus(directory, targets=targets, rules=rules, every_s=SCRAPE_S)
    prometheus.start()
    try:
        async with httpx.AsyncClient(base_url=prometheus.url, timeout=10, trust_env=False) as http:
            watch = Watch(http=http)
            for job in targets:
                await wait_until(lambda job=job: watch.is_up(job), timeout_s=30)
            yield watch
    finally:
        prometheus.stop()


def _write_rules(directory: Path) -> Path:
    rules = directory / "quick.yaml"
    rules.write_text(in_quick_motion(RULES.read_text(encoding="utf-8")), encoding="utf-8")
    return rules


def in_quick_motion(rules: str) -> str:
    """Return the rules with every duration a thirtieth as long; what they compare with stays as it is."""
    return re.sub(r"(?<=for: )(\d+)m$|(?<=\[)(\d+)m(?=\])|(?<=offset )(\d+)m", _as_seconds, rules, flags=re.MULTILINE)


def _as_seconds(minutes: re.Match[str]) -> str:
    return f"{int(minutes[0].removesuffix('m')) * MINUTE_S}s"
