"""The offices against the contract: what is demanded is carried, what is carried is demanded."""

from collections.abc import Iterator

import zhibu.audit.v1.incident_service_pb2
import zhibu.audit.v1.log_service_pb2
import zhibu.branches.v1.committee_service_pb2
import zhibu.branches.v1.founding_service_pb2
import zhibu.branches.v1.membership_service_pb2
import zhibu.branches.v1.organisation_service_pb2
import zhibu.branches.v1.roster_application_service_pb2
import zhibu.branches.v1.statistics_service_pb2
import zhibu.branches.v1.survey_service_pb2
import zhibu.identity.v1.application_service_pb2
import zhibu.identity.v1.card_service_pb2
import zhibu.identity.v1.certificate_service_pb2
import zhibu.identity.v1.county_settings_service_pb2
import zhibu.identity.v1.document_service_pb2
import zhibu.identity.v1.eid_batch_service_pb2
import zhibu.identity.v1.eid_service_pb2
import zhibu.identity.v1.erasure_service_pb2
import zhibu.identity.v1.grant_service_pb2
import zhibu.identity.v1.people_service_pb2
import zhibu.identity.v1.recovery_service_pb2
import zhibu.identity.v1.revocation_service_pb2
import zhibu.identity.v1.roster_service_pb2
import zhibu.notify.v1.code_service_pb2
import zhibu.notify.v1.inbox_service_pb2
from zhibu.branches.v1 import organisation_pb2
from zhibu_kit.method import Method, method_of
from zhibu_kit.offices import LEVELS, OFFICES, known_permissions, permissions_of

MODULES = (
    zhibu.audit.v1.incident_service_pb2,
    zhibu.audit.v1.log_service_pb2,
    zhibu.branches.v1.committee_service_pb2,
    zhibu.branches.v1.founding_service_pb2,
    zhibu.branches.v1.membership_service_pb2,
    zhibu.branches.v1.organisation_service_pb2,
    zhibu.branches.v1.roster_application_service_pb2,
    zhibu.branches.v1.statistics_service_pb2,
    zhibu.branches.v1.survey_service_pb2,
    zhibu.identity.v1.application_service_pb2,
    zhibu.identity.v1.card_service_pb2,
    zhibu.identity.v1.certificate_service_pb2,
    zhibu.identity.v1.county_settings_service_pb2,
    zhibu.identity.v1.document_service_pb2,
    zhibu.identity.v1.eid_batch_service_pb2,
    zhibu.identity.v1.eid_service_pb2,
    zhibu.identity.v1.erasure_service_pb2,
    zhibu.identity.v1.grant_service_pb2,
    zhibu.identity.v1.people_service_pb2,
    zhibu.identity.v1.recovery_service_pb2,
    zhibu.identity.v1.revocation_service_pb2,
    zhibu.identity.v1.roster_service_pb2,
    zhibu.notify.v1.code_service_pb2,
    zhibu.notify.v1.inbox_service_pb2,
)

# Demanded by a handler and not by the contract, because the path that the log format prescribes names no organisation.
ASKED_BY_HANDLERS = {"audit.log.read"}


def methods() -> Iterator[Method]:
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            yield from (method_of(method) for method in service.methods)


def test_every_permission_of_the_contract_is_carried_by_some_office_and_the_other_way_round() -> None:
    demanded = {method.access.permission.name for method in methods() if method.access.HasField("permission")}
    assert demanded | ASKED_BY_HANDLERS == known_permissions()


def test_every_method_of_the_contract_has_a_rule() -> None:
    assert [method.name for method in methods() if method.access.WhichOneof("rule") is None] == []


def test_levels_are_those_of_the_organisation_tree() -> None:
    names = [name.removeprefix("ORGANISATION_LEVEL_").lower() for name in organisation_pb2.OrganisationLevel.keys()]  # noqa: SIM118 - an enum wrapper is no dict
    assert names == ["unspecified", *LEVELS]
    assert {level for office in OFFICES.values() for level in office.levels} <= set(LEVELS)


def test_an_office_that_this_version_does_not_know_carries_nothing() -> None:
    assert permissions_of("emperor") == frozenset()
