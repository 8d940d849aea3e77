"""People on the workbench: made in bulk as a roster makes them, with keys, tokens and numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from integration.identity.running_identity import LINQU, LINQU_BRANCH
from support.synthetic_people import new_resident_number, new_telephone
from zhibu_identity.keys.numbers import NumberKind
from zhibu_identity.parts import Parts
from zhibu_identity.people import PersonDetails, insert_people, new_person, seal_details
from zhibu_identity.rules.search_terms import terms_of_person
from zhibu_kit.ids import new_ulid
from zhibu_kit.scope import Scope


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
            one.member_id: terms_of_person(
                one.real_name, resident_number=one.resident_number, telephone=one.telephone
            )
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
