"""Runs a command of a service as a process of its own: no service is imported, and each keeps its own settings."""

import json
import subprocess
import sys
from typing import Any, Final

from zhibuctl.errors import OperatorError
from zhibuctl.installation import Installation

_TIMEOUT_S: Final = 600


def run_service_command(installation: Installation, service: str, *arguments: str, text: str | None = None) -> str:
    """Run `python -m zhibu_<service> …` with the service's settings, give it `text`, and return what it printed.

    Raises:
        OperatorError: it failed; its last words are in the message.
    """
    command = [sys.executable, "-m", f"zhibu_{service}", *arguments]
    try:
        finished = subprocess.run(
            command,
            env=installation.environment_of(service),
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_S,
        )
    except subprocess.TimeoutExpired:
        raise OperatorError(
            f"服务 {service} 的命令超过 {_TIMEOUT_S} 秒没有结束。",
            f"The command of {service} did not end within {_TIMEOUT_S} s.",
        ) from None
    if finished.returncode != 0:
        # What a command finds wrong it may print as its answer.
        words = (finished.stderr or finished.stdout).strip().splitlines()[-1:] or ["(no message)"]
        raise OperatorError(
            f"服务 {service} 的命令失败：{words[0]}", f"the command of {service} failed (status {finished.returncode})."
        )
    return finished.stdout


def last_json(output: str, service: str) -> dict[str, Any]:
    """Return the JSON object on the last line of what a command printed.

    Raises:
        OperatorError: there is none.
    """
    lines = output.strip().splitlines()
    try:
        value = json.loads(lines[-1])
    except (IndexError, ValueError):
        raise OperatorError(f"服务 {service} 的回答无法读取。", f"The answer of {service} cannot be read.") from None
    return value
