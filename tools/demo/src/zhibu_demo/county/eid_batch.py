"""Has e-IDs issued to everybody of the county who has none, in one act of the desk."""

import asyncio
import time
from typing import Final

from zhibu_demo.api import Json
from zhibu_demo.county.desk import COUNTY, CountyDesk
from zhibu_demo.county.parts import Part
from zhibu_demo.errors import DemoError

_LOOK_AGAIN_S: Final = 1.0
_LONGEST_S: Final = 3 * 3_600.0


async def issue_eids(desk: CountyDesk, part: Part) -> None:
    """Begin the batch, or look at the one that a former load has begun, until nothing is left to do.

    Raises:
        DemoError: some could not be issued, or it takes too long.
    """
    notes = desk.progress.of("eids")
    if not notes.get("eid_batch_id"):
        answer = await desk.post(f"{COUNTY}/eid-batches", {}, request_id=notes.request_id("create"))
        notes.put("eid_batch_id", answer["eidBatch"]["eidBatchId"])
    path = f"{COUNTY}/eid-batches/{notes.get('eid_batch_id')}"
    until_s = time.monotonic() + _LONGEST_S
    while time.monotonic() < until_s:
        batch: Json = (await desk.get(path))["eidBatch"]
        part.look(int(batch.get("issuedCount", 0)))
        if batch.get("done"):
            if batch.get("failedCount"):
                raise DemoError("部分电子身份证没有发放。", f"{batch['failedCount']} e-IDs were not issued.")
            return
        await asyncio.sleep(_LOOK_AGAIN_S)
    raise DemoError("电子身份证没有按时发放。", "The e-IDs were not issued in time.")
