"""The clerk's desk: approves, refuses, asks; and what follows from an approval."""

import asyncio
from collections.abc import Iterable
from typing import Final

from zhibu_demo.api import Api, Json, TokenSource, segment
from zhibu_demo.errors import DemoError
from zhibu_demo.people import Person
from zhibu_demo.progress import Progress

# An e-ID is issued within seconds; two cores with everything on them take longer for many.
_LONGEST_ISSUE_S: Final = 120
_LONGEST_BATCH_S: Final = 120
_LOOK_AGAIN_S: Final = 0.5
_PAGE: Final = 200


class Desk:
    """One officer's desk at one county (or city, or province)."""

    def __init__(self, api: Api, progress: Progress, token: TokenSource, organisation_id: str) -> None:
        self._api = api
        self._progress = progress
        self._token = token
        self._base = f"/v1/organisations/{segment(organisation_id)}"
        self._cases: dict[str, Json] = {}

    async def open(self) -> None:
        """Read the queue anew."""
        token = ""
        while True:
            page = await self._api.get(
                f"{self._base}/applications", token=self._token, page_size=_PAGE, page_token=token
            )
            self._cases |= {case["caseNumber"]: case for case in page.get("applications", [])}
            token = page.get("nextPageToken", "")
            if not token:
                return

    def application_of(self, person: Person) -> Json:
        """Return the person's application as last read."""
        return self._cases[self._progress.of(person.key).get("case_number")]

    async def approve(self, person: Person) -> None:
        """Approve one application, with its findings looked at."""
        await self._decide(person, "approve", {"findingsChecked": True})

    async def refuse(self, person: Person, reason: str, note: str = "") -> None:
        """Refuse with a reason."""
        await self._decide(person, "refuse", {"reason": reason, "note": note})

    async def ask(self, person: Person, question: str) -> None:
        """Ask the applicant for more."""
        await self._decide(person, "ask", {"question": question})

    async def approve_many(self, people: Iterable[Person]) -> None:
        """Approve as one batch those whose checks found nothing, and each of the others singly."""
        waiting = [person for person in people if not self._progress.of(person.key).get("approve")]
        plain = [person for person in waiting if not self.application_of(person).get("findings")]
        for person in waiting:
            if person not in plain:
                await self.approve(person)
        if plain:
            await self._approve_batch(plain)

    async def wait_until_issued(self, people: Iterable[Person]) -> None:
        """Wait until everybody has an e-ID, and keep its id.

        Raises:
            DemoError: it takes too long.
        """
        missing = [person for person in people if not self._progress.of(person.key).get("eid_id")]
        for _ in range(int(_LONGEST_ISSUE_S / _LOOK_AGAIN_S)):
            if not missing:
                return
            await self.open()
            for person in list(missing):
                if eid_id := self.application_of(person).get("eidId"):
                    self._progress.of(person.key).put("eid_id", eid_id)
                    missing.remove(person)
            if missing:
                await asyncio.sleep(_LOOK_AGAIN_S)
        raise DemoError("电子身份证没有按时发放。", "The e-IDs were not issued in time.")

    async def issue_activation_code(self, person: Person) -> None:
        """Have a new activation code shown, and keep it with the number of the e-ID."""
        notes = self._progress.of(person.key)
        path = f"{self._base}/eids/{notes.get('eid_id')}:issueActivationCode"
        # An interrupted load asks for a new code; the last one may have been used.
        count = int(notes.get("codes_issued") or 0) + 1
        notes.put("codes_issued", count)
        answer = await self._api.post(
            path, {}, token=self._token, request_id=notes.request_id(f"activation-code-{count}")
        )
        notes.put("activation_code", answer["activationCode"])
        notes.put("eid_number", answer["eidNumber"])

    async def revoke(self, person: Person, reason: str) -> None:
        """Revoke the person's e-ID."""
        notes = self._progress.of(person.key)
        if notes.get("revoked"):
            return
        path = f"{self._base}/eids/{notes.get('eid_id')}"
        _, etag = await self._api.get_with_etag(path, token=self._token)
        body = {"reason": reason, "etag": etag.strip('"')}
        await self._api.post(f"{path}:revoke", body, token=self._token, request_id=notes.request_id("revoke"))
        notes.put("revoked", True)

    async def _decide(self, person: Person, verb: str, body: Json) -> None:
        notes = self._progress.of(person.key)
        if notes.get(verb):
            return
        application = self.application_of(person)
        path = f"{self._base}/applications/{application['applicationId']}:{verb}"
        body = {**body, "etag": application["etag"]}
        await self._api.post(path, body, token=self._token, request_id=notes.request_id(verb))
        notes.put(verb, True)

    async def _approve_batch(self, people: list[Person]) -> None:
        applications = [self.application_of(person) for person in people]
        entries = [{"applicationId": each["applicationId"], "etag": each["etag"]} for each in applications]
        name = "batch:" + ",".join(sorted(f"{each['applicationId']}@{each['etag']}" for each in applications))
        started = await self._api.post(
            f"{self._base}/approval-batches",
            {"entries": entries},
            token=self._token,
            request_id=self._progress.request_id(name),
        )
        batch = started["approvalBatch"]
        for _ in range(int(_LONGEST_BATCH_S / _LOOK_AGAIN_S)):
            if batch.get("done"):
                break
            await asyncio.sleep(_LOOK_AGAIN_S)
            path = f"{self._base}/approval-batches/{batch['approvalBatchId']}"
            batch = (await self._api.get(path, token=self._token))["approvalBatch"]
        failures = {item.get("failureReason") for item in batch.get("items", []) if item.get("failureReason")}
        # What an interrupted load has approved already is as good as approved now.
        if not batch.get("done") or failures - {"APPLICATION_ALREADY_DECIDED"}:
            raise DemoError("批量审批没有完成。", f"The batch of approvals failed: {sorted(map(str, failures))}.")
        for person in people:
            self._progress.of(person.key).put("approve", True)
