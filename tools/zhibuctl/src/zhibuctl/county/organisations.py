"""The organisations of a county's plan: the county itself, townships, sector committees, physical branches."""

from collections.abc import Iterator
from typing import Final

from zhibuctl.county.plan import Branch, Plan
from zhibuctl.county.request_ids import request_id
from zhibuctl.county.step import Step
from zhibuctl.errors import OperatorError
from zhibuctl.gateway import Gateway, Json

_COUNTY: Final = "ORGANISATION_LEVEL_COUNTY"
# A sector committee (系统党委) stands where townships stand.
_TOWNSHIP: Final = "ORGANISATION_LEVEL_TOWNSHIP"
_BRANCH: Final = "ORGANISATION_LEVEL_BRANCH"
# Nobody dissolves the same organisation more often within the day for which an answer is repeated.
_MOST_DISSOLVED: Final = 20


class Organisations:
    """What is there of the plan's organisations, and the steps to the others."""

    def __init__(self, gateway: Gateway, plan: Plan) -> None:
        self._gateway = gateway
        self._plan = plan
        # Ids by code and by name of what stands directly above branches; what a dry run would make has none.
        self._above: dict[str, str] = {plan.code: plan.code}

    def find_county(self) -> Json | None:
        """Return the county if it is there.

        Raises:
            OperatorError: the city is not there, or code and name do not belong together.
        """
        plan = self._plan
        if self._gateway.find(f"/v1/organisations/{plan.city}") is None:
            raise OperatorError(
                f"没有代码为 {plan.city} 的市级组织，请检查 county.code（{plan.code}）。",
                f"There is no city {plan.city}; check county.code ({plan.code}).",
            )
        siblings = children_of(self._gateway, plan.city)
        known = siblings.get(plan.code)
        if known is not None and known["name"] != plan.name:
            raise OperatorError(
                f"{plan.code} 已存在，名称是“{known['name']}”，计划中是“{plan.name}”。",
                f"{plan.code} is there under another name than the plan's; mend county.code or county.name.",
            )
        same_name = next((key for key, row in siblings.items() if row["name"] == plan.name), plan.code)
        if same_name != plan.code:
            raise OperatorError(
                f"“{plan.name}”已存在，代码是 {same_name}，计划中是 {plan.code}。",
                f"The county is there as {same_name}, and the plan says {plan.code}; mend county.code.",
            )
        return known

    def county(self, known: Json | None) -> Step:
        """Give the step that makes the county."""
        plan = self._plan
        return self._step(known, plan.city, _COUNTY, name=plan.name, code=plan.code)

    def committees(self, *, there: bool) -> Iterator[Step]:
        """Give the steps that make townships and sector committees; `there` is false while the county is not."""
        plan = self._plan
        below = children_of(self._gateway, plan.code) if there else {}
        for township in plan.townships:
            yield self._step(below.get(township.code), plan.code, _TOWNSHIP, name=township.name, code=township.code)
            self._above |= {township.code: township.code, township.name: township.code}
        for name in plan.sectors:
            known = next((row for row in below.values() if row["name"] == name), None)
            yield self._step(known, plan.code, _TOWNSHIP, name=name)
        if there:
            self._above |= {row["name"]: key for key, row in children_of(self._gateway, plan.code).items()}

    def branches(self) -> Iterator[Step]:
        """Give the steps that make the physical branches."""
        siblings: dict[str, set[str]] = {}
        for branch in self._plan.branches:
            parent = self._above.get(branch.parent, "")
            if parent and parent not in siblings:
                there = self._gateway.find(f"/v1/organisations/{parent}") is not None
                rows = children_of(self._gateway, parent).values() if there else ()
                siblings[parent] = {str(row["name"]) for row in rows}
            done = branch.name in siblings.get(parent, set())
            yield Step(
                zh=f"支部 {branch.name}",
                en=f"branch below {branch.parent}",
                do=None if done else lambda branch=branch, parent=parent: self._make_branch(branch, parent),
            )

    def make_missing_branch(self, missing: Json) -> None:
        """Make a branch that the roster names; below the county when the roster does not say where."""
        parent = missing.get("committeeId") or self._above.get(missing.get("committeeName", ""), self._plan.code)
        self._make_branch(Branch(parent=parent, name=missing["branchName"], term_years=3), parent)

    def _make_branch(self, branch: Branch, parent: str) -> None:
        body = {"level": _BRANCH, "name": branch.name, "termYears": branch.term_years}
        self._make(parent, body, "branch", branch.name)

    def _step(self, known: Json | None, parent: str, level: str, *, name: str, code: str = "") -> Step:
        def create() -> None:
            self._make(parent, {"level": level, "name": name, "organisationId": code}, code, name)

        return Step(zh=f"组织 {name}", en=f"organisation {code or name}", do=None if known else create)

    def _make(self, parent: str, body: Json, *wish: str) -> None:
        """Make an organisation that the list of what is active does not have.

        For a day, the repetition of a wish is answered as the first time: when that organisation was dissolved since, it
        would be taken for made. So another wish follows, which names the one that ended.
        """
        path = f"/v1/organisations/{parent}/children"
        ended: list[str] = []
        while len(ended) < _MOST_DISSOLVED:
            wanted = request_id(self._plan.code, parent, *wish, *ended)
            made = self._gateway.write("POST", path, body, request_id=wanted)["organisation"]["organisationId"]
            if self._gateway.get(f"/v1/organisations/{made}")["organisation"].get("active"):
                return
            ended.append(made)
        raise OperatorError(
            f"“{body['name']}”今天已经撤销了 {_MOST_DISSOLVED} 次，请明天再建立。",
            f"It was dissolved {_MOST_DISSOLVED} times today; make it tomorrow.",
        )


def children_of(gateway: Gateway, parent: str) -> dict[str, Json]:
    """Return the organisations directly below another, by id."""
    rows = gateway.pages("/v1/organisations", "organisations", parent_id=parent)
    return {row["organisationId"]: row for row in rows}
