"""A log that is there before the service starts: entries in its tables, the tree in a directory, cosigned by two witnesses."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import asyncpg
import orjson
from support.audit_leaves import LeafWriter
from support.tlog_logs import SECOND_WITNESS_KEY, WITNESS_KEY, UnsyncedFiles
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import sign_text
from zhibu_tlog.tree_writer import create_log, opened_log

PROVINCE, CITY, COUNTY, TOWNSHIP, OTHER_CITY, OTHER_COUNTY = "37", "3707", "370724", "370724001", "3702", "370281"
BRANCH = "370724-b01jd0000000000000000000001"
ZHANG, LI = "01jdzhang00000000000000001", "01jdwangli0000000000000002"
OFFICER = "01jdofficer000000000000003"
NAMES = {PROVINCE: "山东省", CITY: "潍坊市", COUNTY: "临朐县", TOWNSHIP: "城关街道", BRANCH: "第一支部"}
TREE = (
    (PROVINCE, "", 1, ""),
    (CITY, PROVINCE, 2, ""),
    (OTHER_CITY, PROVINCE, 2, ""),
    (COUNTY, CITY, 3, COUNTY),
    (TOWNSHIP, COUNTY, 4, COUNTY),
    (BRANCH, TOWNSHIP, 5, COUNTY),
    (OTHER_COUNTY, OTHER_CITY, 3, OTHER_COUNTY),
)
AT = datetime(2026, 11, 10, 8, tzinfo=UTC)


@dataclass(slots=True, kw_only=True)
class PlantedLog:
    """Writes entries, and plants them."""

    writer: LeafWriter = field(default_factory=LeafWriter)
    subjects: list[tuple[int, bytes, str, bytes, list[str]]] = field(
        default_factory=list[tuple[int, bytes, str, bytes, list[str]]]
    )

    def add(
        self,
        *,
        lane: str = "identity",
        county: str = COUNTY,
        about: tuple[str, ...] = (),
        at: datetime | None = None,
        **fields: Any,
    ) -> int:
        """Add an entry; `about` are the members whom it commits to. Returns its number."""
        index = len(self.writer.leaves)
        salts = {member: sha256(f"{index}{member}".encode()).digest()[:16] for member in about}
        commitments = {member: sha256(salt + member.encode()).digest() for member, salt in salts.items()}
        self.subjects += [(index, commitments[one], one, salts[one], [county] if county else []) for one in about]
        committed = sha256(b"".join(sorted(commitments.values()))).hexdigest() if about else None
        self.writer.row(
            lane,
            county_code=county,
            occurred_at=(at or AT + timedelta(minutes=index)).isoformat(),
            subjects_commitment=committed,
            subjects_count=len(about),
            **{"organisation_id": county, "subject_id": "", "member_id": OFFICER, "account_id": "officer", **fields},
        )
        return index

    async def plant(self, connection: asyncpg.Connection, directory: Path, key: SignerKey) -> None:
        """Write everything."""
        folder = directory / "1"
        folder.parent.mkdir(parents=True, exist_ok=True)
        create_log(folder, key, UnsyncedFiles())
        with opened_log(folder, key, UnsyncedFiles()) as log:
            signed = log.append(self.writer.leaves, first_index=0)
            cosigned = log.publish_cosignatures(
                [sign_text(signed.note.text, witness, at=AT) for witness in (WITNESS_KEY, SECOND_WITNESS_KEY)]
            )
        (directory / "1.cosigned").write_bytes(cosigned.note.data)
        await connection.executemany(
            "insert into kit_organisation values ($1, $2, $3, $4, $5, true, 1)",
            [(one, above, level, NAMES.get(one, one), county) for one, above, level, county in TREE],
        )
        await connection.execute("insert into log_origin values (1, $1, 0, $2)", key.name, AT)
        await connection.execute("update log_head set size = $1", len(self.writer.leaves))
        await connection.executemany(
            "insert into entry values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)",
            [_columns(index, leaf) for index, leaf in enumerate(self.writer.leaves)],
        )
        await connection.executemany(
            "insert into entry_subject (entry_index, commitment, subject_id, salt, county_codes)"
            " values ($1, $2, $3, $4, $5)",
            self.subjects,
        )
        await self._plant_lanes(connection)

    async def _plant_lanes(self, connection: asyncpg.Connection) -> None:
        # Rows that the tests themselves leave behind come too late, so that the log stays as it was planted.
        await connection.execute(
            "insert into lane (lane, sequence, chain_hash, updated_at) values ('audit', 1000000, $1, $2)", bytes(32), AT
        )
        last: dict[str, dict[str, Any]] = {}
        for leaf in map(orjson.loads, self.writer.leaves):
            last[leaf["lane"]] = leaf
        for lane, leaf in last.items():
            await connection.execute(
                "insert into lane (lane, sequence, chain_hash, updated_at) values ($1, $2, $3, $4)"
                " on conflict (lane) do update set sequence = excluded.sequence, chain_hash = excluded.chain_hash",
                lane,
                leaf["row"]["sequence"],
                bytes.fromhex(leaf["chain"]),
                AT,
            )


def _columns(index: int, leaf: bytes) -> tuple[object, ...]:
    content: dict[str, Any] = orjson.loads(leaf)
    row = content["row"]
    return (
        index,
        content["kind"],
        content["lane"],
        row["sequence"],
        leaf,
        row["action"],
        row["outcome"],
        row["account_id"],
        row["member_id"],
        row["organisation_id"],
        [row["county_code"]] if row["county_code"] else [],
        row["subject_id"],
        row["request_id"],
        datetime.fromisoformat(row["occurred_at"]),
    )
