"""The county's switches and help desk."""

from dataclasses import asdict

from zhibuctl.county.plan import Plan
from zhibuctl.county.request_ids import request_id
from zhibuctl.county.step import Step
from zhibuctl.gateway import Gateway, Json


def switches_step(gateway: Gateway, plan: Plan, *, there: bool) -> Step:
    """Give the step that sets them as the plan says."""
    wanted = plan.switches
    body = {
        "organisationId": plan.code,
        "applicationsOpen": wanted.applications_open,
        "activationByTelephone": wanted.activation_by_telephone,
        "helpTelephone": wanted.help_telephone,
        "helpHours": wanted.help_hours,
    }
    path = f"/v1/organisations/{plan.code}/settings"
    now = (gateway.find(path) or {}) if there else {}
    settings: Json = now.get("settings", {})
    # What is false or empty is not in the answer.
    same = bool(settings) and all(settings.get(name, type(value)()) == value for name, value in body.items())

    def update() -> None:
        etag = str(gateway.read_caught_up(path).get("etag", ""))
        wish = request_id(plan.code, "switches", str(sorted(asdict(wanted).items())), etag)
        gateway.write("PUT", path, {"settings": body, "etag": etag}, request_id=wish)

    return Step(zh="开关与服务电话", en="switches and help desk", do=None if same else update)
