"""Access: each kind of rule against each kind of caller, and a contract that says nothing."""

import itertools
from typing import Any, Final

import grpc
import grpc.aio
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool
from google.protobuf.descriptor import ServiceDescriptor
from support.rpc import Metadata, bearer, outcome_of, refusal_of
from zhibu.policy.v1 import policy_pb2
from zhibu.testing.v1 import probe_service_pb2 as pb
from zhibu_kit.access import ContractError
from zhibu_kit.app import Assembly, Runtime, running_service
from zhibu_kit.settings import ServiceSettings
from zhibu_kit.testing.issuer import TokenIssuer
from zhibu_kit.testing.memory import MemoryBacking, Refusal
from zhibu_kit.testing.probe import PROBE_SERVICE
from zhibu_kit.testing.probe_service import Probe

READ: Final = "testing.records.read"
SERIAL: Final = itertools.count()


def tokens_of(issuer: TokenIssuer) -> dict[str, Metadata]:
    return {
        "nobody": (),
        "member": bearer(issuer.token("member", member_id="m1", county_code="370724")),
        "reader": bearer(issuer.token("reader")),
        "reader of the other county": bearer(issuer.token("other-reader")),
        "service identity": bearer(issuer.token("svc-account-1", service="identity")),
        "service notify": bearer(issuer.token("svc-account-2", service="notify")),
    }


MATRIX: Final = {
    "permission": {
        "nobody": "UNAUTHENTICATED",
        "member": "PERMISSION_DENIED",
        "reader": "OK",
        "reader of the other county": "PERMISSION_DENIED",
        "service identity": "PERMISSION_DENIED",
        "service notify": "PERMISSION_DENIED",
    },
    "self": {
        "nobody": "UNAUTHENTICATED",
        "member": "OK",
        "reader": "OK",
        "reader of the other county": "OK",
        "service identity": "PERMISSION_DENIED",
        "service notify": "PERMISSION_DENIED",
    },
    "public": dict.fromkeys(
        ("nobody", "member", "reader", "reader of the other county", "service identity", "service notify"), "OK"
    ),
    "service": {
        "nobody": "UNAUTHENTICATED",
        "member": "PERMISSION_DENIED",
        "reader": "PERMISSION_DENIED",
        "reader of the other county": "PERMISSION_DENIED",
        "service identity": "OK",
        "service notify": "PERMISSION_DENIED",
    },
    "anonymous": dict.fromkeys(
        ("nobody", "member", "reader", "reader of the other county", "service identity", "service notify"), "OK"
    ),
}


async def call_by(probe: Probe, rule: str, metadata: Metadata) -> Any:
    match rule:
        case "permission":
            return await probe.stub.GetRecord(
                pb.GetRecordRequest(organisation_id="370724", record_id="r1"), metadata=metadata
            )
        case "self":
            return await probe.stub.Whoami(pb.WhoamiRequest(), metadata=metadata)
        case "public":
            return await probe.stub.Echo(pb.EchoRequest(text="hello"), metadata=metadata)
        case "service":
            return await probe.stub.CallFromService(pb.CallFromServiceRequest(), metadata=metadata)
        case _:
            return await probe.stub.WhoamiAnonymously(pb.WhoamiAnonymouslyRequest(), metadata=metadata)


@pytest.mark.parametrize("rule", MATRIX)
async def test_each_rule_lets_in_whom_it_names_and_nobody_else(probe: Probe, issuer: TokenIssuer, rule: str) -> None:
    probe.backing.grants.give("reader", "370724", READ)
    probe.backing.grants.give("other-reader", "370725", READ)
    outcomes = {
        caller: await outcome_of(call_by(probe, rule, metadata)) for caller, metadata in tokens_of(issuer).items()
    }
    assert outcomes == MATRIX[rule]


