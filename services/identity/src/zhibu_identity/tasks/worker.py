"""The workers: take tasks that are due, do them side by side, put those that fail back for later."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from typing import Final, assert_never

from zhibu_kit.errors import ServiceError

from zhibu_identity.certificates import revoking as revoking_certificates
from zhibu_identity.eids import activation, closing, issuing, login_codes
from zhibu_identity.eids.accounts import AccountsError
from zhibu_identity.parts import Parts
from zhibu_identity.people import changes as person_changes
from zhibu_identity.people import moving
from zhibu_identity.recoveries import recovering
from zhibu_identity.tasks.leases import GIVE_BACK_S
from zhibu_identity.tasks.queue import Task, TaskKind, give_back_task, lease_tasks, postpone_task

log = logging.getLogger("zhibu.identity.work")

# Keycloak opens 45 accounts a second at most; a few at a time are enough to keep it busy.
SIDE_BY_SIDE: Final = 6
# An attempt that takes longer than this hangs; the lease is longer.
ATTEMPT_TIMEOUT_S: Final = 60.0


async def work_once(parts: Parts, kinds: Collection[TaskKind]) -> int:
    """Do the tasks of these kinds that are due now, until none is left; return how many were tried."""
    tried = 0
    while tasks := await lease_tasks(parts.database, kinds=kinds, now=parts.clock.now(), most=SIDE_BY_SIDE):
        async with asyncio.TaskGroup() as group:
            for task in tasks:
                group.create_task(_attempt(parts, task))
        tried += len(tasks)
    return tried


async def do_task(parts: Parts, task: Task) -> None:
    """Do one task.

    Raises:
        AccountsError, ServiceError: when something outside does not work now.
    """
    await _work_of(task.kind)(parts, task)


async def _attempt(parts: Parts, task: Task) -> None:
    try:
        async with asyncio.timeout(ATTEMPT_TIMEOUT_S):
            await do_task(parts, task)
    except asyncio.CancelledError:
        # Told to stop: the next worker need not wait for the lease. Should it not come to that, the lease ends by itself.
        with suppress(ServiceError, TimeoutError):
            async with asyncio.timeout(GIVE_BACK_S):
                await give_back_task(parts.database, task)
        raise
    except Exception as error:
        known = isinstance(error, AccountsError | ServiceError)
        reason = str(error) if known else type(error).__name__
        fields = {"task": task.kind.name, "attempts": task.attempts, "because": reason}
        log.log(
            logging.WARNING if known else logging.ERROR,
            "A task failed and is tried again",
            exc_info=None if known else error,
            extra={"fields": fields},
        )
        await postpone_task(parts.database, task, now=parts.clock.now(), because=reason)


def _work_of(kind: TaskKind) -> Callable[[Parts, Task], Awaitable[None]]:
    match kind:
        case TaskKind.ISSUE:
            return issuing.issue
        case TaskKind.SEND_ACTIVATION:
            return activation.send_activation
        case TaskKind.EXPIRE_ACTIVATION:
            return activation.expire_activation
        case TaskKind.CLOSE_ACCOUNT:
            return closing.close_account
        case TaskKind.DELETE_ACCOUNT:
            return closing.delete_account
        case TaskKind.RELEASE_NUMBERS:
            return closing.release_numbers
        case TaskKind.INDEX_PERSON:
            return closing.index_anew
        case TaskKind.SEND_LOGIN_CODE:
            return login_codes.send_login_code
        case TaskKind.END_SESSIONS:
            return revoking_certificates.end_sessions
        case TaskKind.INDEX_MEMBER:
            return person_changes.index_member
        case TaskKind.MOVE_MEMBER:
            return moving.move_member
        case TaskKind.DROP_ACCOUNT:
            return recovering.drop_account
        case _:
            assert_never(kind)
