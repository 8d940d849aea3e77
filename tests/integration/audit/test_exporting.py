"""Exports and the log as files: whoever has them checks them without the platform."""

from __future__ import annotations

import io
import shutil
import zipfile
from collections.abc import AsyncGenerator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from random import Random

import grpc
import grpc.aio
import pytest
from google.api import httpbody_pb2
from google.protobuf.timestamp_pb2 import Timestamp
from integration.audit.asking import CLERK, COUNTY_ADMIN, OTHER_ADMIN, PROVINCE_ADMIN, Asked, asked_about
from integration.audit.planted_log import AT, COUNTY, OTHER_COUNTY, PROVINCE, ZHANG, PlantedLog
from support.rpc import outcome_of
from support.tlog_logs import SECOND_WITNESS_KEY, WITNESS_KEY
from zhibu.audit.v1 import log_service_pb2 as pb
from zhibu_audit.api import exports
from zhibu_audit.command import main
from zhibu_audit.verifying.exports import ABOUT, CHECKPOINT, ENTRIES, README, SUMS, check_export
from zhibu_kit.testing.databases import DatabaseMaker
from zhibu_kit.testing.nats_server import NatsServer
from zhibu_stack.engines import Postgres

SIZE = 900
# Every third entry is another county's.
OF_COUNTY = SIZE - SIZE // 3


def many_entries() -> PlantedLog:
    """Give a log of two counties, in which some entries came much later than what they tell of."""
    log = PlantedLog()
    for number in range(SIZE):
        county = OTHER_COUNTY if number % 3 == 2 else COUNTY
        late = timedelta(minutes=number - (500 if number % 50 == 49 else 0))
        log.add(county=county, subject_id=ZHANG, about=(ZHANG,) if number % 2 else (), at=AT + late)
    return log


@pytest.fixture(scope="module")
async def asked(
    nats: NatsServer, postgres: Postgres, service_database: DatabaseMaker, tmp_path_factory: pytest.TempPathFactory
) -> AsyncGenerator[Asked]:
    directory: Path = tmp_path_factory.mktemp("audit")
    async with asked_about(
        many_entries(), nats=nats, postgres=postgres, make_database=service_database, directory=directory
    ) as asked:
        yield asked


def period(start: timedelta = timedelta(days=-1), end: timedelta = timedelta(days=30)) -> dict[str, Timestamp]:
    """Give a period around the entries."""
    start_time, end_time = Timestamp(), Timestamp()
    start_time.FromDatetime(AT + start)
    end_time.FromDatetime(AT + end)
    return {"start_time": start_time, "end_time": end_time}


async def exported(asked: Asked, who: str, organisation_id: str, **given: Timestamp) -> bytes:
    """Give the file of an export."""
    request = pb.ExportEntriesRequest(organisation_id=organisation_id, **(given or period()))
    pieces: list[httpbody_pb2.HttpBody] = [
        piece async for piece in asked.log.ExportEntries(request, metadata=asked.officer(who))
    ]
    assert {piece.content_type for piece in pieces} == {"application/zip"}
    return b"".join(piece.data for piece in pieces)


