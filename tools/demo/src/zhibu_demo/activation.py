"""First log-in and later ones: the password is generated once and kept with the other secrets of `.run/`."""

import secrets
from contextlib import suppress
from typing import Final

from zhibu_stack.secret_store import SecretStore

from zhibu_demo.api import Api
from zhibu_demo.errors import DemoError
from zhibu_demo.login import Answers, Keycloak, Session
from zhibu_demo.people import Person
from zhibu_demo.phone import Phone
from zhibu_demo.progress import Progress

_CODES_ASKED_FOR: Final = 3
# Without look-alikes, because people type it from the screen.
_ALPHABET: Final = "abcdefghjkmnpqrstuvwxyz23456789"


class LogIn:
    """Logs people of the demonstration in."""

    def __init__(
        self, api: Api, phone: Phone, keycloak: Keycloak, *, progress: Progress, secret_store: SecretStore
    ) -> None:
        self._api = api
        self._phone = phone
        self._keycloak = keycloak
        self._progress = progress
        self._secrets = secret_store
        self._sessions: dict[str, Session] = {}

    def password_of(self, person: Person) -> str:
        """Return the person's password, which is made on first use."""
        name = f"demo-{person.key}"
        groups = ("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(3))
        self._secrets.put(name, "-".join(groups))
        return self._secrets.get(name)

    async def activate(self, person: Person) -> Session:
        """Log in with the activation code, which makes the person set a password; later with that."""
        notes = self._progress.of(person.key)
        if not notes.get("activated"):
            self._sessions[person.key] = await self._keycloak.log_in(
                self._answers(person, password=notes.get("activation_code"), new_password=self.password_of(person))
            )
            notes.put("activated", True)
            # As every member does: with the own page opened, the e-ID counts as in use.
            await self._api.get("/v1/me", token=self._sessions[person.key].token)
        return await self.log_in(person)

    async def log_in(self, person: Person) -> Session:
        """Log in with the password and a code, unless the person is logged in already."""
        if person.key not in self._sessions:
            answers = self._answers(person, password=self.password_of(person))
            self._sessions[person.key] = await self._keycloak.log_in(answers)
        return self._sessions[person.key]

    def _answers(self, person: Person, *, password: str, new_password: str = "") -> Answers:
        eid_number = str(self._progress.of(person.key).get("eid_number"))

        async def code() -> str:
            newest = await self._phone.newest(person.telephone)
            for _ in range(_CODES_ASKED_FOR):
                await self._api.post("/v1/login-codes", {"eidNumber": eid_number})
                # Asked for again too soon, none is sent, and nobody is told so.
                with suppress(DemoError):
                    return await self._phone.code(person.telephone, after=newest)
            return await self._phone.code(person.telephone, after=newest)

        return Answers(eid_number=eid_number, password=password, code=code, new_password=new_password)
