"""What the gateway answers about persons: the own record, names, corrections."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import Message

CORRECTION_OPEN = "CORRECTION_STATE_OPEN"
PERSON_FIELDS = (
    "PERSON_FIELD_REAL_NAME",
    "PERSON_FIELD_RESIDENT_NUMBER",
    "PERSON_FIELD_ETHNICITY",
    "PERSON_FIELD_EDUCATION",
    "PERSON_FIELD_WORK_UNIT",
    "PERSON_FIELD_ADDRESS",
    "PERSON_FIELD_PARTY_STATUS",
    "PERSON_FIELD_OCCUPATION",
    "PERSON_FIELD_BRANCH",
)


class MemberName(Message):
    member_id: str = ""
    real_name: str = ""


class Person(Message):
    member_id: str = ""
    organisation_id: str = ""
    branch_id: str = ""
    real_name: str = ""
    resident_number: str = ""
    gender: str = "GENDER_UNSPECIFIED"
    birth_date: str = ""
    telephone: str = ""
    ethnicity: str = ""
    education: str = "EDUCATION_UNSPECIFIED"
    work_unit: str = ""
    address: str = ""
    eid_id: str = ""
    eid_state: str = "EID_STATE_UNSPECIFIED"
    in_roster: bool = False
    etag: str = ""
    eid_telephone: str = ""


class Correction(Message):
    correction_id: str = ""
    member_id: str = ""
    field: str = "PERSON_FIELD_UNSPECIFIED"
    current_value: str = ""
    wanted_value: str = ""
    reason: str = ""
    state: str = "CORRECTION_STATE_UNSPECIFIED"
    reply_note: str = ""
    create_time: datetime | None = None
    etag: str = ""
    real_name: str = ""
