"""The NATS users of a run, as the READMEs of the services say, and the streams, which only the administrator makes."""

from collections.abc import Sequence
from pathlib import Path

from zhibu_kit.bus import connect, ensure_streams
from zhibu_kit.nats_permissions import Subjects, owner_of, permissions_of, read_subjects

from zhibu_stack.engines import NatsUser
from zhibu_stack.errors import StackError
from zhibu_stack.secret_store import SecretStore

SERVICES_DIRECTORY = Path(__file__).parents[4] / "services"
ADMIN = "admin"


def nats_users(secrets: SecretStore, *, directory: Path = SERVICES_DIRECTORY) -> list[NatsUser]:
    """Return the administrator and one user per service."""
    users = [NatsUser(name=ADMIN, password=secrets.get(f"nats-{ADMIN}"), publish=[">"], subscribe=[">"])]
    for subjects in read_all(directory):
        allowed = permissions_of(subjects)
        password = secrets.get(f"nats-{subjects.service}")
        user = NatsUser(name=subjects.service, password=password, publish=allowed.publish, subscribe=allowed.subscribe)
        users.append(user)
    return users


async def make_streams(url: str, secrets: SecretStore, *, directory: Path = SERVICES_DIRECTORY) -> None:
    """Create or update the stream of every service that publishes or is listened to."""
    listed = [subject for subjects in read_all(directory) for subject in (*subjects.publishes, *subjects.consumes)]
    bus = await connect(url, user=ADMIN, password=secrets.get(f"nats-{ADMIN}"), name=ADMIN)
    try:
        await ensure_streams(bus, sorted({owner_of(subject) for subject in listed}))
    finally:
        await bus.close()


def read_all(directory: Path) -> Sequence[Subjects]:
    """Return what the README of each service lists.

    Raises: StackError when one lists what cannot be.
    """
    try:
        return [
            read_subjects(project.with_name("README.md"), service=project.parent.name)
            for project in sorted(directory.glob("*/pyproject.toml"))
        ]
    except ValueError as error:
        raise StackError(f"服务的 README 有误：{error}", f"A service's README is wrong: {error}") from error
