"""How organisations are locked, and the one order in which every writer of this service takes its locks.

1. organisations, from the top down and by identifier (`to_change`, `to_keep`)
2. planned changes of the tree, by identifier
3. member records, by member
4. requests, then foundings, then committees with their posts, each by identifier
5. surveys of branches, by branch
6. people whom no branch holds, by member
7. the application of a roster

A writer may leave out what it does not need, and never goes back. What hangs on one of these alone (a membership or an answer
on its record, a post on its committee, a signature on its founding) is written under that lock. A row that is inserted or
deleted counts as locked. Jobs that begin somewhere in the middle pass over rows that others hold instead of waiting for them.
"""

from __future__ import annotations

from typing import Any, TypeVar

from sqlalchemy import Select

from zhibu_branches.models import organisation

S = TypeVar("S", bound=Select[*tuple[Any, ...]])

# Never FOR UPDATE: it alone makes foreign keys wait. Rows of almost every table name an organisation, and PostgreSQL looks at
# what a row names (FOR KEY SHARE) whenever it is inserted, and also when one transaction writes it a second time: at moments
# that no order foresees. Organisations keep their identifiers for ever, so there is nothing that foreign keys must wait for.


def to_change(statement: S) -> S:
    """Organisations that nobody else changes, nor relies on with `to_keep`, until the transaction ends."""
    return _ordered(statement).with_for_update(key_share=True, of=organisation)


def to_keep(statement: S) -> S:
    """Organisations that stay as they are until the transaction ends; others may rely on them at the same time."""
    return _ordered(statement).with_for_update(read=True, of=organisation)


def _ordered(statement: S) -> S:
    return statement.order_by(organisation.c.level, organisation.c.organisation_id)
