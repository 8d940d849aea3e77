"""What a row means against the records: somebody new, a change, nothing, or a problem. No I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from zhibu_identity.people.records import PersonDetails, PersonRecord
from zhibu_identity.rosters.payloads import FieldChange
from zhibu_identity.rosters.places import Place, Places
from zhibu_identity.rosters.reading.fields import (
    EDUCATION_WORDS,
    OCCUPATION_WORDS,
    STATUS_WORDS,
    Education,
    Field,
    Occupation,
    Status,
)
from zhibu_identity.rosters.reading.people import Person, PersonRow
from zhibu_identity.rosters.reading.problems import Problem, Reason
from zhibu_identity.rosters.records import Difference
from zhibu_identity.rules.real_name import search_form

# Of a telephone, as much as tells which one is meant.
_LAST_SHOWN: Final = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fact:
    """What rosters last said of a person's dates, status and occupation."""

    status: int = 0
    applied_date: str = ""
    admitted_date: str = ""
    confirmed_date: str = ""
    occupation: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """A person whom the county knows."""

    record: PersonRecord
    details: PersonDetails
    fact: Fact | None
    # Of the living e-ID; None when there is none.
    eid_telephone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What a row means. What is not taken over is told by a notice, and the row's person does not have it."""

    row: PersonRow
    difference: Difference
    notices: tuple[Problem, ...] = ()
    member_id: str | None = None
    branch_id: str = ""
    branch_name: str = ""
    missing_branch: str = ""
    changes: tuple[FieldChange, ...] = ()


def judge_row(row: PersonRow, *, known: Known | None, elsewhere: bool, places: Places) -> Verdict:
    """Judge a row. `elsewhere` says that another county has somebody with the number."""
    problems: list[tuple[Reason, Field, dict[str, str]]] = []
    said = row.person
    missing = ""
    place = places.find_branch(said.branch, said.committee)
    if isinstance(place, Reason):
        # A person whom a branch holds already may stay there when the file does not say.
        if place is not Reason.BRANCH_MISSING or known is None or not known.record.branch_id:
            problems.append((place, Field.BRANCH, {"value": said.branch}))
        if place is Reason.BRANCH_UNKNOWN:
            missing = said.branch
        place = None
    if known is not None and known.record.closed:
        problems.append((Reason.RECORD_ENDED, Field.RESIDENT_NUMBER, {}))
    elif known is not None and known.record.branch_id and not places.is_within(known.record.branch_id):
        value = places.name_of(known.record.branch_id)
        problems.append((Reason.OUTSIDE_ORGANISATION, Field.RESIDENT_NUMBER, {"value": value}))
    elif known is None and elsewhere:
        problems.append((Reason.NUMBER_ELSEWHERE, Field.RESIDENT_NUMBER, {}))
    status_told = any(problem.field is Field.STATUS for problem in row.problems)
    if known is None and not said.status and not status_told:
        problems.append((Reason.STATUS_MISSING, Field.STATUS, {}))
    row = row.with_problems(problems)
    branch_id = place.organisation_id if place else (known.record.branch_id if known else "")
    verdict = Verdict(
        row=row,
        difference=Difference.PROBLEM,
        member_id=known.record.member_id if known else None,
        branch_id=branch_id,
        branch_name=places.name_of(branch_id) or said.branch,
        missing_branch=missing,
    )
    if row.problems:
        return verdict
    if known is None:
        return replace(verdict, difference=Difference.NEW)
    if _is_telephone_of_eid(said, known):
        notice = row.problem(Reason.TELEPHONE_OF_EID, Field.TELEPHONE, {"value": said.telephone[-_LAST_SHOWN:]})
        said = replace(said, telephone="")
        verdict = replace(verdict, row=replace(row, person=said), notices=(notice,))
    changes = changes_of(said, known, place=place, places=places)
    return replace(verdict, difference=Difference.CHANGED if changes else Difference.SAME, changes=changes)


def _is_telephone_of_eid(said: Person, known: Known) -> bool:
    """Whether a row would change where the log-in codes or notices of an e-ID go: that is an act with proofs of its own."""
    if known.eid_telephone is None or not said.telephone:
        return False
    return {said.telephone} != {known.eid_telephone, known.details.telephone}


def changes_of(said: Person, known: Known, *, place: Place | None, places: Places) -> tuple[FieldChange, ...]:
    """Return what a row says differently; what it does not say stays."""
    details, fact = known.details, known.fact or Fact()
    changes: list[FieldChange] = []

    def compare(field: Field, old: str, new: str) -> None:
        if new and old != new:
            changes.append(FieldChange(field=field, old=old, new=new))

    # Two spellings of one name (dots, variants) are the same name.
    if search_form(said.real_name) != search_form(details.real_name):
        compare(Field.REAL_NAME, details.real_name, said.real_name)
    compare(Field.TELEPHONE, details.telephone, said.telephone)
    compare(Field.ETHNICITY, details.ethnicity, said.ethnicity)
    compare(Field.EDUCATION, education_word(details.education), education_word(said.education))
    compare(Field.WORK_UNIT, details.work_unit, said.work_unit)
    compare(Field.ADDRESS, details.address, said.address)
    # Branches knows the status best; until it has told, the last roster does.
    compare(Field.STATUS, status_word(known.record.party_status or fact.status), status_word(said.status))
    compare(Field.APPLIED_DATE, fact.applied_date, said.applied_date)
    compare(Field.ADMITTED_DATE, fact.admitted_date, said.admitted_date)
    compare(Field.CONFIRMED_DATE, fact.confirmed_date, said.confirmed_date)
    compare(Field.OCCUPATION, occupation_word(fact.occupation), occupation_word(said.occupation))
    if place is not None and place.organisation_id != known.record.branch_id:
        old = places.name_of(known.record.branch_id)
        changes.append(FieldChange(field=Field.BRANCH, old=old, new=place.name))
    return tuple(changes)


def merged(details: PersonDetails, said: Person) -> PersonDetails:
    """Return a person's details after a roster: what it says, and what it does not say as it was."""
    same_name = search_form(said.real_name) == search_form(details.real_name)
    return PersonDetails(
        real_name=details.real_name if same_name else said.real_name,
        resident_number=said.resident_number or details.resident_number,
        telephone=said.telephone or details.telephone,
        ethnicity=said.ethnicity or details.ethnicity,
        education=said.education or details.education,
        work_unit=said.work_unit or details.work_unit,
        address=said.address or details.address,
    )


def status_word(status: int) -> str:
    """Return the word for a status, empty for none."""
    return STATUS_WORDS[Status(status)][0] if status else ""


def occupation_word(occupation: int) -> str:
    """Return the word for an occupation, empty for none."""
    return OCCUPATION_WORDS[Occupation(occupation)][0] if occupation else ""


def education_word(education: int) -> str:
    """Return the word for a schooling, empty for none."""
    return EDUCATION_WORDS[Education(education)][0] if education else ""
