"""docs/api.md is true: its examples run, in their order, and print what stands below them."""

import asyncio
import os
import re
import time
from pathlib import Path
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from e2e.running_stack import Stack
from lxml import html
from zhibu_demo.phone import Phone
from zhibu_kit.testing.waiting import wait_until

REPOSITORY = Path(__file__).resolve().parents[2]
GUIDE = REPOSITORY / "docs/api.md"
MARK = "@@@ example"
# Name and password, code, consent: more pages than this are a circle.
MAX_PAGES = 8


def issuer_of(stack: Stack) -> str:
    return f"{stack.ports.keycloak_url}/realms/zhibu"


def examples() -> list[tuple[str, str | None]]:
    """Gives each shell block with the output that the guide promises, if it does."""
    blocks = re.findall(
        r"^```sh\n(.*?)^```\n(?:```text\n(.*?)^```\n)?", GUIDE.read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return [(code, output or None) for code, output in blocks]


async def test_every_example_prints_what_the_guide_says(stack: Stack, tmp_path: Path) -> None:
    found = examples()
    assert len(found) >= 10
    script = "set -euo pipefail\n" + "".join(f"{code}echo '{MARK}'\n" for code, _ in found)
    process = await asyncio.create_subprocess_exec(
        "bash",
        "-c",
        script,
        cwd=tmp_path,
        env={
            **os.environ,
            "PATH": f"{REPOSITORY / '.venv/bin'}:{os.environ['PATH']}",
            "API": stack.ports.gateway_url,
            "ISSUER": issuer_of(stack),
            "ZHIBU_RUN_DIRECTORY": str(stack.directory),
            "NO_PROXY": "localhost,127.0.0.1",
        },
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        await _compare(stack, process, found)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _compare(stack: Stack, process: asyncio.subprocess.Process, found: list[tuple[str, str | None]]) -> None:
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stderr is not None
    errors = asyncio.create_task(process.stderr.read())
    for code, promised in found:
        printed = ""
        async for line in process.stdout:
            if line.decode().rstrip("\n") == MARK:
                break
            printed += line.decode()
            if "/protocol/openid-connect/auth?" in line.decode():
                authorisation = await authorise(stack, line.decode().strip())
                process.stdin.write(authorisation.encode() + b"\n")
                await process.stdin.drain()
        else:
            raise AssertionError(
                f"this example ended with an error:\n{code}\n{printed}\n{(await errors).decode()[-2000:]}"
            )
        if promised is not None:
            pattern = ".*?".join(re.escape(part) for part in promised.strip().split("…"))
            assert re.fullmatch(pattern, printed.strip(), re.DOTALL), (
                f"{code}\nprinted:\n{printed}\npromised:\n{promised}"
            )
    assert await process.wait() == 0


async def authorise(stack: Stack, address: str) -> str:
    """Logs the clerk in through Keycloak's own pages, agrees to the application, and gives the code it gets."""
    clerk = stack.account("clerk")
    redirect_uri = parse_qs(urlsplit(address).query)["redirect_uri"][0]
    async with httpx.AsyncClient(timeout=30, trust_env=False) as browser:

        async def trust_loopback(_response: httpx.Response) -> None:
            # Browsers send secure cookies to the loopback without TLS too.
            for cookie in browser.cookies.jar:
                cookie.secure = False

        browser.event_hooks = {"response": [trust_loopback]}
        page = await browser.get(address)
        for _ in range(MAX_PAGES):
            while page.is_redirect:
                target = urljoin(str(page.url), page.headers["location"])
                if target.startswith(redirect_uri):
                    return parse_qs(urlsplit(target).query)["code"][0]
                page = await browser.get(target)
            page = await submit(stack, browser, page, clerk)
    raise AssertionError("the log-in pages do not come to an end")


async def submit(
    stack: Stack, browser: httpx.AsyncClient, page: httpx.Response, clerk: dict[str, str]
) -> httpx.Response:
    """Fills the one form of a page of Keycloak's that we know, and sends it."""
    for form in html.fromstring(page.content, base_url=str(page.url)).forms:
        fields = {str(name): value or "" for name, value in form.form_values()}
        names = {str(name) for name in form.fields}
        if "password" in names:
            fields |= {"username": clerk["eid_number"], "password": clerk["password"]}
        elif "otp" in names:
            fields["otp"] = await one_time_code(stack, clerk)
        elif "accept" in names:
            fields = {name: value for name, value in fields.items() if name != "cancel"} | {"accept": "yes"}
        else:
            continue
        return await browser.post(urljoin(str(page.url), str(form.action)), data=fields)
    raise AssertionError(f"an unknown page of Keycloak's (status {page.status_code})")


async def one_time_code(stack: Stack, clerk: dict[str, str]) -> str:
    """Has the code sent and reads it from the demonstration telephone."""
    telephone = parse_qs(urlsplit(clerk["code"]).query)["to"][0]
    async with Phone(stack.telephone) as phone, httpx.AsyncClient(trust_env=False, timeout=30) as http:
        newest = await phone.newest(telephone)
        body = {"eidNumber": clerk["eid_number"]}
        sent = await http.post(f"{stack.ports.gateway_url}/v1/login-codes", json=body)
        if sent.status_code == 429:
            # The loader or another test has logged the clerk in just now: come again when the answer says.
            again_at_s = time.monotonic() + float(sent.headers["retry-after"]) + 1
            await wait_until(lambda: time.monotonic() > again_at_s, 90)
            sent = await http.post(f"{stack.ports.gateway_url}/v1/login-codes", json=body)
        assert sent.status_code == 200, sent.text
        return await phone.code(telephone, after=newest)
