"""docs/permissions.md: every RPC, who may call it, and which offices carry the permission."""

from google.protobuf.descriptor import MethodDescriptor
from zhibu_kit.offices import OFFICES

from zhibu_docs.contract import access_of, audited_of, methods
from zhibu_docs.markdown import page, table

_ABOUT = """
Who may call what is said once, in the option `(zhibu.policy.v1.access)` of each RPC in `proto/`, and enforced by the kit; which
office carries which permission is said in `libs/kit/src/zhibu_kit/offices.py`. An office is held at one organisation and reaches
downward along the tree. What no office carries, nobody may do. The matrix in `tests/integration/matrix` checks every cell.

| access | meaning |
| --- | --- |
| permission | the caller holds an office with that permission at or above the organisation that the request names |
| self | any logged-in member, only about themselves |
| public | anybody; a token is checked when there is one |
| anonymous | anybody; the body carries its own authorisation, and no token reaches the handler |
| service | only the named services, never through the gateway |

Offices that carry a permission can do so only at the levels at which they can be held; see the second table.
"""


def render() -> str:
    """Write the page."""
    offices = table(
        ["office", "中文", "English", "held at", "permissions"],
        (
            [
                f"`{office.name}`",
                office.zh,
                office.en,
                ", ".join(office.levels),
                ", ".join(f"`{permission}`" for permission in sorted(office.permissions)) or "(none)",
            ]
            for office in OFFICES.values()
        ),
    )
    source = "the contract and zhibu_kit.offices"
    return page("Permissions", source, _ABOUT, "## Every RPC", _rpcs(), "## Offices", offices)


def _rpcs() -> str:
    return table(
        ["RPC", "access", "permission, and where", "offices", "in the log as"],
        (_rpc(method) for method in methods()),
    )


def _rpc(method: MethodDescriptor) -> list[str]:
    access, audited = access_of(method), audited_of(method)
    rule = access.WhichOneof("rule") or "(none: does not start)"
    demanded, offices = "", ""
    if rule == "permission":
        demanded = f"`{access.permission.name}` at `{access.permission.organisation_field}`"
        carriers = [office.name for office in OFFICES.values() if access.permission.name in office.permissions]
        offices = ", ".join(f"`{name}`" for name in carriers) or "**none**"
    elif rule == "service":
        demanded = ", ".join("any service" if name == "*" else f"`{name}`" for name in access.service.names)
    service = method.containing_service
    entry = f"`{audited.action}`{' (reading)' if audited.reading else ''}" if audited else ""
    return [f"`{service.file.package.split('.')[1]}` {service.name}/{method.name}", rule, demanded, offices, entry]
