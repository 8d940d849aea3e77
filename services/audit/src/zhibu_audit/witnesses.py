"""Witnesses: whom the log asks to cosign its checkpoints (c2sp.org/tlog-witness). A witness is never believed without a signature."""

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from typing import Final

import httpx
from zhibu_tlog.checkpoints import SignedCheckpoint, open_checkpoint
from zhibu_tlog.cosignatures import read_cosignatures
from zhibu_tlog.keys import VerifierKey
from zhibu_tlog.notes import Note, NoteRefusedError, Signature, check_note
from zhibu_tlog.spelling import MalformedError, read_number

# A witness that is slower than this is asked again later; the log does not wait for it.
TIMEOUT_S: Final = 3.0


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessAddress:
    """A witness: where it answers and what it signs with."""

    url: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """It has cosigned."""

    signatures: Sequence[Signature]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherSize:
    """It has cosigned at another size last, and says at which."""

    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """It does not find that the log has only grown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    """It is not there, does not know the log, or answers what is no answer."""

    because: str


Answer = Cosigned | OtherSize | Refused | Away


class WitnessClient:
    """Asks one witness."""

    def __init__(self, address: WitnessAddress, http: httpx.AsyncClient) -> None:
        """Ask over a client that is shared."""
        self.address = address
        self._http = http

    @property
    def name(self) -> str:
        """Its name."""
        return self.address.key.name

    async def add_checkpoint(self, request: bytes, note: Note) -> Answer:
        """Ask to cosign a note; `request` says since which size, with the proof."""
        try:
            response = await self._http.post(f"{self.address.url}/add-checkpoint", content=request, timeout=TIMEOUT_S)
            return self._answer(response, note)
        except (httpx.HTTPError, MalformedError, NoteRefusedError) as error:
            return Away(because=type(error).__name__)

    async def find_checkpoint(self, origin: str, keys: Sequence[VerifierKey]) -> SignedCheckpoint | Away | None:
        """Return what it has cosigned last of a log, signed by both; None when it says that it has nothing."""
        url = f"{self.address.url}/{sha256(origin.encode()).hexdigest()}/checkpoint"
        try:
            response = await self._http.get(url, timeout=TIMEOUT_S)
            match response.status_code:
                case HTTPStatus.OK:
                    signed = open_checkpoint(response.content, origin=origin, keys=keys)
                    check_note(signed.note, [self.address.key])
                    return signed
                case HTTPStatus.NOT_FOUND:
                    return None
                case status:
                    return Away(because=f"status {status}")
        except (httpx.HTTPError, MalformedError, NoteRefusedError) as error:
            return Away(because=type(error).__name__)

    def _answer(self, response: httpx.Response, note: Note) -> Answer:
        match response.status_code:
            case HTTPStatus.OK:
                return Cosigned(signatures=read_cosignatures(note, response.content, self.address.key))
            case HTTPStatus.CONFLICT:
                return OtherSize(size=read_number(response.text.removesuffix("\n")))
            case HTTPStatus.UNPROCESSABLE_ENTITY:
                return Refused()
            case status:
                return Away(because=f"status {status}")