@pytest.mark.parametrize(
    ("held_at", "asked_of", "outcome"),
    [
        ("37", "370724-b01", "OK"),
        ("3707", "370725", "OK"),
        ("370724", "370724101", "OK"),
        ("370724", "370724-b01", "OK"),
        ("370724-b01", "370724-b01", "OK"),
        ("370724-b01", "370724", "PERMISSION_DENIED"),
        ("370724", "3707", "PERMISSION_DENIED"),
        ("370724", "370725-b01", "PERMISSION_DENIED"),
        ("370724", "", "PERMISSION_DENIED"),
        ("370724", "999999", "PERMISSION_DENIED"),
    ],
)
async def test_a_permission_reaches_downward_only(
    probe: Probe, issuer: TokenIssuer, held_at: str, asked_of: str, outcome: str
) -> None:
    probe.backing.grants.give("reader", held_at, READ)
    request = pb.GetRecordRequest(organisation_id=asked_of, record_id="r1")
    call = probe.stub.GetRecord(request, metadata=bearer(issuer.token("reader")))
    assert await outcome_of(call) == outcome


async def test_one_permission_is_not_another(probe: Probe, issuer: TokenIssuer) -> None:
    probe.backing.grants.give("reader", "370724", READ)
    request = pb.UpdateRecordRequest(organisation_id="370724", record_id="r1", record=pb.Record(text="x"))
    call = probe.stub.UpdateRecord(request, metadata=bearer(issuer.token("reader")))
    assert await outcome_of(call) == "PERMISSION_DENIED"


async def test_a_client_without_the_write_scope_reads_and_changes_nothing(probe: Probe, issuer: TokenIssuer) -> None:
    for permission in (READ, "testing.records.write"):
        probe.backing.grants.give("reader", "370724", permission)
    token = bearer(issuer.token("reader", scope="openid zhibu-api"))
    reading = probe.stub.GetRecord(pb.GetRecordRequest(organisation_id="370724", record_id="r1"), metadata=token)
    request = pb.UpdateRecordRequest(organisation_id="370724", record_id="r1", record=pb.Record(text="x"))
    assert await outcome_of(reading) == "OK"
    assert await outcome_of(probe.stub.UpdateRecord(request, metadata=token)) == "INSUFFICIENT_SCOPE"


async def test_an_unknown_organisation_and_a_forbidden_one_get_the_same_answer(
    probe: Probe, issuer: TokenIssuer
) -> None:
    probe.backing.grants.give("reader", "370724", READ)
    token = bearer(issuer.token("reader"))

    async def status_of_call(organisation_id: str) -> tuple[object, ...]:
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await probe.stub.GetRecord(
                pb.GetRecordRequest(organisation_id=organisation_id, record_id="r1"), metadata=token
            )
        return caught.value.code(), caught.value.details(), tuple(caught.value.trailing_metadata() or ())

    assert await status_of_call("999999") == await status_of_call("370725")


async def test_the_handler_learns_the_organisation_the_county_and_the_offices(
    probe: Probe, issuer: TokenIssuer
) -> None:
    probe.backing.grants.give("reader", "3707", READ, office="city_viewer")
    request = pb.GetRecordRequest(organisation_id="370724-b01", record_id="r1")
    await probe.stub.GetRecord(request, metadata=bearer(issuer.token("reader", county_code="370725")))
    (call,) = probe.servicer.calls
    assert (call.organisation_id, call.scope.counties) == ("370724-b01", {"370724"})
    assert [grant.office for grant in call.caller.grants] == ["city_viewer"]


async def test_about_oneself_offices_are_looked_up_only_where_the_contract_asks_for_them(
    probe: Probe, issuer: TokenIssuer
) -> None:
    probe.backing.grants.give("reader", "3707", READ)
    await probe.stub.Whoami(pb.WhoamiRequest(), metadata=bearer(issuer.token("reader")))
    await probe.stub.WhoamiWithOffices(pb.WhoamiWithOfficesRequest(), metadata=bearer(issuer.token("reader")))
    assert [len(call.caller.grants) for call in probe.servicer.calls] == [0, 1]


