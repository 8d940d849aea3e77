"""What the script that checks a proof in the page gets: the proof as the gateway gave it, what the page says, and words."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import orjson
from fastapi.responses import Response

from zhibu_web.contract_log import Entry, ProvenEntry
from zhibu_web.visit import Visit

STEPS: Final = ("file", "words", "tree", "log", "witnesses", "person", "memory")
REASONS: Final = (
    "MALFORMED",
    "NOT_READ",
    "NOT_READABLE",
    "NO_ED25519",
    *(f"{step}.good" for step in STEPS),
    "file.OTHER_LOG",
    "words.DIFFERS",
    "tree.OTHER_ROOT",
    "log.NOT_SIGNED",
    "log.SIGNATURE_WRONG",
    "witnesses.COSIGNATURE_WRONG",
    "witnesses.TOO_FEW_WITNESSES",
    "witnesses.NO_WITNESSES",
    "person.NAMED",
    "person.NOT_NAMED",
    "person.OTHER_PERSON",
    "person.NO_PLACE",
    "person.OTHER_COMMITMENT",
    "memory.FIRST",
    "memory.OTHER_KEY",
    "memory.OTHER_WITNESSES",
    "memory.SHORTER",
    "memory.FORKED",
    "memory.NO_MEMORY",
)
STATES: Final = ("good", "bad", "unchecked")
OUTCOMES: Final = ("ENTRY_OUTCOME_DONE", "ENTRY_OUTCOME_READ", "ENTRY_OUTCOME_REFUSED")
# What members are shown of an entry, and what officers are shown besides.
MEMBERS_FIELDS: Final = ("time", "action", "outcome", "offices", "organisation", "lane", "sequence")
OFFICERS_FIELDS: Final = (*MEMBERS_FIELDS, "reason", "account", "member", "service", "subject", "count")
_SINGLE_WORDS: Final = ("caption", "field", "page", "log", "same", "yes", "no", "nothing", "keep", "kept", "failed")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogCheck:
    """The two attributes of the part of a page on which a proof is checked, both JSON."""

    given: str
    words: str


def make_check(
    visit: Visit, proven: ProvenEntry, *, fields: tuple[str, ...], shown: Mapping[str, str], member_id: str = ""
) -> LogCheck:
    """Return what the script needs: `shown` are the page's words for the fields, a member's id asks for the own place."""
    said = said_of(proven.entry)
    given = {
        "leaf": proven.leaf,
        "proof": proven.proof,
        "verifierKey": proven.verifier_key,
        "witnessKeys": proven.witness_keys,
        "quorum": proven.quorum,
        "said": {name: said[name] for name in fields},
        "shown": shown,
        "memberId": member_id,
        "opening": proven.opening.model_dump(by_alias=True) if proven.opening and member_id else None,
    }
    return LogCheck(given=json.dumps(given, ensure_ascii=False), words=json.dumps(_words(visit), ensure_ascii=False))


def said_of(entry: Entry) -> dict[str, object]:
    """Return what a page says of an entry, in the codes of the contract, by the names that the script uses."""
    return {
        "time": entry.create_time.isoformat() if entry.create_time else "",
        "lane": entry.lane,
        "sequence": str(entry.sequence),
        "action": entry.action,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "offices": [f"{one.office}@{one.organisation_id}" for one in entry.offices],
        "organisation": entry.organisation_id,
        "account": entry.account_id,
        "member": entry.member_id,
        "service": entry.caller_service,
        "subject": entry.subject_id,
        "count": str(entry.subjects_count),
    }


def readable_leaf(proven: ProvenEntry) -> str:
    """Return the entry as it stands in the log, indented for reading; empty when it is no JSON."""
    try:
        document: object = orjson.loads(base64.b64decode(proven.leaf, validate=True))
    except (binascii.Error, ValueError):
        return ""
    return json.dumps(document, ensure_ascii=False, indent=2)


def proof_file(visit: Visit, proven: ProvenEntry) -> Response:
    """Return the proof as a file of c2sp.org/tlog-proof."""
    return _file(visit, proven.proof.encode(), "text/plain; charset=utf-8", f"entry-{proven.entry.index}.tlog-proof")


def leaf_file(visit: Visit, proven: ProvenEntry) -> Response:
    """Return the entry byte for byte as it stands in the log."""
    content = base64.b64decode(proven.leaf)
    return _file(visit, content, "application/json", f"entry-{proven.entry.index}.json")


def _file(visit: Visit, content: bytes, media_type: str, name: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return visit.with_cookies(Response(content, media_type=media_type, headers=headers))


def _words(visit: Visit) -> dict[str, object]:
    return {
        "language": visit.language,
        "steps": {step: visit.t(f"log_check.step.{step}") for step in STEPS},
        "reasons": {reason: visit.t(f"log_check.reason.{reason}") for reason in REASONS},
        "states": {state: visit.t(f"log_check.state.{state}") for state in STATES},
        "verdicts": {state: visit.t(f"log_check.verdict.{state}") for state in STATES},
        "verdictTexts": {state: visit.t(f"log_check.verdict_text.{state}") for state in STATES},
        "outcomes": {outcome: visit.t(f"entry_outcome.{outcome}") for outcome in OUTCOMES},
        "fields": {name: visit.t(f"log_check.field.{name}") for name in OFFICERS_FIELDS},
        "noCrypto": visit.t("log_check.no_crypto"),
        "cosigned": visit.t("log_check.cosigned"),
        **{name: visit.t(f"log_check.word.{name}") for name in _SINGLE_WORDS},
    }
