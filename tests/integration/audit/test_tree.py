"""What has a place comes under a signed checkpoint within seconds, cosigned by the witnesses that are there."""

import asyncio

from integration.audit.log_house import LogHouse
from zhibu_kit.testing.waiting import wait_until
from zhibu_tlog.checkpoints import open_checkpoint
from zhibu_tlog.cosignatures import check_quorum
from zhibu_tlog.tree_writer import opened_log


async def test_entries_come_under_a_checkpoint_that_both_witnesses_cosign(house: LogHouse) -> None:
    async with house.running() as audit:
        await house.write(audit, 300)
        await house.write(audit, 10, "branches")
        await house.wait_for_cosigned(310)

        async def remembered() -> bool:
            rows = await audit.everything.fetch("select name, serial, size from witness order by name")
            return [tuple(row) for row in rows] == [("w1.test", 1, 310), ("w2.test", 1, 310)]

        await wait_until(remembered, 40)
        kept = open_checkpoint(
            (house.root / "1.cosigned").read_bytes(), origin=house.key.name, keys=[house.key.verifier]
        )
        assert kept.checkpoint.size == 310
        assert len(check_quorum(kept.note, [one.key for one in house.witnesses], quorum=2)) == 2
    assert house.verify().is_good


async def test_a_witness_that_is_away_holds_up_nothing_and_cosigns_later(house: LogHouse) -> None:
    await asyncio.to_thread(house.witnesses[1].stop)
    async with house.running() as audit:
        await house.write(audit, 20)
        await house.wait_for_size(20)
        await wait_until(lambda: _cosigned_by(house) == ["w1.test"], 40)
        await house.write(audit, 5)
        await house.wait_for_size(25)
        await asyncio.to_thread(house.witnesses[1].start)
        await house.wait_for_cosigned(25)


async def test_a_second_process_takes_over_when_the_first_lets_go(house: LogHouse) -> None:
    async with house.running() as audit:
        await house.write(audit, 10)
        await house.wait_for_size(10)
        async with house.running() as second:
            await house.write(second, 10)
            await house.wait_for_size(20)
    house.root.joinpath("1", ".writer", "lock").touch()
    with opened_log(house.root / "1", house.key) as writer:
        async with house.running() as audit:
            await house.write(audit, 10)
            assert house.signed().checkpoint.size == writer.size == 20
    async with house.running():
        await house.wait_for_cosigned(30)


def _cosigned_by(house: LogHouse) -> list[str]:
    note = house.signed().note
    return [signature.name for signature in note.signatures[1:]]
