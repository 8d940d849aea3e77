"""Imports the roster as a department would: upload, check, look at the differences, commit; then branches applies it."""

import asyncio
import time
from pathlib import Path
from typing import Final

from zhibu_demo.api import Json
from zhibu_demo.county.desk import COUNTY, CountyDesk
from zhibu_demo.county.parts import Part
from zhibu_demo.errors import DemoError

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_LOOK_AGAIN_S: Final = 0.5
_LONGEST_S: Final = 3_600.0
_CHECKED: Final = "ROSTER_STATE_CHECKED"
_APPLIED: Final = "ROSTER_STATE_APPLIED"
_WHOLE: Final = "ROSTER_STATE_COMMITTED"
_COMMITTED: Final = frozenset({"ROSTER_STATE_COMMITTING", _WHOLE, _APPLIED})
_ENDED: Final = frozenset({"ROSTER_STATE_FAILED", "ROSTER_STATE_CANCELLED"})


async def check_roster(desk: CountyDesk, file: Path, part: Part) -> None:
    """Upload the file and wait until every row is checked; nothing is changed by that (the dry run)."""
    notes = desk.progress.of("roster")
    known = notes.get("roster_id")
    # What a former load uploaded may have been cancelled at the desk.
    if not known or (await desk.get(_path(desk)))["roster"]["state"] in _ENDED:
        content = await asyncio.to_thread(file.read_bytes)
        answer = await desk.api.upload(
            f"{COUNTY}/rosters", content, file_name=file.name, token=desk.token, media_type=_XLSX
        )
        notes.put("roster_id", answer["roster"]["rosterId"])
    roster = await _watch(desk, frozenset({_CHECKED, *_COMMITTED}), "checkedCount", part)
    if roster["state"] == _CHECKED and roster.get("problemCount"):
        raise DemoError("花名册有问题行。", f"The roster has {roster['problemCount']} bad rows.")
    counts = {name: roster.get(f"{name}Count", 0) for name in ("new", "changed", "same", "gone")}
    part.note(
        "新增 {new}，变更 {changed}，不变 {same}，名册外 {gone} / new {new}, changed {changed}, same {same}, gone {gone}".format(
            **counts
        )
    )


async def commit_roster(desk: CountyDesk, part: Part) -> None:
    """Commit the roster as a whole."""
    roster = await _watch(desk, frozenset({_CHECKED, *_COMMITTED}), "committedCount", part)
    if roster["state"] == _CHECKED:
        body = {"etag": roster["etag"]}
        await desk.post(f"{_path(desk)}:commit", body, request_id=desk.progress.request_id(f"commit-{roster['etag']}"))
    await _watch(desk, frozenset({_WHOLE, _APPLIED}), "committedCount", part)


async def wait_until_applied(desk: CountyDesk, part: Part) -> None:
    """Wait until branches has opened every record, which it does by itself.

    Raises:
        DemoError: a row could not be applied, or it takes too long.
    """
    path = f"{COUNTY}/roster-applications/{desk.progress.of('roster').get('roster_id')}"
    until_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < until_s:
        # The first of them is on its way when it is not found.
        answer = await desk.get(path, wait_for=frozenset({"NOT_FOUND"}))
        application: Json = answer["application"]
        conflicts = int(application.get("conflictCount", 0))
        part.look(sum(int(application.get(f"{name}Count", 0)) for name in ("applied", "unchanged")))
        if conflicts:
            raise DemoError("花名册有行未能编入。", f"{conflicts} rows of the roster were not applied.")
        if application.get("done"):
            await _watch(desk, frozenset({_APPLIED}), "", part)
            return
        await asyncio.sleep(_LOOK_AGAIN_S)
    raise DemoError("花名册没有按时编入。", "The roster was not applied in time.")


def _path(desk: CountyDesk) -> str:
    return f"{COUNTY}/rosters/{desk.progress.of('roster').get('roster_id')}"


async def _watch(desk: CountyDesk, wanted: frozenset[str], counter: str, part: Part) -> Json:
    """Look until the roster has reached a state; a counter of it moves the bar."""
    until_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < until_s:
        roster: Json = (await desk.get(_path(desk)))["roster"]
        if counter:
            part.look(int(roster.get(counter, 0)))
        if roster["state"] in wanted:
            return roster
        if roster["state"] in _ENDED:
            raise DemoError("花名册没有通过。", f"The roster ended: {roster.get('failureReason') or roster['state']}.")
        await asyncio.sleep(_LOOK_AGAIN_S)
    raise DemoError("花名册没有按时完成。", "The roster was not done in time.")
