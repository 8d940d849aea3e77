"""What the gateway makes of the contract: routes, the OpenAPI document, its generated files."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from google.api import annotations_pb2
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import FileDescriptorSet
from jsonschema import Draft202012Validator
from openapi_spec_validator import OpenAPIV31SpecValidator
from support.contract_messages import contract_messages
from zhibu.policy.v1 import policy_pb2
from zhibu_gateway.contract.files import contract_files
from zhibu_gateway.contract.methods import Input, PublicMethod, public_methods
from zhibu_gateway.contract.path_template import Found, RouteTable
from zhibu_gateway.contract.request_fields import query_fields
from zhibu_gateway.describe import descriptions_of
from zhibu_gateway.descriptors import typed
from zhibu_gateway.openapi.constraints import rules_of
from zhibu_gateway.openapi.document import make_document
from zhibu_gateway.pipelines.header_fields import HeaderFields
from zhibu_gateway.settings import GatewaySettings
from zhibu_kit.method import method_of

REPOSITORY = Path(__file__).resolve().parents[2]
PACKAGE = REPOSITORY / "services/gateway/src/zhibu_gateway"
METHODS = public_methods(contract_files(), with_testing=True)
DOCUMENT = make_document(METHODS, settings=GatewaySettings(oidc_issuer="http://localhost:7090/realms/zhibu"))


def operations() -> list[tuple[str, str, dict[str, Any]]]:
    return [(path, method, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()]


def test_every_rpc_that_is_not_for_services_has_a_route_and_no_other_has() -> None:
    routed = {method.descriptor.full_name for method in METHODS}
    for file in contract_files():
        for service in file.services_by_name.values():
            for rpc in service.methods:
                rule = rpc.GetOptions().Extensions[policy_pb2.access].WhichOneof("rule")
                assert (rpc.full_name in routed) == (rule != "service"), rpc.full_name
                assert rpc.GetOptions().HasExtension(typed(annotations_pb2.http)) == (rule != "service"), rpc.full_name


def test_no_two_routes_collide_and_each_path_leads_to_its_own_rpc() -> None:
    table: RouteTable[str] = RouteTable()
    for method in METHODS:
        for binding in method.bindings:
            table.add(binding.http_method, binding.template, method.full_path)
    for method in METHODS:
        for binding in method.bindings:
            path = re.sub(r"\{[^}]*\}", "some-id", binding.template.text)
            found = table.find(binding.http_method, path)
            assert isinstance(found, Found)
            assert found.target == method.full_path, path


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.descriptor.full_name)
def test_every_field_of_a_request_can_be_given(method: PublicMethod) -> None:
    for binding in method.bindings:
        if binding.has_body and binding.body_field is None:
            continue
        reachable = {variable.field_path.partition(".")[0] for variable in binding.template.variables}
        reachable |= {
            (parents[0] if parents else field).name for parents, field in query_fields(method.request, binding)
        }
        if binding.body_field is not None:
            reachable.add(binding.body_field.name)
        if method.input is Input.WEBHOOK:
            reachable.add("headers")
        if HeaderFields(method, binding).names_file:
            reachable.add("file_name")
        assert {field.name for field in method.request.fields} == reachable


def test_the_document_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"].startswith("3.1")
    assert [error.message for error in OpenAPIV31SpecValidator(json.loads(json.dumps(DOCUMENT))).iter_errors()] == []


def test_every_operation_is_described_secured_and_says_how_it_fails() -> None:
    identifiers: set[str] = set()
    for path, http_method, operation in operations():
        name = f"{http_method} {path}"
        assert operation["summary"], name
        assert operation["description"], name
        assert "security" in operation, name
        identifiers.add(operation["operationId"])
        statuses = set(operation["responses"])
        assert {"200", "400", "429", "500", "503", "504"} <= statuses, name
        for status in statuses - {"200", "304"}:
            assert operation["responses"][status] == {"$ref": f"#/components/responses/Problem{status}"}
    assert len(identifiers) == len(operations())


def test_only_anonymous_operations_take_no_token() -> None:
    by_path = {
        (binding.template.openapi_path, binding.http_method.lower()): method
        for method in METHODS
        for binding in method.bindings
    }
    for path, http_method, operation in operations():
        method = by_path[path, http_method]
        scopes = ["zhibu-api"] if method_of(method.descriptor).reads else ["zhibu-api", "zhibu-write"]
        schemes: list[dict[str, list[str]]] = [{"oidc": scopes}, {"bearer": scopes}]
        expected = {"anonymous": [], "public": [{}, *schemes]}
        assert operation["security"] == expected.get(method.rule, schemes), path


def test_every_error_answer_is_a_problem() -> None:
    for response in DOCUMENT["components"]["responses"].values():
        content = response["content"]["application/problem+json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Problem"}
        Draft202012Validator(DOCUMENT["components"]["schemas"]["Problem"]).validate(content["example"])


def test_every_element_of_the_contract_has_a_description() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        if name.startswith("google."):
            continue
        assert schema["description"], name
        for field, part in schema.get("properties", {}).items():
            assert "description" in part or name == "Problem", f"{name}.{field}"


def test_examples_keep_the_rules_that_stand_beside_them() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        for field, part in schema.get("properties", {}).items():
            for example in part.get("examples", ()):
                bare = {key: value for key, value in part.items() if key not in ("examples", "description")}
                if "$ref" not in json.dumps(bare):
                    errors = [error.message for error in Draft202012Validator(bare).iter_errors(example)]
                    assert errors == [], f"{name}.{field}"


def test_limits_of_the_contract_stand_in_the_schemas() -> None:
    schema = DOCUMENT["components"]["schemas"]["testing.EchoRequest.Body"]
    assert (schema["properties"]["text"]["minLength"], schema["properties"]["text"]["maxLength"]) == (2, 20)
    assert (schema["properties"]["number"]["minimum"], schema["properties"]["number"]["maximum"]) == (0, 100)
    assert schema["required"] == ["text"]
    everything = DOCUMENT["components"]["schemas"]["testing.Everything"]["properties"]
    assert everything["int64Value"]["type"] == "string"
    assert everything["labels"]["additionalProperties"] == {"type": "string"}


def test_every_pattern_of_the_contract_reached_a_schema() -> None:
    text = json.dumps(DOCUMENT["components"]["schemas"]) + json.dumps(DOCUMENT["paths"])
    for method in METHODS:
        for field in method.request.fields:
            pattern = rules_of(field).string.pattern
            if pattern:
                assert json.dumps(pattern)[1:-1] in text, field.full_name


def test_an_rpc_that_ends_is_marked() -> None:
    operation = DOCUMENT["paths"]["/v1/testing/old-echo"]["get"]
    assert operation["deprecated"] is True
    assert {"Deprecation", "Sunset"} <= set(operation["responses"]["200"]["headers"])


def test_the_published_document_has_no_test_routes() -> None:
    public = make_document(public_methods(contract_files(), with_testing=False), settings=GatewaySettings())
    assert not [path for path in public["paths"] if "/testing/" in path]


def test_descriptions_are_fresh(tmp_path: Path) -> None:
    target = tmp_path / "contract.binpb"
    protos = sorted(
        str(path.relative_to(REPOSITORY / "proto")) for path in (REPOSITORY / "proto/zhibu").rglob("*.proto")
    )
    includes = ["-Iproto", "-Iproto/third_party"]
    command = [sys.executable, "-m", "grpc_tools.protoc", *includes, "--include_source_info"]
    subprocess.run([*command, f"--descriptor_set_out={target}", *protos], cwd=REPOSITORY, check=True, timeout=60)
    fresh = descriptions_of(FileDescriptorSet.FromString(target.read_bytes()))
    assert fresh == json.loads((PACKAGE / "descriptions.json").read_text("utf-8")), "run 'make generate'"


def test_the_kinds_of_errors_are_fresh(tmp_path: Path) -> None:
    sources = [source for source in REPOSITORY.glob("services/*/src") if source.is_dir()]
    modules = sorted(
        ".".join(path.relative_to(source).with_suffix("").parts)
        for source in sources
        for path in source.rglob("errors.py")
    )
    target = tmp_path / "kinds.json"
    # A process of its own: tests declare kinds too, and those must not get in.
    subprocess.run(
        [sys.executable, "-m", "zhibu_gateway.collect_errors", str(target), *modules],
        cwd=REPOSITORY,
        check=True,
        timeout=60,
    )
    assert json.loads(target.read_text("utf-8")) == json.loads((PACKAGE / "error_kinds.json").read_text("utf-8")), (
        "run 'make generate'"
    )


def published_fields() -> list[FieldDescriptor]:
    """Gives every field that others will read."""
    return [
        field
        for message in contract_messages()
        for field in message.fields
        if field.GetOptions().Extensions[policy_pb2.published]
    ]


# Until the gate exists nothing is held, so this list is the promise of what it will hold. A field that others read is added
# here together with its option; the gate's issue replaces the list by the test that no such field goes around it.
PUBLISHED = {
    "zhibu.branches.v1.CreateOrganisationRequest.name",
    "zhibu.branches.v1.Founding.name",
    "zhibu.branches.v1.Founding.purpose",
    "zhibu.branches.v1.Founding.refusal_note",
    "zhibu.branches.v1.FoundingKind.display_name_en",
    "zhibu.branches.v1.FoundingKind.display_name_zh",
    "zhibu.branches.v1.Organisation.name",
    "zhibu.branches.v1.OrganisationChange.new_name",
    "zhibu.branches.v1.OrganisationVersion.name",
    "zhibu.branches.v1.ProposeFoundingRequest.name",
    "zhibu.branches.v1.ProposeFoundingRequest.purpose",
    "zhibu.branches.v1.RefuseFoundingRequest.refusal_note",
    "zhibu.branches.v1.RenameOrganisationRequest.name",
    "zhibu.branches.v1.SplitOrganisationRequest.new_name",
    "zhibu.identity.v1.CountySettings.help_hours",
    "zhibu.testing.v1.EchoRequest.announcement",
}


def test_what_others_read_is_listed() -> None:
    assert {field.full_name for field in published_fields()} == PUBLISHED


@pytest.mark.parametrize("field", published_fields(), ids=lambda field: field.full_name)
def test_what_others_read_is_text_or_a_file_and_never_personal(field: FieldDescriptor) -> None:
    assert not field.GetOptions().Extensions[policy_pb2.personal]
    is_file = field.message_type is not None and field.message_type.full_name == "google.api.HttpBody"
    assert is_file or field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES)
