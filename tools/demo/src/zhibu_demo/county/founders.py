"""The founders of the virtual branches: each logs in for the first time and signs, as 1,493 members did in Linqu."""

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from zhibu_demo.activation import LogIn
from zhibu_demo.api import RefusedError, segment
from zhibu_demo.concurrency import together
from zhibu_demo.county.coming_online import key_of, people_of
from zhibu_demo.county.desk import COUNTY, CountyDesk
from zhibu_demo.county.parts import Part
from zhibu_demo.county.plan import CountyPerson, PhysicalBranch, VirtualBranch
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.people import Claim, Outcome, Person

# Letters without look-alikes, because people type passwords from the screen.
_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LENGTH: Final = 12
# Much of a first log-in is waiting for its SMS; more at once only wait for the hashing of passwords.
_BRANCHES_AT_ONCE: Final = 8
_COLLECTING: Final = "FOUNDING_STATE_COLLECTING"
_SUBMITTED: Final = "FOUNDING_STATE_SUBMITTED"
_ON_ITS_WAY: Final = frozenset({"PERMISSION_DENIED", "NOT_FOUND"})


class FounderLogIn(LogIn):
    """Logs founders in; their passwords follow from one secret, so that they need not be kept one by one."""

    secret: bytes = b""

    def password_of(self, person: Person) -> str:
        """Return the person's password."""
        digest = hmac.digest(self.secret, person.key.encode(), hashlib.sha256)
        letters = "".join(_LETTERS[byte % len(_LETTERS)] for byte in digest[:_PASSWORD_LENGTH])
        return "-".join((letters[:4], letters[4:8], letters[8:]))

    def forget(self, person: Person) -> None:
        """Let go of a session that is not needed any more: 1,493 browsers are many."""
        self._sessions.pop(person.key, None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Founder:
    """A member who signs a founding, with the e-ID that the desk sees."""

    person: Person
    eid_id: str


async def choose_founders(
    desk: CountyDesk,
    people: Mapping[PhysicalBranch, Sequence[CountyPerson]],
    virtual_branches: Sequence[VirtualBranch],
) -> list[tuple[VirtualBranch, list[Founder]]]:
    """Choose who founds what: full members with a device, taken in turn from every physical branch."""
    wanted = sum(branch.founder_count for branch in virtual_branches)
    each_count = -(-wanted // len(people))
    rounds: list[list[Founder]] = [[] for _ in range(each_count)]

    async def ask(branch: PhysicalBranch) -> None:
        known = await people_of(desk, branch)
        able = [person for person in people[branch] if person.is_full and person.equipped]
        for nth, person in enumerate(able[:each_count]):
            rounds[nth].append(Founder(person=_as_person(person), eid_id=str(known[key_of(person)]["eidId"])))

    await together(ask(branch) for branch in people)
    # The same order in every run, whoever answered first: a resumed load finds the same founders.
    chosen = [founder for each in rounds for founder in sorted(each, key=lambda founder: founder.person.key)]
    pairs: list[tuple[VirtualBranch, list[Founder]]] = []
    start = 0
    for branch in virtual_branches:
        pairs.append((branch, chosen[start : start + branch.founder_count]))
        start += branch.founder_count
    return pairs


async def found_all(
    desk: CountyDesk, log_in: FounderLogIn, foundings: Sequence[tuple[VirtualBranch, list[Founder]]], part: Part
) -> None:
    """Have every virtual branch proposed, signed by its founders, handed in and approved."""

    async def one(branch: VirtualBranch, founders: list[Founder]) -> None:
        if desk.progress.of(f"virtual-{branch.number}").get("approved"):
            part.skip(len(founders))
            return
        await _found(desk, log_in, branch, founders=founders, part=part)
        await _approve(desk, branch)

    await together((one(branch, founders) for branch, founders in foundings), at_once=_BRANCHES_AT_ONCE)


async def _found(
    desk: CountyDesk, log_in: FounderLogIn, branch: VirtualBranch, *, founders: list[Founder], part: Part
) -> None:
    notes = desk.progress.of(f"virtual-{branch.number}")
    if notes.get("submitted"):
        part.skip(len(founders))
        return
    first, *others = founders
    await _hand_over_code(desk, first)
    initiator = (await log_in.activate(first.person)).token
    founding_id = notes.get("founding_id")
    if not founding_id:
        body = {
            "organisationId": LINQU_COUNTY_CODE,
            "name": branch.name,
            "kind": branch.kind,
            "purpose": "方便身在各处、行业相近的党员一起过组织生活，互相帮助。",
        }
        request_id = notes.request_id("propose")
        answer = await desk.api.post(
            "/v1/foundings", body, token=initiator, request_id=request_id, wait_for=_ON_ITS_WAY
        )
        founding_id = answer["founding"]["foundingId"]
        notes.put("founding_id", founding_id)
    part.add()
    path = f"/v1/foundings/{segment(founding_id)}"
    for founder in others:
        await _sign(desk, log_in, path, founder=founder, part=part)
    present, etag = await desk.api.get_with_etag(path, token=initiator)
    # A load that was killed may have handed it in already.
    if present["founding"]["state"] == _COLLECTING:
        body = {"etag": etag.strip('"')}
        await desk.api.post(f"{path}:submit", body, token=initiator, request_id=notes.request_id(f"submit-{etag}"))
    notes.put("submitted", True)
    log_in.forget(first.person)


async def _sign(desk: CountyDesk, log_in: FounderLogIn, path: str, *, founder: Founder, part: Part) -> None:
    notes = desk.progress.of(founder.person.key)
    if notes.get("signed"):
        part.skip()
        return
    await _hand_over_code(desk, founder)
    token = (await log_in.activate(founder.person)).token
    await desk.api.post(f"{path}:cosign", {}, token=token, request_id=notes.request_id("cosign"), wait_for=_ON_ITS_WAY)
    notes.put("signed", True)
    log_in.forget(founder.person)
    part.add()


async def _hand_over_code(desk: CountyDesk, founder: Founder) -> None:
    """Have the founder's activation code shown at the county's desk."""
    notes = desk.progress.of(founder.person.key)
    if notes.get("activated"):
        return
    # An interrupted load asks for a new code; the last one may have been used.
    count = int(notes.get("codes_issued") or 0) + 1
    notes.put("codes_issued", count)
    path = f"{COUNTY}/eids/{founder.eid_id}:issueActivationCode"
    try:
        answer = await desk.post(path, {}, request_id=notes.request_id(f"activation-code-{count}"))
    except RefusedError as refused:
        if "EID_ALREADY_ACTIVE" not in refused.codes or not notes.get("eid_number"):
            raise
        # A load that was killed had logged the founder in, and could not write that down any more.
        notes.put("activated", True)
        return
    notes.put("activation_code", answer["activationCode"])
    notes.put("eid_number", answer["eidNumber"])


async def _approve(desk: CountyDesk, branch: VirtualBranch) -> None:
    notes = desk.progress.of(f"virtual-{branch.number}")
    path = f"{COUNTY}/foundings/{notes.get('founding_id')}"
    present, etag = await desk.api.get_with_etag(path, token=desk.token)
    if present["founding"]["state"] == _SUBMITTED:
        body = {"etag": etag.strip('"')}
        await desk.post(f"{path}:approve", body, request_id=notes.request_id(f"approve-{etag}"))
    notes.put("approved", True)


def _as_person(founder: CountyPerson) -> Person:
    """Return a founder as the log-in knows people."""
    return Person(
        key=f"founder-{founder.number:05d}",
        real_name=founder.real_name,
        resident_number=founder.resident_number,
        telephone=founder.telephone,
        county_code=LINQU_COUNTY_CODE,
        branch=None,
        claim=Claim.FULL,
        outcome=Outcome.ACTIVATED,
    )
