"""The first office, and those that follow from it."""

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from zhibu_demo.api import Api, TokenSource, segment
from zhibu_demo.applications import case_key
from zhibu_demo.divisions import PROVINCE_CODE
from zhibu_demo.errors import DemoError
from zhibu_demo.people import Person, Role
from zhibu_demo.progress import Progress
from zhibu_demo.tree import branch_id

_BOOTSTRAP_TIMEOUT_S: Final = 60
# The terms of the demonstration end together, within the six years that a grant may last.
_END_DATE: Final = date(2029, 12, 31)


async def make_bootstrap_code(progress: Progress) -> None:
    """Have the operator's command make the code that works once."""
    if progress.get("bootstrap_code"):
        return
    command = (
        sys.executable,
        *("-m", "zhibuctl", "--json", "bootstrap"),
        *("--organisation", PROVINCE_CODE, "--office", Role.PROVINCE_ADMIN.value),
    )
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, complaint = await asyncio.wait_for(process.communicate(), _BOOTSTRAP_TIMEOUT_S)
    if process.returncode != 0:
        raise DemoError("zhibuctl bootstrap 没有成功。", f"zhibuctl bootstrap failed: {complaint.decode().strip()}")
    progress.put("bootstrap_code", json.loads(output)["code"])


async def redeem(api: Api, progress: Progress, person: Person) -> None:
    """Redeem the code on the person's own application; number and activation code of the e-ID are kept."""
    notes = progress.of(person.key)
    if notes.get("eid_number"):
        return
    key = case_key(progress, person)
    answer = await api.post(
        "/v1/bootstrap:redeem", {"bootstrapCode": progress.get("bootstrap_code"), **key}, request_id=""
    )
    notes.put("activation_code", answer["activationCode"])
    notes.put("eid_number", answer["eidNumber"])


@dataclass(frozen=True, slots=True, kw_only=True)
class Office:
    """Who gets which office where."""

    person: Person
    office: str
    organisation_id: str


def offices_of(people: tuple[Person, ...], progress: Progress) -> list[Office]:
    """Return the grants of the demonstration; the first office comes from the bootstrap code."""
    places: Mapping[Role, str | None] = {
        Role.COUNTY_ADMIN: None,
        Role.COUNTY_APPROVER: None,
        # The watch is kept for the whole province.
        Role.SECURITY_OFFICER: PROVINCE_CODE,
        Role.BRANCH_SECRETARY: branch_id(progress, 0),
    }
    return [
        Office(
            person=person,
            office=person.role.value,
            organisation_id=places[person.role] or person.county_code,
        )
        for person in people
        if person.role and person.role is not Role.PROVINCE_ADMIN
    ]


async def grant(api: Api, progress: Progress, token: TokenSource, office: Office) -> None:
    """Give an office to somebody who has an e-ID."""
    notes = progress.of(office.person.key)
    if notes.get("granted"):
        return
    body = {"eidNumber": notes.get("eid_number"), "office": office.office, "endDate": _END_DATE.isoformat()}
    path = f"/v1/organisations/{segment(office.organisation_id)}/grants"
    await api.post(
        path, body, token=token, request_id=notes.request_id("grant"), wait_for=frozenset({"PERMISSION_DENIED"})
    )
    notes.put("granted", True)
