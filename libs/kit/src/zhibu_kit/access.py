"""Access: the contract's rule for one RPC, compiled at start into the check that each call passes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import Message

from zhibu_kit.errors import INSUFFICIENT_SCOPE, PERMISSION_DENIED, UNAUTHENTICATED
from zhibu_kit.method import Method
from zhibu_kit.ports import GrantSource, OrganisationTree
from zhibu_kit.principal import Principal
from zhibu_kit.scope import Scope

ANY_SERVICE: Final = "*"
# A client acts for a person only as far as that client was registered: without this scope it reads and changes nothing.
API_SCOPE: Final = "zhibu-api"
WRITE_SCOPE: Final = "zhibu-write"


class ContractError(Exception):
    """The contract says something about an RPC that cannot be enforced; the service does not start."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Admission:
    """What the rule granted: who calls (with grants, where the rule asks for them), about which organisation, and which counties are shown."""

    principal: Principal | None
    organisation_id: str | None
    scope: Scope


# Judges one call: the verified principal (None without a token) and the request.
Check = Callable[[Principal | None, Message], Awaitable[Admission]]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessRule:
    """A compiled rule. `reads_token` is false for anonymous methods: their token is not even looked at."""

    reads_token: bool
    check: Check


def compile_access(method: Method, *, organisations: OrganisationTree, grants: GrantSource) -> AccessRule:
    """Compile the `access` option of an RPC.

    Raises:
        ContractError: when the RPC carries no rule, or one that cannot be enforced.
    """
    match method.access.WhichOneof("rule"):
        case "permission":
            return AccessRule(reads_token=True, check=_permission(method, organisations, grants))
        case "self" if method.access.self:
            return AccessRule(reads_token=True, check=_self(method, grants))
        case "public" if method.access.public:
            return AccessRule(reads_token=True, check=_public)
        case "service" if method.access.service.names:
            return AccessRule(reads_token=True, check=_service(frozenset(method.access.service.names)))
        case "anonymous" if method.access.anonymous:
            return AccessRule(reads_token=False, check=_anonymous)
        case _:
            raise ContractError(f"{method.name} has no access rule in the contract")


def _permission(method: Method, organisations: OrganisationTree, grants: GrantSource) -> Check:
    permission = method.access.permission.name
    if not permission:
        raise ContractError(f"{method.name} demands a permission without a name")
    organisation_of = _field_reader(method, method.access.permission.organisation_field)

    async def check(principal: Principal | None, request: Message) -> Admission:
        principal = await _with_offices(_person(method, principal), grants)
        organisation_id = organisation_of(request)
        # An organisation that is not there and one that is not the caller's get the same answer, so that nobody can
        # find out by trying which ones there are.
        ancestry = await organisations.ancestry(organisation_id) if organisation_id else None
        if ancestry is None or not any(
            permission in grant.permissions and grant.organisation_id in ancestry.organisation_ids
            for grant in principal.grants
        ):
            raise PERMISSION_DENIED()
        counties = (ancestry.county_code,) if ancestry.county_code else ()
        return Admission(principal=principal, organisation_id=organisation_id, scope=Scope.of(*counties))

    return check


def _self(method: Method, grants: GrantSource) -> Check:
    offices = method.access.offices

    async def check(principal: Principal | None, request: Message) -> Admission:
        principal = _person(method, principal)
        if offices:
            principal = await _with_offices(principal, grants)
        scope = Scope.of_county(principal.county_code)
        return Admission(principal=principal, organisation_id=None, scope=scope)

    return check


async def _public(principal: Principal | None, request: Message) -> Admission:
    return Admission(principal=principal, organisation_id=None, scope=Scope.none())


def _service(names: Iterable[str]) -> Check:
    async def check(principal: Principal | None, request: Message) -> Admission:
        if principal is None:
            raise UNAUTHENTICATED()
        if principal.service is None or (ANY_SERVICE not in names and principal.service not in names):
            raise PERMISSION_DENIED()
        return Admission(principal=principal, organisation_id=None, scope=Scope.none())

    return check


async def _anonymous(principal: Principal | None, request: Message) -> Admission:
    return Admission(principal=None, organisation_id=None, scope=Scope.none())


def _person(method: Method, principal: Principal | None) -> Principal:
    """Return the principal of a person; services are refused, and clients that may not do what the method does."""
    if principal is None:
        raise UNAUTHENTICATED()
    if principal.service is not None:
        raise PERMISSION_DENIED()
    if WRITE_SCOPE not in principal.scopes and not method.reads:
        raise INSUFFICIENT_SCOPE(scope=WRITE_SCOPE)
    return principal


async def _with_offices(principal: Principal, grants: GrantSource) -> Principal:
    return replace(principal, grants=await grants.grants_of(principal.account_id))


def _field_reader(method: Method, path: str) -> Callable[[Message], str]:
    """Return a function that reads the string at a dotted path of the request."""
    descriptor: Descriptor | None = method.descriptor.input_type
    names = path.split(".")
    field: FieldDescriptor | None = None
    for name in names:
        field = descriptor.fields_by_name.get(name) if descriptor else None
        if field is None or field.is_repeated:
            raise ContractError(f"{method.name}: the request has no single field {path!r} to name the organisation")
        descriptor = field.message_type
    if field is None or field.type != FieldDescriptor.TYPE_STRING:
        raise ContractError(f"{method.name}: the request's {path!r} is no string")
    *parents, last = names

    def read(request: Message) -> str:
        message = request
        for parent in parents:
            message = getattr(message, parent)
        return getattr(message, last)

    return read
