"""The access matrix: what each role may do with each RPC at each place, computed from the contract and the offices alone.

Nothing of the kit's own judgement is used here: the tests compare the two.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from google.protobuf.descriptor import MethodDescriptor
from zhibu.policy.v1 import policy_pb2
from zhibu_docs.contract import audited_of, http_rule_of
from zhibu_kit.offices import OFFICES


class Verdict(StrEnum):
    """What the door says; what happens behind it is another matter."""

    ADMITTED = "admitted"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    INSUFFICIENT_SCOPE = "INSUFFICIENT_SCOPE"


class Bearer(StrEnum):
    """What stands behind the token."""

    NOBODY = "nobody"
    PERSON = "person"
    SERVICE = "service"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """An organisation of the small tree that the matrix is about."""

    name: str
    organisation_id: str
    ancestors: tuple[str, ...]
    level: str
    county_code: str | None


PROVINCE: Final = Place(name="province", organisation_id="37", ancestors=(), level="province", county_code=None)
CITY: Final = Place(name="city", organisation_id="3707", ancestors=("37",), level="city", county_code=None)
COUNTY: Final = Place(
    name="own county", organisation_id="370724", ancestors=("3707", "37"), level="county", county_code="370724"
)
TOWNSHIP: Final = Place(
    name="own township",
    organisation_id="370724001",
    ancestors=("370724", "3707", "37"),
    level="township",
    county_code="370724",
)
BRANCH: Final = Place(
    name="own branch",
    organisation_id="370724-b01jd0000000000000000000001",
    ancestors=("370724001", "370724", "3707", "37"),
    level="branch",
    county_code="370724",
)
OTHER_COUNTY: Final = Place(
    name="other county", organisation_id="370781", ancestors=("3707", "37"), level="county", county_code="370781"
)
UNKNOWN: Final = Place(name="no such county", organisation_id="999999", ancestors=(), level="county", county_code=None)
PLACES: Final = (PROVINCE, CITY, COUNTY, TOWNSHIP, BRANCH, OTHER_COUNTY, UNKNOWN)
TREE: Final = tuple(place for place in PLACES if place is not UNKNOWN)
_OWN_PLACES: Final = {place.level: place for place in (PROVINCE, CITY, COUNTY, TOWNSHIP, BRANCH)}


@dataclass(frozen=True, slots=True, kw_only=True)
class Role:
    """A kind of caller.

    `office` is held at `place`; `in_force` is false when it has ended. `writes` is false when the client, through which the
    person acts, was registered without the scope for changing anything.
    """

    name: str
    bearer: Bearer
    office: str | None = None
    place: Place | None = None
    in_force: bool = True
    writes: bool = True
    service: str | None = None

    @property
    def key(self) -> str:
        """The name as part of an identifier."""
        return "".join(character if character.isalnum() else "-" for character in self.name)


def roles(services: tuple[str, ...]) -> tuple[Role, ...]:
    """Return every kind of caller: nobody, plain and revoked people, every office at every level, every service."""
    offices = [
        Role(name=f"{office.name} at the {level}", bearer=Bearer.PERSON, office=office.name, place=_OWN_PLACES[level])
        for office in OFFICES.values()
        for level in office.levels
    ]
    return (
        Role(name="nobody", bearer=Bearer.NOBODY),
        Role(name="plain member", bearer=Bearer.PERSON),
        Role(name="revoked administrator", bearer=Bearer.REVOKED, office="county_admin", place=COUNTY),
        Role(name="former administrator", bearer=Bearer.PERSON, office="county_admin", place=COUNTY, in_force=False),
        Role(
            name="administrator through a reading client",
            bearer=Bearer.PERSON,
            office="county_admin",
            place=COUNTY,
            writes=False,
        ),
        *offices,
        *(Role(name=f"service {service}", bearer=Bearer.SERVICE, service=service) for service in services),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One cell: who calls what about which place (None where the request names none), and what the door must say."""

    method: MethodDescriptor
    role: Role
    place: Place | None
    verdict: Verdict

    def __str__(self) -> str:
        where = f" about the {self.place.name}" if self.place else ""
        return f"{self.role.name} calling {self.method.full_name}{where}: {self.verdict}"


def cells(methods: Iterator[MethodDescriptor], all_roles: tuple[Role, ...]) -> Iterator[Cell]:
    """Give every cell of the matrix."""
    for method in methods:
        places = PLACES if access_of(method).WhichOneof("rule") == "permission" else (None,)
        for role in all_roles:
            for place in places:
                yield Cell(method=method, role=role, place=place, verdict=verdict(method, role, place))


def access_of(method: MethodDescriptor) -> policy_pb2.Access:
    """Return the contract's rule for an RPC."""
    return method.GetOptions().Extensions[policy_pb2.access]


def verdict(method: MethodDescriptor, role: Role, place: Place | None) -> Verdict:
    """Say what the door must answer."""
    access = access_of(method)
    rule = access.WhichOneof("rule")
    if rule == "anonymous":
        return Verdict.ADMITTED
    if role.bearer is Bearer.REVOKED:
        return Verdict.UNAUTHENTICATED
    if rule == "public":
        return Verdict.ADMITTED
    if role.bearer is Bearer.NOBODY:
        return Verdict.UNAUTHENTICATED
    if rule == "service":
        named = role.service is not None and ("*" in access.service.names or role.service in access.service.names)
        return Verdict.ADMITTED if named else Verdict.PERMISSION_DENIED
    if role.bearer is Bearer.SERVICE:
        return Verdict.PERMISSION_DENIED
    if not role.writes and not _only_reads(method):
        return Verdict.INSUFFICIENT_SCOPE
    if rule == "self":
        return Verdict.ADMITTED
    if rule == "permission" and place is not None and _holds(role, access.permission.name, place):
        return Verdict.ADMITTED
    # Also what the contract does not speak of: deny by default.
    return Verdict.PERMISSION_DENIED


def _only_reads(method: MethodDescriptor) -> bool:
    """A GET reads; a search is a POST whose entry in the log says that it is a reading."""
    http, audited = http_rule_of(method), audited_of(method)
    return (http is not None and bool(http.get)) or (audited is not None and audited.reading)


def _holds(role: Role, permission: str, place: Place) -> bool:
    if role.office is None or role.place is None or not role.in_force or place is UNKNOWN:
        return False
    reaches = role.place.organisation_id in (place.organisation_id, *place.ancestors)
    return reaches and permission in OFFICES[role.office].permissions
