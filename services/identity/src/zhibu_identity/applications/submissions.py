"""Filing an application: its checks, the person's key, the search tokens, the numbers that it gets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from zhibu_kit.clock import today_in_shanghai
from zhibu_kit.db import Transaction
from zhibu_kit.errors import FieldViolation, field_error, field_errors, field_violation
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

from zhibu_identity import faults
from zhibu_identity.applications.case_keys import digest_case_code
from zhibu_identity.applications.records import Application, insert_application
from zhibu_identity.county_settings import find_settings
from zhibu_identity.errors import BRANCH_UNKNOWN, COUNTY_CLOSED, ORGANISATION_UNKNOWN, TELEPHONE_PROOF_INVALID
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.keys.vault import Vault
from zhibu_identity.organisations import DECIDING_LEVELS, Level, Organisation, area_of, find_organisation
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import open_details as open_person
from zhibu_identity.rosters.matching import find_on_roster
from zhibu_identity.rules.application import State
from zhibu_identity.rules.codes import CASE_CODE_LENGTH, make_code
from zhibu_identity.rules.findings import Finding, Knowledge, findings_of
from zhibu_identity.rules.numbers import case_number_of
from zhibu_identity.rules.real_name import RealName, read_real_name, search_form
from zhibu_identity.rules.resident_number import ResidentNumber, read_resident_number
from zhibu_identity.rules.search_terms import terms_of_person
from zhibu_identity.rules.telephone import find_telephone_fault
from zhibu_identity.sequences import SequenceKind, next_in_sequence
from zhibu_identity.telephones.proofs import use_proof

_FIRST_VERSION: Final = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """What somebody files."""

    organisation_id: str
    real_name: str
    resident_number: str
    telephone: str
    proof_token: str
    branch_id: str
    membership_claim: int
    consent_version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Name and numbers that passed every check."""

    name: RealName
    number: ResidentNumber
    telephone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Filed:
    """What the applicant gets; the code is shown this once."""

    application: Application
    case_code: str


async def submit(transaction: Transaction, parts: Parts, submission: Submission) -> Filed:
    """File an application; `confirm` tells the key database after the commit.

    Raises:
        ServiceError: field errors, COUNTY_CLOSED, TELEPHONE_PROOF_INVALID.
    """
    person = check_person(
        parts,
        real_name=submission.real_name,
        resident_number=submission.resident_number,
        telephone=submission.telephone,
    )
    organisation = await _deciding_organisation(transaction, submission)
    settings = await find_settings(transaction, organisation.scope_code)
    if not settings.applications_open:
        raise COUNTY_CLOSED()
    if not await use_proof(transaction, parts, submission.proof_token, telephone=submission.telephone):
        raise TELEPHONE_PROOF_INVALID()
    return await _file(transaction, parts, submission, organisation=organisation, person=person)


def check_person(parts: Parts, *, real_name: str, resident_number: str, telephone: str) -> Person:
    """Check name and numbers, and tell of every fault at once.

    Raises:
        ServiceError: INVALID_ARGUMENT with the fields at fault.
    """
    violations: list[FieldViolation] = []
    name = read_real_name(real_name)
    if not isinstance(name, RealName):
        violations.append(field_violation("real_name", faults.REAL_NAME[name]))
    number = read_resident_number(
        resident_number, today=today_in_shanghai(parts.clock), synthetic_allowed=parts.synthetic_allowed
    )
    if not isinstance(number, ResidentNumber):
        violations.append(field_violation("resident_number", faults.RESIDENT_NUMBER[number]))
    telephone_fault = find_telephone_fault(telephone, synthetic_allowed=parts.synthetic_allowed)
    if telephone_fault is not None:
        violations.append(field_violation("telephone", faults.TELEPHONE[telephone_fault]))
    if violations or not isinstance(name, RealName) or not isinstance(number, ResidentNumber):
        raise field_errors(violations)
    return Person(name=name, number=number, telephone=telephone)


