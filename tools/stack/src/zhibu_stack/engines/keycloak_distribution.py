"""Keycloak's distribution: fetched once through Maven, unpacked and built once per set of build options, kept in the cache."""

import contextlib
import fcntl
import hashlib
import os
import shutil
import tarfile
from collections.abc import Generator
from pathlib import Path

from zhibu_stack.engines.java import find_java
from zhibu_stack.engines.process import Program, run_to_end
from zhibu_stack.errors import StackError

VERSION = "26.7.3"
ARTIFACT = f"org.keycloak:keycloak-quarkus-dist:{VERSION}:tar.gz"
COPY_GOAL = "org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy"
ARCHIVE_NAME = f"keycloak-quarkus-dist-{VERSION}.tar.gz"

DOWNLOAD_TIMEOUT_S = 900
BUILD_TIMEOUT_S = 420

# What is baked in by Keycloak's own build step; everything else is given at the start.
BUILD_OPTIONS = (
    "--db=postgres",
    "--health-enabled=true",
    "--metrics-enabled=true",
    # One server on one machine: no cluster transport to start.
    "--cache=local",
    # Officers show the certificate of their key stick; nobody else is asked for anything.
    "--https-client-auth=request",
    # Probes of its readiness stay plain, whatever certificates the front has.
    "--http-management-scheme=http",
)

MODULE_OPTIONS = (
    "--add-opens=java.base/java.util=ALL-UNNAMED",
    "--add-opens=java.base/java.util.concurrent=ALL-UNNAMED",
    "--add-opens=java.base/java.security=ALL-UNNAMED",
    "--add-opens=java.base/java.lang=ALL-UNNAMED",
    "--enable-native-access=ALL-UNNAMED",
)


THREAD_FACTORY = "io.quarkus.bootstrap.forkjoin.QuarkusForkJoinWorkerThreadFactory"


def cache_directory() -> Path:
    """Return where downloads and builds are kept between checkouts."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "zhibu" / "keycloak"


def ensure_built(cache: Path | None = None) -> Path:
    """Return a built distribution, doing what is missing: download, unpack, build.

    Raises: StackError when Maven is missing or a step fails.
    """
    directory = cache or cache_directory()
    built = built_directory(directory)
    if built.exists():
        return built
    directory.mkdir(parents=True, exist_ok=True)
    with exclusively(directory / ".lock"):
        if not built.exists():
            archive = ensure_archive(directory)
            draft = directory / f"{built.name}.draft"
            shutil.rmtree(draft, ignore_errors=True)
            unpack(archive, draft)
            build(draft, log=directory / "build.log")
            draft.rename(built)
    return built


def check_maven(cache: Path | None = None) -> None:
    """Say early what a first start lacks.

    Raises: StackError when Keycloak is not here yet and Maven, which fetches it, is missing.
    """
    directory = cache or cache_directory()
    if not built_directory(directory).exists() and not (directory / ARCHIVE_NAME).exists():
        find_maven()


def built_directory(cache: Path) -> Path:
    """Return where the build with these options lies, or will lie."""
    key = hashlib.sha256("\n".join((VERSION, *BUILD_OPTIONS)).encode()).hexdigest()[:12]
    return cache / f"keycloak-{VERSION}-{key}"


def ensure_archive(directory: Path) -> Path:
    """Return the archive, copied out of Maven Central by Maven when it is not here yet."""
    archive = directory / ARCHIVE_NAME
    if archive.exists():
        return archive
    maven = find_maven()
    arrived = directory / "arrived"
    program = Program(
        name="mvn",
        argv=[maven, "-B", "-ntp", COPY_GOAL, f"-Dartifact={ARTIFACT}", f"-DoutputDirectory={arrived}"],
        cwd=directory,
    )
    try:
        run_to_end(program, log=directory / "download.log", timeout_s=DOWNLOAD_TIMEOUT_S)
    except StackError as error:
        raise StackError(
            f"Keycloak {VERSION} 下载失败，请检查网络和 JDK。\n{error.zh}",
            f"Keycloak {VERSION} could not be downloaded; check the network and the JDK. {error.en}",
        ) from error
    # Renamed into place only when whole: an interrupted copy is never taken for the archive.
    (arrived / ARCHIVE_NAME).rename(archive)
    arrived.rmdir()
    return archive


def find_maven() -> str:
    """Return the path of Maven.

    Raises: StackError when there is none.
    """
    maven = shutil.which("mvn")
    if maven is None:
        raise StackError(
            f"缺少 Maven，无法下载 Keycloak {VERSION}：请安装 Maven 和 JDK（Debian：apt install maven）。",
            f"Maven is missing, so Keycloak {VERSION} cannot be had: install Maven and a JDK (Debian: apt install maven).",
        )
    return maven


def unpack(archive: Path, directory: Path) -> None:
    """Unpack without the archive's own top folder."""
    with tarfile.open(archive) as tar:
        tar.extractall(directory, filter="data")
    (top,) = directory.iterdir()
    for entry in list(top.iterdir()):
        entry.rename(directory / entry.name)
    top.rmdir()


def build(home: Path, *, log: Path) -> None:
    """Run Keycloak's build step, which takes most of a minute."""
    program = Program(
        name="keycloak build",
        argv=[*java_command(home, find_java(), heap_mb=512), "build", *BUILD_OPTIONS],
        cwd=home,
    )
    run_to_end(program, log=log, timeout_s=BUILD_TIMEOUT_S)


def java_command(home: Path, java: Path, *, heap_mb: int) -> list[str]:
    """Return what `kc.sh` would run. The script itself stays between us and Java, where signals get lost."""
    return [
        str(java),
        f"-Xmx{heap_mb}m",
        "-XX:+UseSerialGC",
        # Half the processor time of a start (12 s instead of 24) for log-ins that cost half a second instead of a fifth.
        # A measurement or a real installation takes it back: ZHIBU_KEYCLOAK_JAVA_OPTIONS=-XX:TieredStopAtLevel=4.
        "-XX:TieredStopAtLevel=1",
        *os.environ.get("ZHIBU_KEYCLOAK_JAVA_OPTIONS", "").split(),
        "-XX:MetaspaceSize=96M",
        "-XX:MaxMetaspaceSize=256m",
        "-XX:+ExitOnOutOfMemoryError",
        "-Dfile.encoding=UTF-8",
        "-Duser.language=en",
        "-Duser.country=US",
        *MODULE_OPTIONS,
        f"-Dkc.home.dir={home}",
        f"-Djboss.server.config.dir={home}/conf",
        "-Djava.util.logging.manager=org.jboss.logmanager.LogManager",
        f"-Djava.util.concurrent.ForkJoinPool.common.threadFactory={THREAD_FACTORY}",
        "-Dpicocli.disable.closures=true",
        "-Dquarkus-log-max-startup-records=10000",
        "-cp",
        f"{home}/lib/quarkus-run.jar",
        "io.quarkus.bootstrap.runner.QuarkusEntryPoint",
    ]


@contextlib.contextmanager
def exclusively(path: Path) -> Generator[None]:
    """Hold a lock between processes, so that two first starts do not build at once."""
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
