"""People on the workbench: made in bulk as a roster makes them, with keys, tokens and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING

from integration.identity.running_identity import LINQU, LINQU_BRANCH, Identity, Officer
from integration.identity.setting_up import Databases
from support.rpc import Metadata, bearer
from support.synthetic_people import new_resident_number, new_telephone
from zhibu.identity.v1.document_service_pb2_grpc import DocumentServiceStub
from zhibu.identity.v1.erasure_service_pb2_grpc import ErasureServiceStub
from zhibu.identity.v1.people_service_pb2_grpc import PeopleServiceStub
from zhibu.identity.v1.recovery_service_pb2_grpc import RecoveryServiceStub
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import PersonDetails, insert_people, new_person, seal_details
from zhibu_identity.rules.search_terms import terms_of_person
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope

if TYPE_CHECKING:
    # The generated stubs know asynchronous callers only by these names, which do not exist at run time.
    from zhibu.identity.v1.document_service_pb2_grpc import DocumentServiceAsyncStub
    from zhibu.identity.v1.erasure_service_pb2_grpc import ErasureServiceAsyncStub
    from zhibu.identity.v1.people_service_pb2_grpc import PeopleServiceAsyncStub
    from zhibu.identity.v1.recovery_service_pb2_grpc import RecoveryServiceAsyncStub

TOWNSHIP = "370724101"
TOWNSHIP_BRANCH = "370724-b01jd0000000000000000000003"
VIRTUAL_BRANCH = "370724-b01jd0000000000000000000004"
SECRETARY = Officer(account_id="account-secretary", member_id="0" * 25 + "f", county_code=LINQU)
TOWNSHIP_OFFICER = Officer(account_id="account-township", member_id="0" * 25 + "g", county_code=LINQU)
SECOND_ADMIN = Officer(account_id="account-second-admin", member_id="0" * 25 + "h", county_code=LINQU)
VIRTUAL_SECRETARY = Officer(account_id="account-virtual", member_id="0" * 25 + "j", county_code=LINQU)
MORE_OFFICES = {
    SECRETARY: ("branch_secretary", LINQU_BRANCH),
    TOWNSHIP_OFFICER: ("township_officer", TOWNSHIP),
    SECOND_ADMIN: ("county_admin", LINQU),
    VIRTUAL_SECRETARY: ("branch_secretary", VIRTUAL_BRANCH),
}


async def add_organisations_and_officers(databases: Databases) -> None:
    """Add a township with a branch, a virtual branch, and officers of branches and of the township."""
    await databases.owner.executemany(
        "insert into kit_organisation values ($1, $2, 5, $3, $4, true, 1)",
        [
            (TOWNSHIP_BRANCH, TOWNSHIP, "辛寨街道第一党支部", LINQU),
            (VIRTUAL_BRANCH, LINQU, "临朐县蔬菜产业党支部", LINQU),
        ],
    )
    for officer, (office, organisation_id) in MORE_OFFICES.items():
        await databases.owner.execute(
            "insert into kit_grant values ($1, $2, $3, $4, $5, '', $6, $7, false, 1)",
            new_ulid(),
            officer.account_id,
            officer.member_id,
            office,
            organisation_id,
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2036, 1, 1, tzinfo=UTC),
        )


def people_of(identity: Identity) -> PeopleServiceAsyncStub:
    return PeopleServiceStub(identity.channel)


def erasures_of(identity: Identity) -> ErasureServiceAsyncStub:
    return ErasureServiceStub(identity.channel)


def recoveries_of(identity: Identity) -> RecoveryServiceAsyncStub:
    return RecoveryServiceStub(identity.channel)


def documents_of(identity: Identity) -> DocumentServiceAsyncStub:
    return DocumentServiceStub(identity.channel)


def as_member(
    identity: Identity, member_id: str, county_code: str = LINQU, overrides: Mapping[str, object] = MappingProxyType({})
) -> Metadata:
    """Return what a member sends who has logged in with the newest account; `overrides` replace claims of the token."""
    account = identity.accounts.of_member(member_id)[-1]
    claims = identity.issuer.claims(account.account_id, member_id=member_id, county_code=county_code)
    changed = {name: value for name, value in (claims | dict(overrides)).items() if value is not None}
    return bearer(identity.issuer.sign(changed))


@dataclass(frozen=True, slots=True, kw_only=True)
class RosterPerson:
    """Somebody whom a roster names."""

    real_name: str = "王建国"
    resident_number: str = field(default_factory=new_resident_number)
    telephone: str = field(default_factory=new_telephone)
    ethnicity: str = "汉族"
    education: int = 5
    county_code: str = LINQU
    branch_id: str = LINQU_BRANCH
    member_id: str = field(default_factory=new_ulid)


async def enter_people(parts: Parts, people: Sequence[RosterPerson]) -> None:
    """Make people of one county known, with keys, tokens and numbers, as the import of a roster does."""
    county_code, now = people[0].county_code, parts.clock.now()
    keys = await parts.vault.create_members([one.member_id for one in people], county_code, now=now)
    await parts.vault.search.put_terms_of_many(
        county_code,
        {
            one.member_id: terms_of_person(one.real_name, resident_number=one.resident_number, telephone=one.telephone)
            for one in people
        },
    )
    await parts.vault.numbers.put_of_many(
        county_code,
        {
            one.member_id: [(NumberKind.RESIDENT, one.resident_number), (NumberKind.TELEPHONE, one.telephone)]
            for one in people
        },
    )
    async with parts.database.transaction(Scope.of(county_code)) as transaction:
        await insert_people(
            transaction,
            [
                new_person(
                    member_id=one.member_id,
                    county_code=county_code,
                    branch_id=one.branch_id,
                    details=seal_details(
                        PersonDetails(
                            real_name=one.real_name,
                            resident_number=one.resident_number,
                            telephone=one.telephone,
                            ethnicity=one.ethnicity,
                            education=one.education,
                        ),
                        keys[one.member_id],
                    ),
                    in_roster=True,
                    now=now,
                )
                for one in people
            ],
        )
    await parts.vault.confirm_many([one.member_id for one in people], county_code)


async def give_status(databases: Databases, member_ids: Sequence[str], status: int) -> None:
    """Have people stand as a branch would record it; the number is the contract's."""
    await databases.owner.execute(
        "update person set party_status = $2 where member_id = any($1)", list(member_ids), status
    )
