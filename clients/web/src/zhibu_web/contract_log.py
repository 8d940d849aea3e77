"""What the gateway answers about the log: entries, their proofs, its state and its incidents."""

from __future__ import annotations

from datetime import datetime

from zhibu_web.contract import ListPage, Message

READ = "ENTRY_OUTCOME_READ"
DONE = "ENTRY_OUTCOME_DONE"
REFUSED = "ENTRY_OUTCOME_REFUSED"
OPEN = "INCIDENT_STATE_OPEN"
SIGNED = "INCIDENT_STATE_SIGNED"


class EntryOffice(Message):
    office: str = ""
    office_text: str = ""
    organisation_id: str = ""
    organisation_name: str = ""


class Entry(Message):
    index: int = 0
    lane: str = ""
    sequence: int = 0
    action: str = ""
    action_text: str = ""
    outcome: str = "ENTRY_OUTCOME_UNSPECIFIED"
    reason: str = ""
    account_id: str = ""
    member_id: str = ""
    caller_service: str = ""
    offices: tuple[EntryOffice, ...] = ()
    organisation_id: str = ""
    organisation_name: str = ""
    subject_id: str = ""
    subjects_count: int = 0
    create_time: datetime | None = None
    provable: bool = False


class EntryPage(ListPage):
    entries: tuple[Entry, ...] = ()


class SubjectOpening(Message):
    subject_id: str = ""
    salt: str = ""
    commitments: tuple[str, ...] = ()


class ProvenEntry(Message):
    """An entry with its proof; `leaf` is the entry as it stands in the log, in Base64."""

    entry: Entry = Entry()
    leaf: str = ""
    proof: str = ""
    verifier_key: str = ""
    witness_keys: tuple[str, ...] = ()
    quorum: int = 0
    opening: SubjectOpening | None = None


class Lane(Message):
    lane: str = ""
    sequence: int = 0
    stopped: bool = False
    stop_time: datetime | None = None
    incident_id: str = ""
    update_time: datetime | None = None


class Witness(Message):
    name: str = ""
    verifier_key: str = ""
    size: int = 0
    cosign_time: datetime | None = None


class LogState(Message):
    origin: str = ""
    verifier_key: str = ""
    size: int = 0
    sign_time: datetime | None = None
    waiting_count: int = 0
    lanes: tuple[Lane, ...] = ()
    witnesses: tuple[Witness, ...] = ()
    quorum: int = 0


class Incident(Message):
    incident_id: str = ""
    kind: str = "INCIDENT_KIND_UNSPECIFIED"
    state: str = "INCIDENT_STATE_UNSPECIFIED"
    lane: str = ""
    from_sequence: int = 0
    to_sequence: int = 0
    statement: str = ""
    first_signed_by_member_id: str = ""
    second_signed_by_member_id: str = ""
    create_time: datetime | None = None
    close_time: datetime | None = None
    entry_index: int = 0
    etag: str = ""

    @property
    def waits(self) -> bool:
        """Whether a signature is still missing."""
        return self.state in (OPEN, SIGNED)


class IncidentPage(ListPage):
    incidents: tuple[Incident, ...] = ()
