"""`python -m zhibu_stack run | status | observe | reset`: everything on one machine."""

import argparse
import asyncio
import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from zhibu_stack.errors import StackError
from zhibu_stack.layout import PORT_BASE
from zhibu_stack.observe import observe
from zhibu_stack.plan import Plan
from zhibu_stack.run_state import RunState
from zhibu_stack.supervisor import supervise

EXIT_FAILED = 1
# What systemd and init scripts answer for "not running".
EXIT_NOT_RUNNING = 3

ACCOUNT_WORDS = {
    "eid_number": "电子身份证 e-ID",
    "password": "密码 password",
    "activation_code": "激活码 activation code",
    "case_number": "受理号 case",
    "case_code": "查询码 code",
    "code": "短信 SMS",
    "page": "网页 page",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; every expected failure is two sentences and a non-zero code."""
    options = parse(arguments)
    state = RunState(options.directory.resolve())
    # A pipe would otherwise hold the progress back until the end.
    sys.stdout.reconfigure(line_buffering=True)  # pyright: ignore[reportAttributeAccessIssue]
    try:
        match options.command:
            case "run":
                run(options, state)
            case "observe":
                observe(options.directory.resolve())
            case "reset":
                refuse_while_observed(options.directory.resolve())
                state.wipe()
                print("已清空。 / Wiped.")
            case _:
                return status(state)
    except StackError as error:
        print(f"\n✗ {error.zh}\n  {error.en}", file=sys.stderr)
        return EXIT_FAILED
    except KeyboardInterrupt:
        # Before the first step there is nothing to stop.
        return 0
    return 0


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    """Return the options."""
    parser = argparse.ArgumentParser(prog="python -m zhibu_stack", description=__doc__)
    parser.add_argument("command", choices=["run", "status", "observe", "reset"])
    parser.add_argument("--directory", type=Path, default=Path(".run"), help="where the state is kept (.run)")
    parser.add_argument(
        "--port-base", type=int, default=int(os.environ.get("ZHIBU_PORT_BASE", PORT_BASE)), help="first port (7000)"
    )
    parser.add_argument(
        "--without", action="append", default=[], metavar="STEP", help="leave out a step and all that need it"
    )
    return parser.parse_args(arguments)


def run(options: argparse.Namespace, state: RunState) -> None:
    """Run everything until Ctrl-C."""
    state.acquire()
    try:
        plan = Plan(state.directory, port_base=options.port_base)
        plan.check_tools()
        print("支部正在启动，Ctrl-C 停止。 / Zhibu is starting; Ctrl-C stops it.")
        asyncio.run(
            supervise(
                plan.steps(without=options.without),
                directory=state.directory,
                state=state,
                announce=lambda: announce(plan),
            )
        )
        print("已全部停止。 / All stopped.")
    finally:
        state.release()


def refuse_while_observed(directory: Path) -> None:
    """Raise StackError while `make observe` keeps its data in the directory."""
    if RunState(directory / "observe").is_held():
        raise StackError(
            "make observe 正在运行，请先用 Ctrl-C 停止它。", "make observe is running; stop it with Ctrl-C first."
        )


def announce(plan: Plan) -> None:
    """Print the address and one account per kind of user, now that everything is ready."""
    print(f"\n支部已就绪 / Zhibu is ready:  {plan.ports.web_url}")
    print(f"演示手机（短信验证码） / demo telephone (SMS codes):  {plan.ports.telephone_url}")
    print(f"接口 / API:  {plan.ports.gateway_url}")
    try:
        accounts = json.loads((plan.directory / "demo" / "accounts.json").read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    print("\n演示账号，每种一个 / demonstration accounts, one of each kind:")
    for account in accounts:
        rest = "  ".join(
            f"{ACCOUNT_WORDS.get(name, name)} {value}" for name, value in account.items() if name != "kind"
        )
        print(f"  {account['kind']}:  {rest}")
    print()


def status(state: RunState) -> int:
    """Print what runs; the code says whether anything does."""
    if not state.is_held():
        print("未运行。 / Not running.")
        return EXIT_NOT_RUNNING
    for name, process in state.read().items():
        mark = "✓" if process["up"] else "…"
        ports = ", ".join(map(str, process["ports"]))
        print(f"{mark} {name:<12} pid {process['pid'] or '-':<8} {ports}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
