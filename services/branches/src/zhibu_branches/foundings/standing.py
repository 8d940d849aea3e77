"""An open founding as the records of its signers say now; what is stored of them was true when it was last decided about."""

from __future__ import annotations

from dataclasses import replace

from zhibu_kit.db import Transaction

from zhibu_branches.foundings.changing import look_again
from zhibu_branches.foundings.queries import Cosigner, Founding, cosigners_of
from zhibu_branches.rules.foundings import OPEN, full_count, standing


async def as_it_stands(transaction: Transaction, found: Founding) -> tuple[Founding, list[Cosigner]]:
    """A founding with its signatures, of which those count that count today: somebody may have become a full member.

    The scope must show its county.
    """
    cosigners = await cosigners_of(transaction, found.founding_id)
    if found.state not in OPEN:
        return found, cosigners
    signers = await look_again(transaction, found)
    present, _ = standing(signers)
    full = {signer.member_id for signer in present if signer.full_member}
    still = {signer.member_id for signer in present}
    today = replace(found, cosigner_count=len(present), full_member_count=full_count(signers))
    return today, [
        replace(cosigner, full_member=cosigner.member_id in full)
        for cosigner in cosigners
        if cosigner.member_id in still
    ]
