"""An entry of the platform's log with its proof, as the gateway gives it, made from keys that are the same in every run."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from support.tlog_logs import LOG_KEY, ORIGIN, SECOND_WITNESS_KEY, WITNESS_KEY, TreeInMemory, entries
from zhibu_tlog.checkpoints import Checkpoint, sign_checkpoint
from zhibu_tlog.keys import SignerKey
from zhibu_tlog.notes import Note, sign_text
from zhibu_tlog.proof_files import ProofFile
from zhibu_tlog.proofs import make_inclusion_proof, read_root

ME, OFFICER = "01j00000000000000000000001", "01j00000000000000000000002"
OTHERS = ("01j00000000000000000000003", "01j00000000000000000000004")
COUNTY = "370724"
READ_AT = "2026-11-29T02:12:33.456789+00:00"
COSIGNED_AT = datetime(2026, 11, 29, 3, 0, tzinfo=UTC)
WITNESSES = (WITNESS_KEY, SECOND_WITNESS_KEY)


def salt_of(member_id: str) -> bytes:
    """Give the salt of a member's place: another one for everybody, the same in every run."""
    return hashlib.sha256(f"salt of {member_id}".encode()).digest()[:16]


def commitments_of(members: Sequence[str]) -> list[bytes]:
    """Give the places of these members, sorted."""
    return sorted(hashlib.sha256(salt_of(one) + one.encode()).digest() for one in members)


def row_of(members: Sequence[str], **changes: Any) -> dict[str, Any]:
    """Give a row as it is chained: an officer of the county read a list with these members."""
    return {
        "account_id": "account-2",
        "action": "identity.people.listed",
        "audit_id": "01j0000000000000000000000a",
        "county_code": COUNTY,
        "member_id": OFFICER,
        "method": "/zhibu.identity.v1.PeopleService/ListPeople",
        "occurred_at": READ_AT,
        "offices": [f"county_clerk@{COUNTY}"],
        "organisation_id": COUNTY,
        "outcome": "read",
        "reason": "",
        "request_id": "",
        "sequence": 41,
        "service": "",
        "subject_id": COUNTY,
        "subjects_commitment": hashlib.sha256(b"".join(commitments_of(members))).hexdigest() if members else None,
        "subjects_count": len(members),
        "trace_id": "0" * 32,
        **changes,
    }


def leaf_of(row: dict[str, Any]) -> bytes:
    """Give the leaf of a row, as the log writes it."""
    leaf = {"chain": "c" * 64, "kind": "row", "lane": "identity", "row": row, "v": 1}
    return orjson.dumps(leaf, option=orjson.OPT_SORT_KEYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogMaker:
    """Makes proofs of one leaf at a place of a log of a size, signed and cosigned as a test wants it."""

    size: int = 300
    index: int = 137
    key: SignerKey = LOG_KEY
    witnesses: Sequence[SignerKey] = WITNESSES
    row: dict[str, Any] = field(default_factory=lambda: row_of((ME, *OTHERS)))
    other_leaves: str = ""

    @property
    def leaf(self) -> bytes:
        """The leaf that is proven."""
        return leaf_of(self.row)

    def proof(self) -> str:
        """Give the proof file."""
        leaves = [one + self.other_leaves.encode() for one in entries(self.size)]
        leaves[self.index] = self.leaf
        tree = TreeInMemory(leaves)
        checkpoint = Checkpoint(origin=ORIGIN, size=self.size, root=read_root(self.size, tree))
        signed = sign_checkpoint(checkpoint, self.key).note
        cosigned = tuple(sign_text(signed.text, one, at=COSIGNED_AT) for one in self.witnesses)
        note = Note(text=signed.text, signatures=(*signed.signatures, *cosigned))
        proof = tuple(make_inclusion_proof(self.index, self.size, tree))
        return ProofFile(index=self.index, proof=proof, checkpoint=note.data).data.decode()

    def entry(self, **changes: Any) -> dict[str, Any]:
        """Give the entry in the gateway's words: what is empty is left out, as protobuf does."""
        offices = [
            {
                "office": name.partition("@")[0],
                "officeText": "县级组织干事",
                "organisationId": name.partition("@")[2],
                "organisationName": "临朐县委组织部",
            }
            for name in self.row["offices"]
        ]
        return {
            "index": str(self.index),
            "lane": "identity",
            "sequence": str(self.row["sequence"]),
            "action": self.row["action"],
            "actionText": "查看人员名单",
            "outcome": f"ENTRY_OUTCOME_{self.row['outcome'].upper()}",
            "offices": offices,
            "organisationId": self.row["organisation_id"],
            "organisationName": "临朐县委组织部",
            "subjectsCount": self.row["subjects_count"],
            "createTime": self.row["occurred_at"].replace("+00:00", "Z"),
            "provable": True,
            **changes,
        }

    def opening(self, member_id: str = ME, members: Sequence[str] = (ME, *OTHERS)) -> dict[str, Any]:
        """Give the opening of a member's place."""
        commitments = [one.hex() for one in commitments_of(members)]
        return {"subjectId": member_id, "salt": salt_of(member_id).hex(), "commitments": commitments}

    def proven(self, **changes: Any) -> dict[str, Any]:
        """Give the answer of ProveMyEntry."""
        return {
            "entry": self.entry(),
            "leaf": base64.b64encode(self.leaf).decode(),
            "proof": self.proof(),
            "verifierKey": LOG_KEY.verifier.text,
            "witnessKeys": [one.verifier.text for one in WITNESSES],
            "quorum": 2,
            "opening": self.opening(),
            **changes,
        }
