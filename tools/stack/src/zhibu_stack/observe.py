"""`make observe`: Debian's Prometheus, with the alerts loaded, over the processes of `make run`; no collector between."""

import asyncio
from pathlib import Path
from urllib.parse import urlencode

from zhibu_stack.engines import Prometheus
from zhibu_stack.errors import StackError
from zhibu_stack.layout import SERVICES, Ports
from zhibu_stack.run_state import RunState
from zhibu_stack.steps import Step
from zhibu_stack.supervisor import supervise

ALERTS = Path(__file__).resolve().parents[4] / "deploy" / "alerts" / "zhibu.yaml"

QUERIES = (
    ("每秒请求", "requests a second", "job:zhibu_requests:rate5m"),
    ("我方失败占比", "share that fails through our own fault", "job:zhibu_failures:rate5m / job:zhibu_requests:rate5m"),
    (
        "各方法 95% 耗时",
        "95 % of calls take at most, by method",
        "histogram_quantile(0.95, sum by (method, le) (rate(zhibu_rpc_duration_seconds_bucket[5m])))",
    ),
    ("待发布事件的等待时间", "how long events wait to be published", "zhibu_outbox_age_seconds"),
    ("等待消费者的事件", "events that wait for consumers", "zhibu_consumer_pending > 0"),
    ("失败的后台任务", "jobs that fail", "zhibu_job_failures_in_a_row > 0"),
    ("数据库连接", "database connections in use", "zhibu_database_connections"),
    ("处理器占用", "processors in use", "rate(process_cpu_seconds_total[1m])"),
    ("内存", "memory", "process_resident_memory_bytes"),
)


def observe(directory: Path) -> None:
    """Watch until Ctrl-C.

    Raises: StackError when nothing was ever started here, or it is being watched already.
    """
    ports = Ports(port_base_of(directory))
    own = directory / "observe"
    prometheus = Prometheus(own, ports.prometheus, targets=targets_of(ports), rules=ALERTS)
    # Found missing at once, not after a word of success.
    prometheus.program()
    state = RunState(own)
    state.acquire()
    try:
        step = Step(
            name="prometheus",
            prepare=prometheus.prepare,
            program=prometheus.program,
            is_ready=prometheus.is_ready,
            ports=[prometheus.port],
        )
        asyncio.run(supervise([step], directory=own, state=state, announce=lambda: announce(prometheus)))
        print("已停止。 / Stopped.")
    finally:
        state.release()


def port_base_of(directory: Path) -> int:
    """Return the first port of the run in this directory, as its settings say.

    Raises: StackError when nothing was ever started here.
    """
    try:
        lines = (directory / "env" / "gateway.env").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:
        raise StackError(
            f"{directory} 里没有运行过的系统：请先在另一个终端执行 make run。",
            f"Nothing has run in {directory}: start make run in another terminal first.",
        ) from None
    return next(int(line.partition("=")[2]) for line in lines if line.startswith("ZHIBU_PORT_BASE="))


def targets_of(ports: Ports) -> dict[str, str]:
    """Return where each process tells its metrics, by the job that the alerts know it as."""
    health = {service.name: ports.health(service) for service in SERVICES}
    health |= {"gateway": ports.gateway_health, "web": ports.web_health}
    return {f"zhibu-{name}": f"127.0.0.1:{port}" for name, port in health.items()}


def announce(prometheus: Prometheus) -> None:
    """Print the addresses, and what is worth asking."""
    graph = prometheus.page("graph")
    print(f"\n图表和查询 / figures and queries:  {graph}")
    print(f"告警 / alerts:  {prometheus.page('alerts')}")
    print(f"各进程 / processes:  {prometheus.page('targets')}\n")
    for zh, en, query in QUERIES:
        print(f"{zh} / {en}:\n  {graph}?{urlencode({'g0.expr': query, 'g0.tab': 0, 'g0.range_input': '15m'})}")
    print("\nCtrl-C 停止；数据留在 .run/observe。 / Ctrl-C stops it; its data stay in .run/observe.\n")