async def test_no_caller_reaches_an_anonymous_handler_and_a_bad_token_does_not_matter_there(
    probe: Probe, issuer: TokenIssuer
) -> None:
    for token in (issuer.token("member"), "rubbish"):
        response = await probe.stub.WhoamiAnonymously(pb.WhoamiAnonymouslyRequest(), metadata=bearer(token))
        assert not response.has_caller
    assert [call.principal for call in probe.servicer.calls] == [None, None]


async def test_a_refused_attempt_at_an_audited_method_is_audited(probe: Probe, issuer: TokenIssuer) -> None:
    request = pb.GetRecordRequest(organisation_id="370724", record_id="r1")
    token = bearer(issuer.token("curious"))
    await refusal_of(lambda: probe.stub.GetRecord(request, metadata=token))
    await refusal_of(lambda: probe.stub.GetRecord(request))
    await refusal_of(lambda: probe.stub.ListRecords(pb.ListRecordsRequest(organisation_id="370724"), metadata=token))
    # One row: nobody without a good token can pile up rows, and ListRecords is not audited.
    assert probe.backing.refusals.rows == [
        Refusal(method="GetRecord", account_id="curious", reason="PERMISSION_DENIED")
    ]


def service_with(access: policy_pb2.Access | None, *, field: str = "organisation_id") -> ServiceDescriptor:
    """Make a contract of one method with the given rule (None: no rule at all)."""
    name = f"zhibu.testing.made{next(SERIAL)}.v1"
    file = descriptor_pb2.FileDescriptorProto(
        name=f"{name}.proto", package=name, syntax="proto3", dependency=["zhibu/policy/v1/policy.proto"]
    )
    message = file.message_type.add(name="AskRequest")
    message.field.add(name=field, number=1, type=9, label=1)
    file.message_type.add(name="AskResponse")
    method = file.service.add(name="MadeService").method.add(
        name="Ask", input_type=f".{name}.AskRequest", output_type=f".{name}.AskResponse"
    )
    if access is not None:
        method.options.Extensions[policy_pb2.access].CopyFrom(access)
    pool = descriptor_pool.Default()
    pool.Add(file)
    return pool.FindServiceByName(f"{name}.MadeService")


class MadeServicer:
    async def Ask(self, request: object, call: object) -> object:
        raise AssertionError("never reached")


def permission(name: str, field: str) -> policy_pb2.Access:
    return policy_pb2.Access(permission=policy_pb2.Permission(name=name, organisation_field=field))


@pytest.mark.parametrize(
    ("access", "complaint"),
    [
        (None, "has no access rule"),
        (policy_pb2.Access(), "has no access rule"),
        (policy_pb2.Access(public=False), "has no access rule"),
        (policy_pb2.Access(service=policy_pb2.Callers()), "has no access rule"),
        (permission("", "organisation_id"), "permission without a name"),
        (permission("testing.x", "county"), "no single field 'county'"),
        (permission("testing.x", ""), "no single field ''"),
    ],
)
async def test_a_method_without_an_enforceable_rule_does_not_start(
    issuer: TokenIssuer, access: policy_pb2.Access | None, complaint: str
) -> None:
    with pytest.raises(ContractError, match=complaint):
        await start(issuer, {service_with(access): MadeServicer()})


async def test_a_method_without_a_handler_does_not_start(issuer: TokenIssuer) -> None:
    with pytest.raises(ContractError, match="no handler for"):
        await start(issuer, {PROBE_SERVICE: MadeServicer()})


async def start(issuer: TokenIssuer, servicers: dict[ServiceDescriptor, object]) -> None:
    async def build(runtime: Runtime[Any]) -> Assembly:
        return Assembly(servicers=servicers)

    settings = ServiceSettings.model_validate(issuer.settings)
    async with running_service(name="testing", settings=settings, build=build, backing=MemoryBacking().open):
        pass
