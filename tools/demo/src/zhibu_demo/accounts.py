"""Writes one account per kind of user for the person at the keyboard (0600)."""

from dataclasses import dataclass
from pathlib import Path

from zhibu_demo.activation import LogIn
from zhibu_demo.people import Outcome, Person, Role
from zhibu_demo.progress import Progress, write_private

_KINDS: tuple[tuple[Role | None, str], ...] = (
    (None, "党员 / member"),
    (Role.COUNTY_APPROVER, "县委组织部审批员 / clerk"),
    (Role.PROVINCE_ADMIN, "省级管理员 / province administrator"),
    (Role.COUNTY_ADMIN, "县级管理员 / county administrator"),
    (Role.SECURITY_OFFICER, "信息安全员 / security officer"),
    (Role.BRANCH_SECRETARY, "支部书记 / branch secretary"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pages:
    """Addresses that people open."""

    web: str
    phone: str


def write_accounts(path: Path, people: tuple[Person, ...], *, progress: Progress, log_in: LogIn, pages: Pages) -> None:
    """Write the list; each entry has the kind of user, what to type, and where the code arrives."""
    entries: list[dict[str, str]] = []
    for role, kind in _KINDS:
        person = next(each for each in people if each.role is role and each.outcome is Outcome.ACTIVATED)
        entries.append(
            {
                "kind": kind,
                "eid_number": progress.of(person.key).get("eid_number"),
                "password": log_in.password_of(person),
                "code": f"{pages.phone}/?to={person.telephone}",
            }
        )
    for outcome, kind in (
        (Outcome.QUESTIONED, "申请人（待补充）/ applicant, asked for more"),
        (Outcome.WAITING, "申请人 / applicant"),
    ):
        person = next(each for each in people if each.outcome is outcome)
        notes = progress.of(person.key)
        entries.append(
            {
                "kind": kind,
                "case_number": notes.get("case_number"),
                "case_code": notes.get("case_code"),
                "page": f"{pages.web}/case",
            }
        )
    # Issued and waiting for a first log-in: to be tried by hand.
    issued = next(each for each in people if each.outcome is Outcome.ISSUED)
    notes = progress.of(issued.key)
    if notes.get("activation_code"):
        entries.append(
            {
                "kind": "首次登录 / first log-in",
                "eid_number": notes.get("eid_number"),
                "activation_code": notes.get("activation_code"),
                "code": f"{pages.phone}/?to={issued.telephone}",
            }
        )
    write_private(path, entries)
