"""The physical branches of the demonstration, five in Linqu and three in Qingzhou, and the virtual ones that members found.

The kinds of the virtual ones are those of the paper that the platform comes from. All are invented; none is a branch that exists.
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
    Branch(parent_code="370724001", name="临朐县城关街道安和社区党支部"),
    Branch(parent_code="370724002", name="临朐县东城街道铝型材产业园党支部"),
    Branch(parent_code="370724003", name="临朐县冶源街道清泉村党支部"),
    Branch(parent_code="370724101", name="临朐县五井镇机关党支部"),
    Branch(parent_code="370781001", name="青州市王府街道古城社区党支部"),
    Branch(parent_code="370781002", name="青州市益都街道和平社区党支部"),
    Branch(parent_code="370781007", name="青州市黄楼街道花卉市场党支部"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class VirtualBranch:
    """A virtual branch that members propose: where it shall stand, and what for."""

    key: str
    parent_code: str
    name: str
    kind: str
    purpose: str


FOUNDED: Final = VirtualBranch(
    key="founding-mobile",
    parent_code="370724",
    name="临朐县流动党员网上党支部",
    kind="mobile_members",
    purpose="在外务工、经商的临朐籍党员，在网上参加组织生活，不与家乡的支部失去联系。",
)
COLLECTING: Final = VirtualBranch(
    key="founding-trade",
    parent_code="370724",
    name="临朐县铝型材行业网上党支部",
    kind="trade",
    purpose="铝型材行业的党员在网上交流技术和管理经验，组织党员示范岗。",
)