async def find_findings(parts: Parts, member_id: str, county_code: str, *, person: Person) -> tuple[Finding, ...]:
    """Ask the indexes whether anybody else has these numbers."""
    numbers, number, telephone = parts.vault.numbers, person.number.value, person.telephone
    async with parts.database.transaction(Scope.of(county_code)) as transaction:
        named = await find_on_roster(transaction, parts, number, county_code=county_code, but_member_id=member_id)
    key = await parts.vault.find_member_key(named.member_id, county_code) if named else None
    # The person on the roster is the applicant: what they share is no doubt about anybody.
    same = {member_id, named.member_id if named else member_id}
    here = await numbers.find_here(NumberKind.RESIDENT, [number], county_code=county_code)
    sharing = await numbers.find_here(NumberKind.TELEPHONE, [telephone], county_code=county_code)
    name = open_person(named.details, key).real_name if named else ""
    knowledge = Knowledge(
        number_in_county=not same.issuperset(here.get(number, ())),
        number_elsewhere=bool(await numbers.find_elsewhere(NumberKind.RESIDENT, [number], county_code=county_code)),
        telephone_shared=not same.issuperset(sharing.get(telephone, ()))
        or bool(await numbers.find_elsewhere(NumberKind.TELEPHONE, [telephone], county_code=county_code)),
        on_roster=named is not None,
        roster_differs=named is not None and search_form(name) != search_form(person.name.value),
    )
    return findings_of(knowledge, rare_name=person.name.rare)


async def index_person(vault: Vault, member_id: str, county_code: str, *, person: Person) -> None:
    """Make a person findable, and their numbers known across counties."""
    terms = terms_of_person(person.name.value, resident_number=person.number.value, telephone=person.telephone)
    await vault.search.put_terms(member_id, county_code, terms)
    await vault.numbers.put(
        member_id,
        county_code,
        [(NumberKind.RESIDENT, person.number.value), (NumberKind.TELEPHONE, person.telephone)],
    )


async def _deciding_organisation(transaction: Transaction, submission: Submission) -> Organisation:
    organisation = await find_organisation(transaction, submission.organisation_id)
    if organisation is None or organisation.level not in DECIDING_LEVELS:
        raise field_error("organisation_id", ORGANISATION_UNKNOWN)
    if submission.branch_id:
        branch = await find_organisation(transaction, submission.branch_id)
        if branch is None or branch.level is not Level.BRANCH or branch.scope_code != organisation.scope_code:
            raise field_error("branch_id", BRANCH_UNKNOWN)
    return organisation


async def _file(
    transaction: Transaction, parts: Parts, submission: Submission, *, organisation: Organisation, person: Person
) -> Filed:
    now = parts.clock.now()
    county_code = organisation.scope_code
    member_id = new_ulid(parts.clock)
    # The other database comes first: should this transaction fail, an unconfirmed key is left there and swept away.
    key = await parts.vault.create_member(member_id, county_code, now=now)
    await index_person(parts.vault, member_id, county_code, person=person)
    findings = await find_findings(parts, member_id, county_code, person=person)
    parts.reached("person indexed")
    # The counter comes last, because it makes the county's other applicants wait.
    year, sequence = await next_in_sequence(transaction, county_code, SequenceKind.CASE, now=now)
    case_number = case_number_of(area_of(organisation.organisation_id), year, sequence=sequence)
    case_code = make_code(CASE_CODE_LENGTH, parts.choose)
    application = Application(
        application_id=new_ulid(parts.clock),
        county_code=county_code,
        organisation_id=organisation.organisation_id,
        member_id=member_id,
        case_number=case_number,
        case_code_digest=digest_case_code(parts, case_number, case_code),
        state=State.SUBMITTED,
        real_name=key.seal(person.name.value, place="application.real_name"),
        resident_number=key.seal(person.number.value, place="application.resident_number"),
        telephone=key.seal(person.telephone, place="application.telephone"),
        branch_id=submission.branch_id,
        membership_claim=submission.membership_claim,
        consent_version=submission.consent_version,
        findings=findings,
        claimed_by_member_id=None,
        claim_expires_at=None,
        question=None,
        answer=None,
        refusal_reason=0,
        refusal_note=None,
        undo_reason=None,
        undo_expires_at=None,
        eid_id=None,
        submitted_at=now,
        updated_at=now,
        version=_FIRST_VERSION,
    )
    await insert_application(transaction, application)
    return Filed(application=application, case_code=case_code)
