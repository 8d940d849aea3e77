"""The county's roster: uploaded, checked, and committed when the plan says so."""

import time
from datetime import datetime
from typing import Final

import click

from zhibuctl.county.organisations import Organisations
from zhibuctl.county.plan import Plan, RosterPlan
from zhibuctl.county.request_ids import request_id
from zhibuctl.county.step import Step
from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway, Json
from zhibuctl.texts import both

_XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_MEDIA_TYPES: Final = {".xlsx": _XLSX, ".xls": "application/vnd.ms-excel", ".csv": "text/csv"}
_APPLIED: Final = "ROSTER_STATE_APPLIED"
_CHECKED: Final = "ROSTER_STATE_CHECKED"
_COMMITTING: Final = frozenset({"ROSTER_STATE_COMMITTING", "ROSTER_STATE_COMMITTED"})
_BUSY: Final = frozenset({"ROSTER_STATE_CHECKING", *_COMMITTING})
_LOOK_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 3_600.0
# Branches that were just made are known to the checks a second or two later.
_CATCH_UP_S: Final = 60.0


class RosterImport:
    """One file of one county."""

    def __init__(self, gateway: Gateway, plan: Plan, roster: RosterPlan, *, organisations: Organisations) -> None:
        self._gateway = gateway
        self._plan = plan
        self._roster = roster
        self._organisations = organisations
        self._path = f"/v1/organisations/{plan.code}/rosters"

    def step(self, *, there: bool) -> Step:
        """Give the step; a file that was applied and not changed since is done."""
        file = self._roster.file
        words = ("检查并提交", "check and commit") if self._roster.commit else ("检查", "check")
        present = self._present() if there else None
        done = present is not None and present["state"] == _APPLIED
        return Step(
            zh=f"花名册 {file.name}：{'已编入' if done else words[0]}",
            en="the roster was applied" if done else f"{words[1]} the roster, {file.stat().st_size:,} bytes",
            do=None if done else lambda: self._go_on(present),
        )

    def _present(self) -> Json | None:
        """Return the roster that a former run made of this very file."""
        # A copy keeps the time of its content (mtime), whoever unpacks or copies it; when it came here (ctime), it cannot.
        status = self._roster.file.stat()
        changed_s = max(status.st_mtime, status.st_ctime)
        for row in self._gateway.pages(self._path, "rosters"):
            # What was uploaded before the file was last changed is another file.
            if row.get("fileName") == self._roster.file.name and _seconds_of(row["createTime"]) >= changed_s:
                return row
        return None

    def _go_on(self, present: Json | None) -> None:
        if present is not None and present["state"] in _COMMITTING:
            self._finish(f"{self._path}/{present['rosterId']}")
            return
        # The same file again gives the same roster while it is not committed.
        file = self._roster.file
        media_type = _MEDIA_TYPES.get(file.suffix.lower(), "application/octet-stream")
        made: Json = self._gateway.upload(self._path, file, media_type)["roster"]
        path = f"{self._path}/{made['rosterId']}"
        found = self._with_branches(path, self._wait(path))
        self._tell(path, found)
        if not self._roster.commit:
            click.echo(both("  计划中 commit = false：没有提交", "not committed, as the plan says"))
        elif not (found.get("newCount", 0) + found.get("changedCount", 0)):
            wish = request_id(self._plan.code, "cancel", found["etag"])
            self._gateway.write("POST", f"{path}:cancel", {"etag": found["etag"]}, request_id=wish)
            click.echo(both("  与已有数据相同，无须提交", "the same as what is there, nothing to commit"))
        else:
            wish = request_id(self._plan.code, "commit", found["etag"])
            self._gateway.write("POST", f"{path}:commit", {"etag": found["etag"]}, request_id=wish)
            self._finish(path)

    def _finish(self, path: str) -> None:
        """Wait for the end of a commit.

        Raises:
            OperatorError: records changed meanwhile, so that the roster was checked anew instead of being committed.
        """
        if self._wait(path)["state"] != _APPLIED:
            raise OperatorError(
                "提交期间县里的数据有变化，花名册已重新检查，没有编入；请重新运行。",
                "records of the county changed while the roster was committed: it was checked anew and not committed; run again",
            )

    def _with_branches(self, path: str, found: Json) -> Json:
        """Make the branches that only the roster knows, and have the file checked again."""
        missing: list[Json] = found.get("missingBranches", [])
        if not missing or not self._roster.create_branches:
            return found
        until_s = time.monotonic() + _CATCH_UP_S
        for each in missing:
            self._organisations.make_missing_branch(each)
            click.echo(both(f"  + 支部 {each['branchName']}", "branch"))
        while found.get("missingBranches") and time.monotonic() < until_s:
            time.sleep(_LOOK_AGAIN_S)
            wish = request_id(self._plan.code, "map", found["etag"])
            self._gateway.write("POST", f"{path}:map", {"etag": found["etag"]}, request_id=wish)
            found = self._wait(path)
        return found

    def _tell(self, path: str, found: Json) -> None:
        """Say what was found.

        Raises:
            OperatorError: the file cannot be read, or has rows that must be mended.
        """
        if found["state"] != _CHECKED:
            raise OperatorError(
                f"花名册读不了：{found.get('failure') or found['state']}",
                f"the roster cannot be read ({found.get('failureReason') or found['state']}); mend the file and run again",
            )
        counts = {name: found.get(f"{name}Count", 0) for name in ("new", "changed", "same", "gone", "problem")}
        click.echo(
            both(
                "  新增 {new}，变更 {changed}，不变 {same}，县里有而名册没有 {gone}，问题行 {problem}".format(**counts),
                "new {new}, changed {changed}, same {same}, here but not in the file {gone}, bad rows {problem}".format(
                    **counts
                ),
            )
        )
        for each in found.get("missingBranches", []):
            click.echo(
                both(
                    f"  没有支部“{each['branchName']}”（{each.get('rowCount', 0)} 行）",
                    "no such branch: put it into the plan, or set create_branches = true",
                ),
                err=True,
            )
        if counts["problem"]:
            target = self._roster.file.with_name(f"{self._roster.file.stem}-问题行.xlsx")
            self._gateway.download(f"{path}/problems", target)
            raise OperatorError(
                f"有 {counts['problem']} 行有问题，没有提交。已写入 {target}，每行注明单元格和改法；改好原表后重新运行。",
                f"{counts['problem']} bad rows, nothing was committed: each with its cell and remedy in that file."
                " Mend the roster and run again.",
            )

    def _wait(self, path: str) -> Json:
        """Look until the roster needs somebody again."""
        until_s = time.monotonic() + _LONGEST_S
        told_s = time.monotonic()
        while time.monotonic() < until_s:
            roster: Json = self._gateway.get(path)["roster"]
            if roster["state"] not in _BUSY:
                return roster
            if time.monotonic() - told_s > 10 * _LOOK_AGAIN_S:
                told_s = time.monotonic()
                done = roster.get("committedCount" if roster["state"] in _COMMITTING else "checkedCount", 0)
                click.echo(f"  … {done:,}/{roster.get('rowCount', 0):,}", err=True)
            time.sleep(_LOOK_AGAIN_S)
        raise OperatorError("花名册没有按时处理完，请重新运行。", "The roster was not done in time; run again.")


def _seconds_of(instant: str) -> float:
    return datetime.fromisoformat(instant).timestamp()
