"""`make demo` by the same code on a hundredth of the county: killed again and again it goes on, and in the end nothing is left to do."""

import asyncio
import re
import sys

import pytest
from e2e.running_stack import Stack

pytestmark = pytest.mark.slow

# Where it is killed: while the roster is checked, while e-IDs are issued, and while founders sign.
KILLED_IN = ("花名册检查", "电子身份证", "2 个虚拟支部")
PART = 100


class Load:
    """One run of the loader."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack

    async def run(self, *, kill_in: str = "") -> tuple[int, str]:
        """Run it; with `kill_in` it is killed as soon as that part has begun, and nothing is tidied up."""
        ports = self._stack.ports
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "zhibu_demo", "county", "--part", str(PART)),
            *("--gateway", ports.gateway_url, "--issuer", f"{ports.keycloak_url}/realms/zhibu"),
            *("--phone", self._stack.telephone, "--web", ports.web_url, "--directory", str(self._stack.directory)),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        assert process.stdout
        said: list[str] = []
        while line := (await process.stdout.readline()).decode():
            said.append(line)
            if kill_in and line.startswith(f"  … {kill_in}"):
                process.kill()
        return await process.wait(), "".join(said)

    def forget_what_a_kill_may_lose(self) -> None:
        """Take out of the progress what was done last: everything happened, and nobody wrote it down any more."""
        path = self._stack.directory / "demo" / f"county-{PART}.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines()
        founder = next(name for name in map(_fact, lines) if name.endswith(".signed")).removesuffix(".signed")
        lost = {"part.founders.done", f"{founder}.activated", f"{founder}.signed"}
        lost |= {name for name in map(_fact, lines) if name.endswith((".submitted", ".approved"))}
        path.write_text("\n".join(line for line in lines if _fact(line) not in lost), encoding="utf-8")


def _fact(line: str) -> str:
    """Give the name of the fact in a line of the progress; the first line is none, and a kill may have cut one off."""
    found = re.match(r'\["([^"]+)", ', line)
    return found.group(1) if found else ""


@pytest.fixture
def load(stack: Stack) -> Load:
    return Load(stack)


async def test_a_load_that_is_killed_in_every_part_goes_on_and_a_last_one_changes_nothing(load: Load) -> None:
    for name in KILLED_IN:
        status, said = await load.run(kill_in=name)
        assert status == -9, said
    status, said = await load.run()
    assert status == 0, said
    assert "✗" not in said
    # Plan and counts through the API, side by side.
    for wanted, name in ((240, "持证党员"), (240, "党员"), (14, "虚拟支部发起人"), (3, "虚拟支部"), (8, "实体支部")):
        assert re.search(rf"\b{wanted} +\d+  ✓ {name} ", said), said
    load.forget_what_a_kill_may_lose()
    status, said = await load.run()
    assert status == 0, said
    status, said = await load.run()
    assert status == 0, said
    assert "没有改动" in said
    assert "…" not in said.partition("清点")[0]
