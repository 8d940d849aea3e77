"""The step of a county's roster against a gateway that answers as a script says."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.scripted_gateway import scripted
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