@pytest.fixture(scope="module")
async def export(asked: Asked, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the county's export, in a file."""
    path = tmp_path_factory.mktemp("export") / "export.zip"
    path.write_bytes(await exported(asked, COUNTY_ADMIN, COUNTY))
    return path


def quiet(read: int, size: int) -> None:
    """Show no bar."""


def test_an_export_holds_the_countys_entries_and_is_checked_offline(
    asked: Asked, export: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keys = ["--key", asked.key.verifier.text]
    for witness in (WITNESS_KEY, SECOND_WITNESS_KEY):
        keys += ["--witness", witness.verifier.text]
    assert main(["verify", str(export), *keys]) == 0
    said = capsys.readouterr().out
    assert said.startswith("完好")
    assert f"检查过的条目 / entries checked: {OF_COUNTY}\n" in said
    with zipfile.ZipFile(export) as opened:
        assert opened.namelist() == [README, CHECKPOINT, ENTRIES, ABOUT, SUMS]
        assert OTHER_COUNTY.encode() not in opened.read(ENTRIES)
        opened.extractall(tmp_path / "export")
    # Unpacked it is the same; without keys the file's own are used, and the checker is told.
    assert main(["verify", str(tmp_path / "export")]) == 0
    assert "The keys were taken from the export itself" in capsys.readouterr().out
    assert main(["verify", str(export), "--key", WITNESS_KEY.verifier.text]) == 2


async def test_an_export_has_a_name_and_the_whole_log_is_the_provinces(asked: Asked, tmp_path: Path) -> None:
    request = pb.ExportEntriesRequest(organisation_id=PROVINCE, **period())
    stream = asked.log.ExportEntries(request, metadata=asked.officer(PROVINCE_ADMIN))
    first = await stream.read()
    assert isinstance(first, httpbody_pb2.HttpBody)
    assert b"zhibu-log-37-20261109-20261210.zip" in first.extensions[0].value
    stream.cancel()
    path = tmp_path / "all.zip"
    path.write_bytes(await exported(asked, PROVINCE_ADMIN, PROVINCE))
    assert check_export(path, None, quiet).entries_count == SIZE
    path.write_bytes(await exported(asked, PROVINCE_ADMIN, PROVINCE, **period(end=timedelta(minutes=100))))
    # Late entries of that time are in it, wherever they stand in the log.
    assert check_export(path, None, quiet).entries_count == 98 + 12


def test_any_byte_of_an_export_that_is_changed_is_found(export: Path, tmp_path: Path) -> None:
    unpacked = tmp_path / "export"
    with zipfile.ZipFile(export) as opened:
        opened.extractall(unpacked)
    random = Random(5)
    names = [README, CHECKPOINT, ENTRIES, ABOUT, SUMS]
    unseen: list[str] = []
    for name in names * 12:
        data = (unpacked / name).read_bytes()
        at = random.randrange(len(data))
        changed = bytearray(data)
        changed[at] ^= 1 << random.randrange(8)
        (unpacked / name).write_bytes(changed)
        if check_export(unpacked, None, quiet).is_good:
            unseen.append(f"{name} at {at}")
        (unpacked / name).write_bytes(data)
    assert unseen == []
    assert check_export(unpacked, None, quiet).is_good


@pytest.mark.parametrize("name", [README, CHECKPOINT, ENTRIES, ABOUT, SUMS])
def test_a_file_of_an_export_that_is_missing_is_found(export: Path, tmp_path: Path, name: str) -> None:
    with zipfile.ZipFile(export) as opened:
        opened.extractall(tmp_path)
    (tmp_path / name).unlink()
    assert not check_export(tmp_path, None, quiet).is_good


def test_entries_of_an_export_are_proven_whatever_its_checksums_say(export: Path, asked: Asked, tmp_path: Path) -> None:
    """Whoever changes entries and checksums together is found by the proofs; who removes one, by the count."""

    def rewritten(change: str, lines: list[bytes]) -> Path:
        folder = tmp_path / change
        with zipfile.ZipFile(export) as opened:
            opened.extractall(folder)
        (folder / ENTRIES).write_bytes(b"".join(lines))
        sums = (folder / SUMS).read_text()
        old = next(line for line in sums.splitlines() if line.endswith(ENTRIES))
        new = f"{sha256(b''.join(lines)).hexdigest()}  {ENTRIES}"
        (folder / SUMS).write_text(sums.replace(old, new))
        return folder

    with zipfile.ZipFile(export) as opened:
        lines = opened.read(ENTRIES).splitlines(keepends=True)
    other = [*lines[:7], lines[7].replace(b"county_approver", b"county_approvex"), *lines[8:]]
    for change, changed, kind in (
        ("changed", other, "PROOF_REFUSED"),
        ("removed", lines[:-1], "EXPORT_COUNT"),
        ("repeated", [*lines[:5], lines[4], *lines[6:]], "EXPORT_COUNT"),
        ("reordered", [lines[1], lines[0], *lines[2:]], "EXPORT_COUNT"),
    ):
        found = {fault.kind for fault in check_export(rewritten(change, changed), None, quiet).faults}
        assert found == {kind}, change


def test_a_zip_that_is_cut_off_or_none_is_found(export: Path, tmp_path: Path) -> None:
    data = export.read_bytes()
    for name, changed in (("cut", data[:-100]), ("none", b"PK"), ("empty", b""), ("middle", data[: len(data) // 2])):
        path = tmp_path / f"{name}.zip"
        path.write_bytes(changed)
        assert [fault.kind for fault in check_export(path, None, quiet).faults] == ["EXPORT_MALFORMED"], name
    compressed = zipfile.ZipFile(io.BytesIO(data)).getinfo(ENTRIES)
    spoiled = bytearray(data)
    spoiled[compressed.header_offset + 5000] ^= 1
    path = tmp_path / "spoiled.zip"
    path.write_bytes(spoiled)
    assert not check_export(path, None, quiet).is_good


async def test_pages_of_an_export_follow_each_other(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exports, "PAGE", 7)
    path = tmp_path / "export.zip"
    path.write_bytes(await exported(asked, COUNTY_ADMIN, COUNTY))
    checked = check_export(path, None, quiet)
    assert (checked.is_good, checked.entries_count) == (True, OF_COUNTY)


async def test_only_who_may_exports_and_no_period_longer_than_a_year(asked: Asked) -> None:
    async def outcome(who: str, where: str, **given: Timestamp) -> str:
        request = pb.ExportEntriesRequest(organisation_id=where, **given)
        return await outcome_of(asked.log.ExportEntries(request, metadata=asked.officer(who)).read())

    for who, where in ((CLERK, COUNTY), (OTHER_ADMIN, COUNTY), (COUNTY_ADMIN, PROVINCE)):
        assert await outcome(who, where, **period()) == "PERMISSION_DENIED"
    for wrong in (
        {},
        period(start=timedelta(days=1), end=timedelta(days=1)),
        period(end=timedelta(days=366)),
        {"start_time": Timestamp(seconds=-(10**15)), "end_time": Timestamp(seconds=10**15)},
    ):
        assert await outcome(COUNTY_ADMIN, COUNTY, **wrong) == "INVALID_ARGUMENT"
    count = "select count(*) from kit_audit where action = 'audit.entries.exported' and outcome = $1"
    assert await asked.everything.fetchval(count, "refused") == 3


async def test_a_damaged_log_proves_nothing_and_says_so(asked: Asked, tmp_path: Path) -> None:
    folder = asked.directory / "1"
    shutil.copytree(folder, tmp_path / "whole")
    tile = folder / "tile/0/001"
    tile.write_bytes(bytes(256 * 32))
    try:
        request = pb.ProveEntryRequest(organisation_id=COUNTY, index=300)
        call = asked.log.ProveEntry(request, metadata=asked.officer(COUNTY_ADMIN))
        assert await outcome_of(call) == "LOG_NOT_WHOLE"
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await exported(asked, COUNTY_ADMIN, COUNTY)
        assert caught.value.code() is grpc.StatusCode.DATA_LOSS
    finally:
        shutil.copy(tmp_path / "whole/tile/0/001", tile)
