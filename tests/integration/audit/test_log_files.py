"""The log as files: hashes for everybody, entries for the province's readers, and whoever has both checks all of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from pathlib import Path

import pytest
from integration.audit.asking import CLERK, COUNTY_ADMIN, PROVINCE_ADMIN, SECURITY, Asked, asked_about
from integration.audit.planted_log import COUNTY, PlantedLog
from support.rpc import Metadata, outcome_of
from support.tlog_logs import SECOND_WITNESS_KEY, WITNESS_KEY
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_audit.verifying.logs import check_log
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres
from zhibu_tlog.reader import FileLogReader, LogFileMissingError
from zhibu_tlog.verifying import Trust

SIZE = 900


@pytest.fixture(scope="module")
async def asked(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Asked]:
    directory: Path = tmp_path_factory.mktemp("audit")
    log = PlantedLog()
    for _ in range(SIZE):
        log.add()
    async with asked_about(
        log, nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        yield asked


def quiet(read: int, size: int) -> None:
    """Show no bar."""


class OverTheDoor:
    """The log as it comes out of GetCheckpoint, GetTile and GetEntryBundle."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def read(self, path: str, limit_bytes: int) -> bytes:
        if path not in self.files:
            raise LogFileMissingError(path)
        return self.files[path]


async def fetched(asked: Asked, who: Metadata) -> dict[str, bytes]:
    """Fetch every file of the log that is needed for its size."""
    files = {"checkpoint": (await asked.log.GetCheckpoint(pb.GetCheckpointRequest())).data}
    full, rest = divmod(SIZE, 256)
    for path in [*(f"{index:03d}" for index in range(full)), f"{full:03d}.p/{rest}"]:
        files[f"tile/0/{path}"] = (await asked.log.GetTile(pb.GetTileRequest(level=0, path=path))).data
        bundle = await asked.log.GetEntryBundle(pb.GetEntryBundleRequest(path=path), metadata=who)
        files[f"tile/entries/{path}"] = bundle.data
    top = await asked.log.GetTile(pb.GetTileRequest(level=1, path=f"000.p/{full}"))
    files[f"tile/1/000.p/{full}"] = top.data
    return files


async def test_the_whole_log_is_read_and_checked_by_who_may_read_it(asked: Asked) -> None:
    trust = Trust(
        origin=asked.key.name,
        keys=(asked.key.verifier,),
        witnesses=(WITNESS_KEY.verifier, SECOND_WITNESS_KEY.verifier),
        quorum=2,
    )
    files = await fetched(asked, asked.officer(PROVINCE_ADMIN))
    checked = check_log(FileLogReader(OverTheDoor(files)), trust, quiet, grows=False)
    assert (checked.is_good, checked.entries_count, checked.lanes) == (True, SIZE, {"identity": SIZE})
    count = "select count(*) from kit_audit where action = 'audit.bundle.read' and outcome = 'read'"
    assert await asked.everything.fetchval(count) == 4


async def test_entries_are_for_the_provinces_readers_and_hashes_for_everybody(asked: Asked) -> None:
    bundle = pb.GetEntryBundleRequest(path="000")
    for who in (CLERK, COUNTY_ADMIN, SECURITY):
        assert await outcome_of(asked.log.GetEntryBundle(bundle, metadata=asked.officer(who))) == "PERMISSION_DENIED"
    assert await outcome_of(asked.log.GetEntryBundle(bundle)) == "UNAUTHENTICATED"
    assert len((await asked.log.GetTile(pb.GetTileRequest(level=0, path="000"))).data) == 256 * 32


@pytest.mark.parametrize("path", ["", "../checkpoint", "000/../000", "001x", "x000/000", "000.p/0", "000.p/256", "009"])
async def test_no_other_files_can_be_asked_for(asked: Asked, path: str) -> None:
    allowed = {"INVALID_ARGUMENT", "NOT_FOUND"}
    assert await outcome_of(asked.log.GetTile(pb.GetTileRequest(level=0, path=path))) in allowed
    province = asked.officer(PROVINCE_ADMIN)
    assert await outcome_of(asked.log.GetEntryBundle(pb.GetEntryBundleRequest(path=path), metadata=province)) in allowed


async def test_the_state_says_how_long_the_log_is_and_who_has_cosigned(asked: Asked) -> None:
    state = await asked.log.GetLogState(
        pb.GetLogStateRequest(organisation_id=COUNTY), metadata=asked.officer(COUNTY_ADMIN)
    )
    assert (state.origin, state.verifier_key) == (asked.key.name, asked.key.verifier.text)
    assert (state.size, state.waiting_count, state.quorum) == (SIZE, 0, 2)
    assert [(lane.lane, lane.sequence, lane.stopped) for lane in state.lanes if lane.lane == "identity"] == [
        ("identity", SIZE, False)
    ]
