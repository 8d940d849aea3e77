"""The eight branches of the demonstration: five in Linqu, three in Qingzhou.

Their kinds are those of the paper that the platform comes from: mobile members, village graduates, a trade, organisation cadres,
applicants, and ordinary communities. All are invented; none is a branch that exists.
"""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class Branch:
    """A branch: the organisation that it stands below, and its name."""

    parent_code: str
    name: str

    @property
    def county_code(self) -> str:
        """The county that it lies in."""
        return self.parent_code[:6]


BRANCHES: Final = (
    Branch(parent_code="370724001", name="临朐县城关街道兴隆社区党支部"),
    Branch(parent_code="370724001", name="临朐县流动党员网上党支部"),
    Branch(parent_code="370724002", name="临朐县东城街道铝型材行业网上党支部"),
    Branch(parent_code="370724003", name="临朐县冶源街道大学生村官网上党支部"),
    Branch(parent_code="370724101", name="临朐县五井镇组工干部网上党支部"),
    Branch(parent_code="370781001", name="青州市王府街道古城社区党支部"),
    Branch(parent_code="370781002", name="青州市益都街道入党积极分子网上党支部"),
    Branch(parent_code="370781007", name="青州市黄楼街道花卉行业网上党支部"),
)
