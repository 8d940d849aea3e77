"""What an officer searches the log for: kept in the session, because who is searched for must not stand in an address."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from pydantic import BaseModel, ConfigDict, ValidationError
from zhibu_kit.clock import SHANGHAI

from zhibu_web.contract_log import DONE, READ, REFUSED
from zhibu_web.visit import Visit

OUTCOMES: Final = (READ, DONE, REFUSED)
# The kinds of acts that the form offers: beginnings of their names in the contract.
PREFIXES: Final = (
    "identity.application",
    "identity.eid",
    "identity.activation",
    "identity.people",
    "identity.person",
    "identity.document",
    "identity.correction",
    "identity.roster",
    "identity.erasure",
    "identity.recover",
    "identity.grant",
    "identity.certificate",
    "branches.member",
    "branches.organisation",
    "branches.committee",
    "branches.founding",
    "branches.survey",
    "notify.",
    "audit.",
)
FIELDS: Final = {
    "memberId": "member",
    "subjectId": "subject",
    "actionPrefix": "kind",
    "outcome": "outcome",
    "startTime": "from_day",
    "endTime": "to_day",
}
MEMBER_ID: Final = re.compile(r"^[0-9a-z]{26}$", re.ASCII)
IDENTIFIER: Final = re.compile(r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$", re.ASCII)


class LogSearch(BaseModel):
    """One search at one desk, in the words of the form; names are those that the officer chose."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    organisation_id: str = ""
    member: str = ""
    member_id: str = ""
    subject: str = ""
    subject_id: str = ""
    kind: str = ""
    outcome: str = ""
    from_day: str = ""
    to_day: str = ""

    @property
    def narrow(self) -> bool:
        """Whether anything is searched for at all."""
        return any((self.member_id, self.subject_id, self.kind, self.outcome, self.from_day, self.to_day))

    def params(self) -> dict[str, object]:
        """Return the search as the gateway wants it."""
        return {
            "memberId": self.member_id,
            "subjectId": self.subject_id,
            "actionPrefix": self.kind,
            "outcome": self.outcome,
            "startTime": instant_of(self.from_day),
            "endTime": instant_of(self.to_day, days_later=1),
        }


def search_of(remembered: str, organisation_id: str) -> LogSearch:
    """Return the search that is remembered for a desk; everything when it was at another one, or of another version."""
    try:
        search = LogSearch.model_validate_json(remembered)
    except ValidationError:
        return LogSearch(organisation_id=organisation_id)
    return search if search.organisation_id == organisation_id else LogSearch(organisation_id=organisation_id)


def read_search(visit: Visit, organisation_id: str) -> LogSearch:
    """Read the form, and note what is wrong with it."""
    form = visit.form
    first, last = read_day(visit, "from_day"), read_day(visit, "to_day")
    if first and last and last < first:
        form.refuse("to_day", visit.t("log.period_backwards"))
    kind, outcome = form.value("kind"), form.value("outcome")
    return LogSearch(
        organisation_id=organisation_id,
        kind=kind if kind in PREFIXES else "",
        outcome=outcome if outcome in OUTCOMES else "",
        from_day=first.isoformat() if first else "",
        to_day=last.isoformat() if last else "",
    )


def read_day(visit: Visit, name: str) -> date | None:
    """Read a day that may be left out, and note what is no day."""
    entered = visit.form.value(name)
    try:
        return date.fromisoformat(entered) if entered else None
    except ValueError:
        visit.form.refuse(name, visit.t("desk.date_bad"))
        return None


def instant_of(day: str, *, days_later: int = 0) -> str:
    """Return the instant at which a day begins in Shanghai, as the contract writes it; empty without a day."""
    if not day:
        return ""
    begins = datetime.combine(date.fromisoformat(day) + timedelta(days=days_later), time(), SHANGHAI)
    return begins.astimezone(UTC).isoformat().replace("+00:00", "Z")
