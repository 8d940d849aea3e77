"""The key of the person about whom a task is."""

from __future__ import annotations

from zhibu_kit.errors import UNAVAILABLE

from zhibu_identity.keys.sealing import MemberKey
from zhibu_identity.parts import Parts
from zhibu_identity.tasks.queue import Task


async def find_key(parts: Parts, task: Task) -> MemberKey | None:
    """Return the key of a task's person, None when it was erased.

    Raises:
        ServiceError: UNAVAILABLE while the person is on the way to another county: the key went first, the task follows.
    """
    key = await parts.vault.find_member_key(task.member_id, task.county_code)
    if key is None and await parts.vault.has_member_key(task.member_id):
        raise UNAVAILABLE()
    return key
