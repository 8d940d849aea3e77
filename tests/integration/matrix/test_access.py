"""Every RPC, every role, own and other organisations: the running services say what the contract says."""

import pytest
from google.protobuf.descriptor import MethodDescriptor
from support.access_matrix import cells, roles
from support.knocking import Doors, says
from zhibu_docs.contract import methods
from zhibu_docs.events import service_names

_ROLES = roles((*service_names(), "web"))
_METHODS = tuple(methods())


@pytest.mark.parametrize("method", _METHODS, ids=lambda method: f"{method.containing_service.name}/{method.name}")
async def test_the_service_admits_whom_the_contract_admits_and_nobody_else(
    doors: Doors, method: MethodDescriptor
) -> None:
    wrong: list[str] = []
    for cell in cells(iter([method]), _ROLES):
        answer = await doors.knock(cell)
        if says(answer) is not cell.verdict or answer == "UNIMPLEMENTED":
            wrong.append(f"{cell}, but the service said {answer}")
    assert wrong == []
