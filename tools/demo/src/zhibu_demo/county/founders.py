"""The founders of the virtual branches: each logs in for the first time and signs, as 1,493 members did in Linqu."""

import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from zhibu_demo.activation import LogIn
from zhibu_demo.api import Api, TokenSource, segment
from zhibu_demo.county.plan import CountyPerson, VirtualBranch
from zhibu_demo.divisions import LINQU_COUNTY_CODE
from zhibu_demo.people import Claim, Outcome, Person
from zhibu_demo.progress import Progress

_LETTERS: Final = "abcdefghjkmnpqrstuvwxyz23456789"
_PASSWORD_LENGTH: Final = 12


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
    """A person of the county who signs a founding, with the e-ID that the desk sees."""

    person: Person
    eid_id: str


def as_person(founder: CountyPerson) -> Person:
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


async def hand_over_code(api: Api, progress: Progress, admin: TokenSource, founder: Founder) -> None:
    """Have the founder's activation code shown at the county's desk."""
    notes = progress.of(founder.person.key)
    if notes.get("activated"):
        return
    count = int(notes.get("codes_issued") or 0) + 1
    notes.put("codes_issued", count)
    path = f"/v1/organisations/{LINQU_COUNTY_CODE}/eids/{founder.eid_id}:issueActivationCode"
    answer = await api.post(path, {}, token=admin, request_id=notes.request_id(f"activation-code-{count}"))
    notes.put("activation_code", answer["activationCode"])
    notes.put("eid_number", answer["eidNumber"])


async def found(
    api: Api, progress: Progress, log_in: FounderLogIn, *, branch: VirtualBranch, founders: Iterable[Founder]
) -> None:
    """Propose a virtual branch, have everybody sign, and hand it to the county."""
    notes = progress.of(f"virtual-{branch.number}")
    if notes.get("submitted"):
        return
    first, *others = founders
    initiator = (await log_in.activate(first.person)).token
    founding_id = notes.get("founding_id")
    if not founding_id:
        body = {
            "organisationId": LINQU_COUNTY_CODE,
            "name": branch.name,
            "kind": branch.kind,
            "purpose": "方便身在各处、行业相近的党员一起过组织生活，互相帮助。",
        }
        answer = await api.post("/v1/foundings", body, token=initiator, request_id=notes.request_id("propose"))
        founding_id = answer["founding"]["foundingId"]
        notes.put("founding_id", founding_id)
    path = f"/v1/foundings/{segment(founding_id)}"
    for founder in others:
        signed = progress.of(founder.person.key)
        if not signed.get("signed"):
            token = (await log_in.activate(founder.person)).token
            await api.post(f"{path}:cosign", {}, token=token, request_id=signed.request_id("cosign"))
            signed.put("signed", True)
            log_in.forget(founder.person)
    _, etag = await api.get_with_etag(path, token=initiator)
    await api.post(f"{path}:submit", {"etag": etag.strip('"')}, token=initiator, request_id=notes.request_id("submit"))
    notes.put("submitted", True)
    log_in.forget(first.person)
