"""What somebody with the log's own key can do: change entries, build the tree anew and sign it. Each way with what shows it."""

from collections.abc import Callable
from hashlib import sha256
from random import Random
from typing import Any

import orjson
from support.audit_leaves import canonical
from zhibu_audit.verifying.faults import FaultKind

Way = Callable[[list[bytes], Random], None]


def change_a_row(leaves: list[bytes], random: Random) -> None:
    """Say that somebody else did it; not in the row behind an incident, of which the lane knows the hash and not what it is made from."""
    incident = orjson.loads(leaves[_place_of_incident(leaves)])
    behind = (incident["lane"], incident["to_sequence"] + 1)
    place = random.choice([place for place in _rows(leaves) if _number(leaves[place]) != behind])
    leaf = orjson.loads(leaves[place])
    leaf["row"]["account_id"] = f"somebody-else-{random.randrange(10**6)}"
    leaves[place] = canonical(leaf)


def remove_a_row(leaves: list[bytes], random: Random) -> None:
    """Take a row out that others of its lane follow."""
    place = random.choice([place for place in _rows(leaves) if not _is_last_of_lane(leaves, place)])
    del leaves[place]


def repeat_a_row(leaves: list[bytes], random: Random) -> None:
    """Put a row in a second time, somewhere behind itself."""
    place = _place_of_row(leaves, random)
    leaves.insert(random.randint(place + 1, len(leaves)), leaves[place])


def insert_a_row(leaves: list[bytes], random: Random) -> None:
    """Put a row that never was under the number of one that follows."""
    place = _place_of_row(leaves, random)
    leaf = orjson.loads(leaves[place])
    leaf["row"]["subject_id"] = f"never-was-{random.randrange(10**6)}"
    leaves.insert(place, canonical(leaf))


def swap_neighbours_of_a_lane(leaves: list[bytes], random: Random) -> None:
    """Let two rows of a lane change places."""
    one = random.choice([place for place in _rows(leaves) if not _is_last_of_lane(leaves, place)])
    other = next(place for place in _rows(leaves) if place > one and _lane(leaves[place]) == _lane(leaves[one]))
    leaves[one], leaves[other] = leaves[other], leaves[one]


def spell_it_otherwise(leaves: list[bytes], random: Random) -> None:
    """Write an entry with a blank more, so that two texts say the same."""
    place = random.randrange(len(leaves))
    at = leaves[place].index(b":") + 1
    leaves[place] = leaves[place][:at] + b" " + leaves[place][at:]


def put_in_something_else(leaves: list[bytes], random: Random) -> None:
    """Put something in the place of an entry that is none."""
    leaves[random.randrange(len(leaves))] = random.choice(
        [b"", random.randbytes(40), b"[]", b"null", b'{"kind":"row","v":1}', b'{"kind":"other","v":1}', b'{"v":2}']
    )


def remove_the_incident(leaves: list[bytes], random: Random) -> None:
    """Hide that rows were lost."""
    del leaves[_place_of_incident(leaves)]


def sign_the_incident_alone(leaves: list[bytes], random: Random) -> None:
    """Let one officer be both."""
    _change_incident(leaves, second_signed_by="a")


def stretch_the_incident(leaves: list[bytes], random: Random) -> None:
    """Let the incident begin elsewhere than where the lane stands."""
    from_sequence = orjson.loads(leaves[_place_of_incident(leaves)])["from_sequence"]
    _change_incident(leaves, from_sequence=from_sequence + random.choice([-2, -1, 1, 2]))


def begin_anew_in_the_middle(leaves: list[bytes], random: Random) -> None:
    """Put the beginning of a log into its middle."""
    origin = {"at": "2026-11-30T00:00:00+00:00", "kind": "origin", "previous_checkpoint": "", "v": 1}
    leaves.insert(random.randint(1, len(leaves)), canonical(origin))


