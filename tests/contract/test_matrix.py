"""The access matrix itself: complete, denying by default, and without permissions that nobody demands or carries."""

from collections import Counter

import pytest
from google.protobuf.descriptor import MethodDescriptor
from support.access_matrix import COUNTY, OTHER_COUNTY, PLACES, Bearer, Cell, Verdict, access_of, cells, roles
from zhibu_docs.contract import http_rule_of, methods
from zhibu_docs.events import service_names
from zhibu_kit.offices import LEVELS, OFFICES

_ROLES = roles(service_names())
_CELLS = tuple(cells(methods(), _ROLES))
_METHODS = tuple(methods())


def _demanded() -> dict[str, list[MethodDescriptor]]:
    demanded: dict[str, list[MethodDescriptor]] = {}
    for method in _METHODS:
        if access_of(method).WhichOneof("rule") == "permission":
            demanded.setdefault(access_of(method).permission.name, []).append(method)
    return demanded


def test_every_rpc_has_a_rule() -> None:
    assert [method.full_name for method in _METHODS if access_of(method).WhichOneof("rule") is None] == []


def test_every_rpc_meets_every_role_at_every_place() -> None:
    counted = Counter((cell.method.full_name, cell.role.name) for cell in _CELLS)
    assert set(counted) == {(method.full_name, role.name) for method in _METHODS for role in _ROLES}
    for method in _METHODS:
        places = len(PLACES) if access_of(method).WhichOneof("rule") == "permission" else 1
        assert {counted[method.full_name, role.name] for role in _ROLES} == {places}


def test_every_office_is_among_the_roles_at_every_level_at_which_it_can_be_held() -> None:
    held = {(role.office, role.place.level) for role in _ROLES if role.place and role.bearer is Bearer.PERSON}
    assert held == {(office.name, level) for office in OFFICES.values() for level in office.levels}
    assert all(level in LEVELS for office in OFFICES.values() for level in office.levels)


def test_every_permission_that_the_contract_demands_is_carried_by_some_office() -> None:
    carried = {permission for office in OFFICES.values() for permission in office.permissions}
    assert set(_demanded()) - carried == set()


def test_no_office_carries_a_permission_that_nothing_demands() -> None:
    carried = {permission for office in OFFICES.values() for permission in office.permissions}
    assert carried - set(_demanded()) == _DEMANDED_BY_HANDLERS


# LogService/GetEntryBundle: a token whose bearer holds it at the province reads the whole log behind one prefix.
_DEMANDED_BY_HANDLERS = {"audit.log.read"}


def test_whoever_is_admitted_to_a_county_by_an_office_there_is_not_admitted_to_another_county() -> None:
    for method in _METHODS:
        if access_of(method).WhichOneof("rule") != "permission":
            continue
        for role in _ROLES:
            if role.place is COUNTY:
                assert _cell(method, role.name, OTHER_COUNTY.name).verdict is not Verdict.ADMITTED


def test_nobody_without_a_token_is_admitted_beyond_public_and_anonymous_rpcs() -> None:
    admitted = {access_of(cell.method).WhichOneof("rule") for cell in _CELLS if _is_admitted(cell, Bearer.NOBODY)}
    assert admitted == {"public", "anonymous"}


def test_a_service_is_never_admitted_to_what_people_may_do() -> None:
    admitted = {access_of(cell.method).WhichOneof("rule") for cell in _CELLS if _is_admitted(cell, Bearer.SERVICE)}
    assert admitted <= {"public", "anonymous", "service"}


def test_a_revoked_administrator_is_admitted_only_where_no_token_is_read() -> None:
    admitted = {access_of(cell.method).WhichOneof("rule") for cell in _CELLS if _is_admitted(cell, Bearer.REVOKED)}
    assert admitted == {"anonymous"}


@pytest.mark.parametrize("method", _METHODS, ids=lambda method: method.full_name)
def test_rpcs_for_services_have_no_address_at_the_gateway_and_all_others_have_one(method: MethodDescriptor) -> None:
    assert (http_rule_of(method) is not None) == (access_of(method).WhichOneof("rule") != "service")


@pytest.mark.parametrize("method", _METHODS, ids=lambda method: method.full_name)
def test_the_field_that_names_the_organisation_is_there_and_stands_in_the_address(method: MethodDescriptor) -> None:
    access = access_of(method)
    if access.WhichOneof("rule") == "permission":
        field = access.permission.organisation_field
        assert field in method.input_type.fields_by_name


def _is_admitted(cell: Cell, bearer: Bearer) -> bool:
    return cell.role.bearer is bearer and cell.verdict is Verdict.ADMITTED


def _cell(method: MethodDescriptor, role: str, place: str) -> Cell:
    return next(
        cell
        for cell in _CELLS
        if cell.method is method and cell.role.name == role and cell.place and cell.place.name == place
    )
