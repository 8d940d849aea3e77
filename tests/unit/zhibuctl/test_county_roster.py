"""The step of a county's roster against a gateway that answers as a script says."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from zhibuctl.county.organisations import Organisations
from zhibuctl.county.plan import Plan, RosterPlan, Switches
from zhibuctl.county.roster import RosterImport
from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway

CODE = "370725"
LIST = f"GET /v1/organisations/{CODE}/rosters"
UPLOAD = f"POST /v1/organisations/{CODE}/rosters"
ROSTER = "/v1/organisations/370725/rosters/r1"
CHECKED = {"rosterId": "r1", "state": "ROSTER_STATE_CHECKED", "newCount": 3, "etag": "v2"}


@contextmanager
def scripted(answers: Mapping[str, Sequence[Any]]) -> Generator[tuple[Gateway, list[str]]]:
    """Answer each call with the next of its answers, the last one again and again; tell what was called."""
    called: list[str] = []
    left = {call: list(several) for call, several in answers.items()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._answer()

        def do_POST(self) -> None:
            self._answer()

        def _answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            call = f"{self.command} {self.path.partition('?')[0]}"
            called.append(call)
            several = left[call]
            answer = several.pop(0) if len(several) > 1 else several[0]
            content = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        with Gateway(f"http://127.0.0.1:{server.server_address[1]}", lambda: "token") as gateway:
            yield gateway, called
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def importing(gateway: Gateway, file: Path) -> RosterImport:
    roster = RosterPlan(file=file, commit=True, create_branches=False)
    plan = Plan(code=CODE, name="昌乐县", switches=Switches(), roster=roster)
    return RosterImport(gateway, plan, roster, organisations=Organisations(gateway, plan))


def do(step_of: RosterImport) -> None:
    step = step_of.step(there=True)
    assert step.do is not None
    step.do()


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "花名册.xlsx"
    made.write_bytes(b"a roster")
    return made


def test_a_roster_that_was_checked_anew_instead_of_committed_is_not_told_as_done(file: Path) -> None:
    answers = {
        LIST: [{}],
        UPLOAD: [{"roster": CHECKED}],
        f"GET {ROSTER}": [{"roster": CHECKED}, {"roster": {**CHECKED, "newCount": 2, "etag": "v5"}}],
        f"POST {ROSTER}:commit": [{}],
    }
    with scripted(answers) as (gateway, called), pytest.raises(OperatorError, match="没有编入"):
        do(importing(gateway, file))
    assert f"POST {ROSTER}:commit" in called


def test_a_file_that_came_later_is_another_one_though_its_content_is_older(file: Path) -> None:
    applied = {"rosterId": "r0", "state": "ROSTER_STATE_APPLIED", "fileName": file.name}
    arrived_s = file.stat().st_ctime
    # As unpacking an archive, or copying with its times, leaves it.
    os.utime(file, (arrived_s - 7200, arrived_s - 7200))
    uploaded = datetime.fromtimestamp(arrived_s - 3600, UTC).isoformat()
    with scripted({LIST: [{"rosters": [{**applied, "createTime": uploaded}]}]}) as (gateway, _):
        assert importing(gateway, file).step(there=True).do is not None
    later = datetime.fromtimestamp(file.stat().st_ctime + 60, UTC).isoformat()
    with scripted({LIST: [{"rosters": [{**applied, "createTime": later}]}]}) as (gateway, _):
        assert importing(gateway, file).step(there=True).do is None


def test_rows_with_problems_are_readable_by_the_operator_alone(file: Path) -> None:
    bad = {**CHECKED, "problemCount": 1}
    target = file.with_name("花名册-问题行.xlsx")
    target.write_bytes(b"of a former run")
    target.chmod(0o644)
    answers = {
        LIST: [{}],
        UPLOAD: [{"roster": bad}],
        f"GET {ROSTER}": [{"roster": bad}],
        f"GET {ROSTER}/problems": [b"the rows"],
    }
    with scripted(answers) as (gateway, _), pytest.raises(OperatorError, match="问题"):
        do(importing(gateway, file))
    assert (target.read_bytes(), target.stat().st_mode & 0o777) == (b"the rows", 0o600)
