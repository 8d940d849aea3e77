"""Path parameters against what the body says."""

import pytest
from zhibu.branches.v1 import organisation_service_pb2
from zhibu_gateway.contract.files import contract_files
from zhibu_gateway.contract.methods import public_methods
from zhibu_gateway.contract.request_fields import ParameterSetters
from zhibu_gateway.json_codec import DecodeError, Decoders, Fault

METHODS = {method.descriptor.name: method for method in public_methods(contract_files(), with_testing=True)}


def setters(name: str) -> ParameterSetters:
    method = METHODS[name]
    return ParameterSetters(method.request, method.bindings[0], Decoders())


def test_a_body_that_agrees_with_the_path_or_says_nothing_is_taken() -> None:
    for given in ("", "370724"):
        request = organisation_service_pb2.RenameOrganisationRequest(organisation_id=given)
        setters("RenameOrganisation").set_path(request, (("organisation_id", "370724"),))
        assert request.organisation_id == "370724"


def test_a_body_that_names_another_record_than_the_path_is_refused() -> None:
    request = organisation_service_pb2.RenameOrganisationRequest(organisation_id="370725")
    with pytest.raises(DecodeError) as caught:
        setters("RenameOrganisation").set_path(request, (("organisation_id", "370724"),))
    assert (caught.value.fault, caught.value.path) == (Fault.DUPLICATE_FIELD, "organisation_id")


def test_a_whole_body_leaves_nothing_to_the_query() -> None:
    request = organisation_service_pb2.RenameOrganisationRequest()
    with pytest.raises(DecodeError):
        setters("RenameOrganisation").set_query(request, b"name=x")