def rechain(leaves: list[bytes]) -> list[bytes]:
    """Number and chain everything anew, as whoever has the services' databases too could: only the past gives it away."""
    lanes: dict[str, tuple[int, bytes]] = {}
    chained: list[dict[str, Any]] = []
    # Incidents whose lane has not gone on yet.
    waiting: dict[str, dict[str, Any]] = {}
    for entry in leaves:
        leaf: dict[str, Any] = orjson.loads(entry)
        lane = leaf["lane"]
        sequence, chain = lanes.get(lane, (0, bytes(32)))
        if leaf["kind"] == "incident":
            count = leaf["to_sequence"] - leaf["from_sequence"]
            leaf["from_sequence"], leaf["to_sequence"] = sequence + 1, sequence + 1 + count
            lanes[lane] = (sequence + 1 + count, chain)
            waiting[lane] = leaf
        else:
            leaf["row"]["sequence"] = sequence + 1
            chain = sha256(chain + canonical(leaf["row"])).digest()
            leaf["chain"] = chain.hex()
            lanes[lane] = (sequence + 1, chain)
            if lane in waiting:
                waiting.pop(lane)["next_chain"] = leaf["chain"]
        chained.append(leaf)
    return list(map(canonical, chained))


def replace_the_row_behind_the_incident(leaves: list[bytes], random: Random) -> None:
    """Put another row, chained to nothing, where the incident says which one follows."""
    incident = orjson.loads(leaves[_place_of_incident(leaves)])
    for place in _rows(leaves):
        leaf = orjson.loads(leaves[place])
        if (leaf["lane"], leaf["row"]["sequence"]) == (incident["lane"], incident["to_sequence"] + 1):
            leaf["row"]["account_id"] = f"somebody-else-{random.randrange(10**6)}"
            leaf["chain"] = sha256(canonical(leaf["row"])).hexdigest()
            leaves[place] = canonical(leaf)


# Which kinds may be found for each way, of which at least one must be.
REBUILT: dict[Way, set[FaultKind]] = {
    change_a_row: {FaultKind.LANE_CHAIN_BROKEN},
    remove_a_row: {FaultKind.LANE_GAP, FaultKind.INCIDENT_MISPLACED},
    repeat_a_row: {FaultKind.LANE_REPEATED},
    insert_a_row: {FaultKind.LANE_CHAIN_BROKEN, FaultKind.LANE_REPEATED},
    swap_neighbours_of_a_lane: {FaultKind.LANE_GAP, FaultKind.LANE_REPEATED, FaultKind.INCIDENT_MISPLACED},
    spell_it_otherwise: {FaultKind.ENTRY_MALFORMED},
    put_in_something_else: {FaultKind.ENTRY_MALFORMED},
    remove_the_incident: {FaultKind.LANE_GAP},
    sign_the_incident_alone: {FaultKind.INCIDENT_MISPLACED},
    stretch_the_incident: {FaultKind.INCIDENT_MISPLACED},
    replace_the_row_behind_the_incident: {FaultKind.LANE_CHAIN_BROKEN},
    begin_anew_in_the_middle: {FaultKind.ORIGIN_MISPLACED},
}


def _lane(leaf: bytes) -> str:
    return orjson.loads(leaf)["lane"]


def _number(leaf: bytes) -> tuple[str, int]:
    content = orjson.loads(leaf)
    return content["lane"], content["row"]["sequence"]


def _rows(leaves: list[bytes]) -> list[int]:
    return [place for place, leaf in enumerate(leaves) if b'"kind":"row"' in leaf]


def _place_of_row(leaves: list[bytes], random: Random) -> int:
    return random.choice(_rows(leaves))


def _place_of_incident(leaves: list[bytes]) -> int:
    return next(place for place, leaf in enumerate(leaves) if b'"kind":"incident"' in leaf)


def _is_last_of_lane(leaves: list[bytes], place: int) -> bool:
    lane = _lane(leaves[place])
    return all(_lane(leaf) != lane for leaf in leaves[place + 1 :])


def _change_incident(leaves: list[bytes], **fields: Any) -> None:
    place = _place_of_incident(leaves)
    leaves[place] = canonical({**orjson.loads(leaves[place]), **fields})
