"""What follows from a revocation at Keycloak, and from an application's end in the key database."""

from __future__ import annotations

from zhibu_kit.errors import ServiceError

from zhibu_identity.applications.records import find_application, has_application, open_details
from zhibu_identity.applications.submissions import check_person, index_person
from zhibu_identity.eids.accounts import AccountsError
from zhibu_identity.eids.revocations import revoke_access
from zhibu_identity.parts import Parts
from zhibu_identity.people.records import find_person
from zhibu_identity.tasks.queue import Task, finish_task
from zhibu_identity.tasks.task_keys import find_key


async def close_account(parts: Parts, task: Task) -> None:
    """Close an account for good and end its sessions.

    Raises:
        AccountsError: when Keycloak does not do it now; the revocation has been made to reach further by then.
    """
    assert task.account_id is not None
    try:
        await parts.accounts.close(task.account_id)
    except AccountsError:
        # Keycloak goes on handing out tokens: they are refused for some more minutes.
        await _revoke_again(parts, task)
        raise
    parts.reached("account closed")
    await _finish(parts, task)


async def delete_account(parts: Parts, task: Task) -> None:
    """Delete the account of an e-ID that was issued by mistake.

    Raises:
        AccountsError: when Keycloak does not do it now; the revocation has been made to reach further by then.
        ServiceError: UNAVAILABLE while its member is on the way to another county.
    """
    assert task.eid_id is not None
    key = await find_key(parts, task)
    if key is not None and task.eid_number is not None:
        eid_number = key.open(task.eid_number, place="eid.eid_number")
        try:
            await parts.accounts.delete(eid_number=eid_number, member_id=task.member_id)
        except AccountsError:
            await _revoke_again(parts, task)
            raise
    parts.reached("account deleted")
    await parts.vault.drop_seed(task.eid_id, county_code=task.county_code)
    await _finish(parts, task)


async def release_numbers(parts: Parts, task: Task) -> None:
    """Take a person's numbers out of the index across counties, so that they may apply again.

    Whom a roster names or a branch holds stays known by them; only the one living e-ID of the number is given back. Of an
    application that became somebody else's (`roster_matching.link`) nothing is left that needs a key.
    """
    async with parts.database.transaction(task.scope) as transaction:
        person = await find_person(transaction, task.member_id)
        needed = person is not None or await has_application(transaction, task.member_id)
    if not needed:
        await parts.vault.erase(task.member_id)
    elif person is not None and person.listed:
        await parts.vault.numbers.release(task.member_id)
    else:
        await parts.vault.numbers.drop(task.member_id)
    await _finish(parts, task)


async def index_anew(parts: Parts, task: Task) -> None:
    """Make a person findable by what the applicant has corrected."""
    assert task.application_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        application = await find_application(transaction, task.application_id)
    key = await parts.vault.find_member_key(task.member_id, task.county_code)
    if application is not None and key is not None:
        details = open_details(application, key)
        try:
            person = check_person(
                parts,
                real_name=details.real_name,
                resident_number=details.resident_number,
                telephone=details.telephone,
            )
        except ServiceError:
            # It was checked when it was stored; what the rules refuse today is not searched for.
            person = None
        if person is not None:
            await index_person(parts.vault, task.member_id, task.county_code, person=person)
    await _finish(parts, task)


async def _revoke_again(parts: Parts, task: Task) -> None:
    assert task.account_id is not None
    async with parts.database.transaction(task.scope) as transaction:
        await revoke_access(transaction, parts, task.account_id, county_code=task.county_code)


async def _finish(parts: Parts, task: Task) -> None:
    async with parts.database.transaction(task.scope) as transaction:
        await finish_task(transaction, task, now=parts.clock.now())
