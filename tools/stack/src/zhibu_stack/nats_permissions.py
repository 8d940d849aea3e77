"""One NATS user per service, allowed what the service's README lists under "Publishes" and "Consumes", and nothing else."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zhibu_stack.engines.nats import NatsUser
from zhibu_stack.errors import StackError
from zhibu_stack.secret_store import SecretStore

SERVICES_DIRECTORY = Path(__file__).parents[4] / "services"

# Every service learns of revocations, or it refuses all calls.
EVERYBODY_CONSUMES = ("zhibu.identity.v1.access_revoked", "zhibu.identity.v1.deny_list_heartbeat")

# Buckets by service: the gateway's processes tell each other what they have counted.
BUCKETS = {"gateway": ("zhibu_gateway_limits",)}

SUBJECT = re.compile(r"^- `([a-z0-9_.]+)`")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """The subjects that a README lists, and the key-value buckets that the service keeps."""

    publishes: Sequence[str]
    consumes: Sequence[str]
    buckets: Sequence[str]


def nats_users(
    services: Sequence[str], secrets: SecretStore, *, directory: Path = SERVICES_DIRECTORY
) -> list[NatsUser]:
    """Return one user per service."""
    users: list[NatsUser] = []
    for service in services:
        traffic = read_traffic(directory / service / "README.md", buckets=BUCKETS.get(service, ()))
        users.append(user_of(service, traffic, password=secrets.get(f"nats-{service}")))
    return users


def user_of(service: str, traffic: Traffic, *, password: str) -> NatsUser:
    """Return the user with the subjects that JetStream needs for the traffic.

    Raises: StackError when a service lists a subject of somebody else as its own.
    """
    for subject in traffic.publishes:
        if not subject.startswith(f"zhibu.{service}."):
            raise StackError(
                f"{service} 的 README 列出了不属于它的主题 {subject}。",
                f"The README of {service} lists {subject}, which is not its own to publish.",
            )
    dead = f"zhibu.dead.{service}"
    publish = [*traffic.publishes, dead, "$JS.API.INFO"]
    for stream in (*([stream_of(traffic.publishes[0])] if traffic.publishes else []), "ZHIBU_DEAD"):
        publish += [f"$JS.API.STREAM.{verb}.{stream}" for verb in ("CREATE", "UPDATE", "INFO")]
    consumes = sorted({*traffic.consumes, *EVERYBODY_CONSUMES})
    for subject in consumes:
        # The filter stands in the request's subject, so a consumer of anything else cannot be made.
        publish.append(f"$JS.API.CONSUMER.CREATE.{stream_of(subject)}.*.{subject}")
    for stream in sorted({stream_of(subject) for subject in consumes}):
        publish += [f"$JS.API.STREAM.INFO.{stream}", f"$JS.API.CONSUMER.INFO.{stream}.*"]
        publish += [f"$JS.API.CONSUMER.MSG.NEXT.{stream}.*", f"$JS.ACK.{stream}.>"]
    for bucket in traffic.buckets:
        publish += bucket_subjects(bucket)
    return NatsUser(
        name=service, password=password, publish=publish, subscribe=[*consumes, "_INBOX.>", f"_INBOX_{service}.>"]
    )


def bucket_subjects(bucket: str) -> list[str]:
    """Return what a user of a key-value bucket publishes to: values, and the making and reading of its stream."""
    stream = f"KV_{bucket}"
    return [
        f"$KV.{bucket}.>",
        f"$JS.API.STREAM.*.{stream}",
        f"$JS.API.STREAM.MSG.GET.{stream}",
        f"$JS.API.DIRECT.GET.{stream}.>",
        f"$JS.API.CONSUMER.*.{stream}",
        f"$JS.API.CONSUMER.*.{stream}.>",
        f"$JS.ACK.{stream}.>",
        f"$JS.FC.{stream}.>",
    ]


def stream_of(subject: str) -> str:
    """Return the stream that keeps a subject: `zhibu.identity.v1.eid_issued` is in ZHIBU_IDENTITY."""
    return f"ZHIBU_{subject.split('.')[1].upper()}"


def read_traffic(readme: Path, *, buckets: Sequence[str] = ()) -> Traffic:
    """Return what the README lists; a service without a README may do next to nothing."""
    text = readme.read_text(encoding="utf-8") if readme.exists() else ""
    return Traffic(publishes=section(text, "Publishes"), consumes=section(text, "Consumes"), buckets=buckets)


def section(text: str, title: str) -> list[str]:
    """Return the names in the list below a heading."""
    _, _, rest = text.partition(f"\n## {title}\n")
    body, _, _ = rest.partition("\n## ")
    return [match.group(1) for line in body.splitlines() if (match := SUBJECT.match(line))]
