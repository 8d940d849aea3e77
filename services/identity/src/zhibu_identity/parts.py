"""What the use cases are built from; the composition root puts it together, tests put in other parts."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field

from zhibu_kit.clock import Clock
from zhibu_kit.db import Database
from zhibu_kit.ports import OrganisationTree

from zhibu_identity.eids.accounts import Accounts
from zhibu_identity.keys.sealing import IndexKey
from zhibu_identity.keys.vault import Vault
from zhibu_identity.rules.codes import Choose
from zhibu_identity.telephones.sending import Telephones


def _go_on(step: str) -> None:
    """Do nothing: where tests cut the power, a running service goes on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Everything outside of the rules."""

    database: Database
    vault: Vault
    # The province's index key: digests of telephones, codes and tokens that belong to no county.
    province: IndexKey
    clock: Clock
    organisations: OrganisationTree
    accounts: Accounts
    telephones: Telephones
    synthetic_allowed: bool
    choose: Choose = secrets.choice
    # Called between the steps of work that must survive a crash at any point.
    reached: Callable[[str], None] = field(default=_go_on)
