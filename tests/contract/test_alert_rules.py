"""The alerts of deploy/alerts: when they fire and when not, reckoned by promtool; and each has what belongs to it."""

import ast
import json
import re
import subprocess
from pathlib import Path

from support.alert_cases import CASES
from zhibu_docs.contract import REPOSITORY
from zhibu_docs.metrics import all_metrics

RULES = REPOSITORY / "deploy" / "alerts" / "zhibu.yaml"
RUNBOOKS = REPOSITORY / "docs" / "operating" / "runbooks"
FIRING_TESTS = REPOSITORY / "tests" / "integration" / "alerts"
HEADINGS = ["## Meaning", "## Impact", "## Diagnosis", "## Mitigation"]

# Of prometheus_client and of Prometheus itself.
_FOREIGN = {"up"}


def test_alerts_fire_when_they_should_and_only_then(tmp_path: Path) -> None:
    given = {
        "rule_files": [str(RULES)],
        "evaluation_interval": "1m",
        "tests": [
            {
                "name": case.name,
                "interval": "1m",
                "input_series": [{"series": series, "values": values} for series, values in case.series.items()],
                "promql_expr_test": [
                    {
                        "expr": 'group by (alertname) (ALERTS{alertstate="firing"})',
                        "eval_time": f"{minute}m",
                        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1} for alert in alerts],
                    }
                    for minute, alerts in case.firing.items()
                ],
            }
            for case in CASES
        ],
    }
    # JSON is YAML.
    path = tmp_path / "alerts.yaml"
    path.write_text(json.dumps(given), encoding="utf-8")
    done = subprocess.run(["promtool", "test", "rules", path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_rules_are_well_formed() -> None:
    done = subprocess.run(
        ["promtool", "check", "rules", "--lint=all", "--lint-fatal", RULES], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_alert_is_reckoned_has_a_runbook_and_is_fired_by_a_test() -> None:
    alerts = set(re.findall(r"^ +- alert: (\w+)$", RULES.read_text(encoding="utf-8"), re.MULTILINE))
    assert len(alerts) > 5
    assert {alert for case in CASES for firing in case.firing.values() for alert in firing} == alerts
    assert {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"} == alerts
    assert _fired() == alerts


def test_every_alert_has_a_severity_a_wait_and_words_in_both_languages() -> None:
    for name, body in _alerts().items():
        assert re.search(r"^ +for: \d+m$", body, re.MULTILINE), name
        assert re.search(r"^ +labels: \{severity: (critical|warning)\}$", body, re.MULTILINE), name
        assert re.search(r'^ +summary: "[^\u4e00-\u9fff]+"$', body, re.MULTILINE), name
        assert re.search(r'^ +summary_zh: ".*[\u4e00-\u9fff].*"$', body, re.MULTILINE), name
        assert f"          runbook: docs/operating/runbooks/{name}.md\n" in body, name


def test_every_runbook_says_what_it_means_what_suffers_how_to_look_and_what_to_do() -> None:
    for path in sorted(RUNBOOKS.glob("*.md")):
        if path.stem != "README":
            text = path.read_text(encoding="utf-8")
            assert text.startswith(f"# {path.stem}\n")
            assert [line for line in text.splitlines() if line.startswith("## ")] == HEADINGS, path.stem


def test_rules_and_runbooks_name_only_metrics_that_the_code_has() -> None:
    series = {name for metric in all_metrics().values() for name in metric.series}
    rules = re.sub(r"#.*", "", RULES.read_text(encoding="utf-8"))
    recorded = set(re.findall(r"record: (\S+)", rules))
    expressions = re.sub(
        r'"[^"]*"', "", re.sub(r"^ +(summary|summary_zh|runbook|record|- name):.*", "", rules, flags=re.MULTILINE)
    )
    assert set(re.findall(r"job:zhibu\w+:\w+", expressions)) == recorded
    named = set(re.findall(r"(?<![:\w])(?:zhibu_\w+|up|process_\w+)\b", expressions)) - _FOREIGN
    assert len(named) > 10
    assert named <= series
    for page in [*RUNBOOKS.glob("*.md"), REPOSITORY / "docs" / "operating" / "telemetry.md"]:
        # Of a package or a test's name are these too.
        found = set(
            re.findall(
                r"\bzhibu_\w+_(?:seconds\w*|total|pending|check|waiting|bound|connections\w*|row)\b",
                page.read_text("utf-8"),
            )
        )
        assert found <= series | {metric.family for metric in all_metrics().values()}, page.name


def test_labels_are_named_as_prometheus_wants_and_hide_none_of_its_own() -> None:
    for metric in all_metrics().values():
        assert re.fullmatch(r"zhibu(\.[a-z][a-z0-9_]*)+", metric.name)
        assert metric.description.endswith("."), metric.name
        # A label of the target would be renamed.
        assert not {"job", "instance", "le"} & set(metric.labels), metric.name
        assert all(re.fullmatch(r"[a-z_]+", label) for label in metric.labels), metric.name


def _alerts() -> dict[str, str]:
    """Return the text of each alert."""
    _, *parts = re.split(r"^ +- alert: ", RULES.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {part.split("\n", 1)[0]: part.split("\n", 1)[1] + "\n" for part in parts}


def _fired() -> set[str]:
    """Return what the tests say that they fire: `@pytest.mark.fires("OutboxStuck")`."""
    calls = [
        node
        for path in FIRING_TESTS.glob("test_*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "fires"
    ]
    return {str(one.value) for call in calls for one in call.args if isinstance(one, ast.Constant)}
