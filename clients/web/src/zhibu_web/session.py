"""What the web client remembers of one browser: tokens of a member, or the half-filled application of a visitor."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from zhibu_web.contract import Grant, Receipt


class _Remembered(BaseModel):
    model_config = ConfigDict(extra="ignore", validate_assignment=True)


class Tokens(_Remembered):
    """What Keycloak gave us for a member; it never reaches the browser."""

    access_token: str
    access_expire_time: datetime
    refresh_token: str = ""
    id_token: str = ""


class Member(_Remembered):
    """Who is logged in, as far as every page needs it."""

    account_id: str
    member_id: str = ""
    eid_number: str = ""
    real_name: str = ""
    # The organisation that issued the e-ID, for members their county.
    organisation_id: str = ""
    grants: list[Grant] = Field(default_factory=list[Grant])
    # When name and offices were last asked for; None: not yet.
    known_time: datetime | None = None
    # When the person last proved to Keycloak who they are.
    login_time: datetime | None = None


class ApplicationDraft(_Remembered):
    """A half-filled application."""

    consent_version: str = ""
    city_id: str = ""
    county_id: str = ""
    township_id: str = ""
    branch_id: str = ""
    telephone: str = ""
    telephone_proof_id: str = ""
    proof_expire_time: datetime | None = None
    resend_time: datetime | None = None
    proof_token: str = ""
    real_name: str = ""
    resident_number: str = ""
    membership_claim: str = ""
    # One identifier for the filing, so that pressing twice files once.
    request_id: str = ""


class CaseKey(_Remembered):
    """Number and code of the case that the visitor follows."""

    case_number: str
    case_code: str


class TelephoneChange(_Remembered):
    """A member's change of telephone under way."""

    telephone: str
    telephone_proof_id: str
    resend_time: datetime


class Flash(_Remembered):
    """A message for the next page."""

    kind: Literal["success", "notice", "error"]
    text: str
    detail: str = ""


class Upcoming(_Remembered):
    """The cases that wait behind the one on the clerk's screen, so that the next one is there at once."""

    organisation_id: str
    application_ids: list[str]


class Decided(_Remembered):
    """The case that was approved last, so that a wrong key is undone at once."""

    organisation_id: str
    application_id: str
    name: str


class SessionData(_Remembered):
    """Everything remembered of one browser."""

    tokens: Tokens | None = None
    member: Member | None = None
    draft: ApplicationDraft | None = None
    receipt: Receipt | None = None
    case_key: CaseKey | None = None
    flashes: list[Flash] = Field(default_factory=list[Flash])
    # How many notices wait unread; counted anew after a while, and whenever some are read here.
    unread_count: int = 0
    unread_known_time: datetime | None = None
    telephone_change: TelephoneChange | None = None
    # What the clerk searched for last; it must not stand in an address.
    searches: dict[str, str] = Field(default_factory=dict[str, str])
    upcoming: Upcoming | None = None
    decided: Decided | None = None
