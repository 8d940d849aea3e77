"""How long a one-time code takes while 20,000 notices go out beside it: notify and the message centre as in a county.

    .venv/bin/python bench/codes_beside_notices.py [--smoke] [--notices 20000] [--codes 200] [--per-s 100] [--submit-delay-s 0.02]

A real PostgreSQL with fsync, a real NATS, the service and the message centre's simulator (a process of its own), and
telephones from a gRPC server in place of identity. First codes alone, then the same codes while the notices go out; each
code is one SendCode after the other, as log-ins come. Ends with 1 when a p99 beside notices is over the target.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path

import asyncpg
import grpc.aio
import httpx
from report import Report, Size, read_sizes

REPOSITORY = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(REPOSITORY / "tests"))

from support.identity_stream import prepare_identity_stream, wait_until_ready  # noqa: E402
from support.people_server import running_people_server  # noqa: E402
from support.rpc import bearer  # noqa: E402
from zhibu.notify.v1 import code_service_pb2, code_service_pb2_grpc  # noqa: E402
from zhibu_kit.ids import new_ulid  # noqa: E402
from zhibu_kit.testing.databases import DatabaseMaker  # noqa: E402
from zhibu_kit.testing.issuer import TokenIssuer  # noqa: E402
from zhibu_kit.testing.nats_server import NatsServer, subjects_of_repository  # noqa: E402
from zhibu_kit.testing.services import start_service  # noqa: E402
from zhibu_kit.testing.waiting import wait_until  # noqa: E402
from zhibu_notify.__main__ import build  # noqa: E402
from zhibu_notify.settings import NotifySettings  # noqa: E402
from zhibu_stack.engines import Postgres  # noqa: E402
from zhibu_stack.ports import free_port  # noqa: E402

TARGET_P99_S = 2.0
COUNTY = "370724"


async def main(given: argparse.Namespace, postgres: Postgres, nats: NatsServer) -> int:
    report = Report(
        "codes_beside_notices",
        "验证码与通知 / One-time codes beside notices",
        target=f"p99 of a code under {TARGET_P99_S:.0f} s while 20,000 notices go out",
        smoke=given.smoke,
    )
    rows: list[list[str]] = []
    async with AsyncExitStack() as stack:
        database = await DatabaseMaker(postgres)("notify")
        await nats.prepare()
        await prepare_identity_stream(nats)
        await stack.enter_async_context(nats.heartbeats())
        smpp_port, web_port = free_port(), free_port()
        smsc = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "zhibu_smsc",
            env={
                "ZHIBU_SMSC_LISTEN": f"127.0.0.1:{smpp_port}",
                "ZHIBU_SMSC_WEB_LISTEN": f"127.0.0.1:{web_port}",
                "PATH": "/usr/bin:/bin",
            },
        )
        stack.push_async_callback(smsc.wait)
        stack.callback(smsc.terminate)
        people = await stack.enter_async_context(running_people_server())
        issuer = stack.enter_context(TokenIssuer())
        service = await stack.enter_async_context(
            start_service(
                "notify",
                build,
                database=database,
                nats=nats,
                issuer=issuer,
                settings=NotifySettings,
                notify_number_key="7a" * 32,
                notify_smsc_port=smpp_port,
                notify_notices_per_s=given.per_s,
                peers={"identity": people.address},
            )
        )
        await wait_until_ready(service)
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(service.address))
        stub = code_service_pb2_grpc.CodeServiceStub(channel)
        everything: asyncpg.Connection = await asyncpg.connect(postgres.dsn(database.name))
        stack.push_async_callback(everything.close)
        numbers = iter(range(18_600_000_000, 18_700_000_000))

        async def code() -> float:
            # Made for each call: a token lives for minutes, and this may take longer.
            metadata = bearer(issuer.token("account-of-svc-identity", service="identity"))
            started_at_s = time.monotonic()
            request = code_service_pb2.SendCodeRequest(
                telephone=str(next(numbers)),
                code="482913",
                purpose=code_service_pb2.CODE_PURPOSE_LOGIN,
                language="zh-CN",
                expires_in_s=300,
                request_id=new_ulid(),
            )
            await stub.SendCode(request, metadata=metadata, timeout=8)
            return time.monotonic() - started_at_s

        async with httpx.AsyncClient() as client:
            url = f"http://127.0.0.1:{web_port}/control"
            await wait_until(lambda: _works(client, url), timeout_s=20)
            await client.patch(url, json={"submit_delay_s": given.submit_delay_s})
        await wait_until(lambda: _sent(code), timeout_s=20)
        rows.append(row_of("alone", [await code() for _ in range(given.codes)]))
        members = [new_ulid() for _ in range(given.notices)]
        for at, member_id in enumerate(members):
            people.numbers[member_id] = str(19_900_000_000 + at)
        started_at_s = time.monotonic()
        await everything.execute(
            "insert into notice_sms (notice_sms_id, county_code, member_id, kind, template, parameters, urgent, state,"
            " not_before, create_time, state_time) select id, $2, id, 3, 'founding_refused', '{}', false, 'waiting', now(),"
            " now(), now() from unnest($1::text[]) as id",
            members,
            COUNTY,
        )
        # No quiet hours, whenever this runs.
        await everything.execute("insert into notice_settings values ($1, '{3}', 0, 0, 1, now())", COUNTY)
        beside: list[float] = []
        count = "select count(*) from notice_sms where state = 'accepted'"
        while (accepted := int(await everything.fetchval(count) or 0)) < given.notices:
            beside += [await code() for _ in range(20)]
            if time.monotonic() - started_at_s > given.limit_s:
                break
        took_s = time.monotonic() - started_at_s
        rows.append(row_of("beside notices", beside))
        report.table(["codes", "how many", "min", "median", "p99", "max"], rows)
        report.line(
            f"Notices accepted by the message centre: {accepted:,} of {given.notices:,} in {took_s:.0f} s"
            f" ({accepted / took_s:.0f} a second; {given.per_s:.0f} a second are allowed)."
        )
        p99_s = statistics.quantiles(beside, n=100, method="inclusive")[98]
        status = report.write(missed=p99_s > TARGET_P99_S)
        # Notices that do not arrive are no matter of speed.
        return status or int(accepted < given.notices)


async def _works(client: httpx.AsyncClient, url: str) -> bool:
    try:
        return (await client.get(url)).status_code == 200
    except httpx.TransportError:
        return False


async def _sent(code: object) -> bool:
    try:
        await code()  # pyright: ignore[reportCallIssue]
    except grpc.aio.AioRpcError:
        return False
    return True


def row_of(what: str, times_s: list[float]) -> list[str]:
    """Return a row of the table."""
    figures = (
        min(times_s),
        statistics.median(times_s),
        statistics.quantiles(times_s, n=100, method="inclusive")[98],
        max(times_s),
    )
    return [what, f"{len(times_s):,}", *(f"{figure * 1000:.0f} ms" for figure in figures)]


if __name__ == "__main__":
    arguments = read_sizes(
        __doc__,
        notices=Size(full=20_000, smoke=50),
        codes=Size(full=200, smoke=5, help="codes that are sent alone"),
        per_s=Size(full=100.0, smoke=100.0, help="notices a second"),
        submit_delay_s=Size(full=0.02, smoke=0.02, help="what the message centre takes for each"),
        limit_s=Size(full=900.0, smoke=60.0, help="how long is waited for the notices"),
    )
    with tempfile.TemporaryDirectory() as name:
        postgres = Postgres(Path(name) / "postgres")
        nats = NatsServer(Path(name) / "nats", subjects_of_repository())
        postgres.start()
        nats.start()
        try:
            sys.exit(asyncio.run(main(arguments, postgres, nats)))
        finally:
            nats.stop()
            postgres.stop()
