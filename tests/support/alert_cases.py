"""Series over half an hour, and the alerts that fire over them."""

from collections.abc import Mapping
from dataclasses import dataclass

_RPC, _WEB = "zhibu_rpc_duration_seconds", "zhibu_web_request_duration_seconds"
_CODES, _KEYCLOAK = "zhibu_sms_codes_total", "zhibu_keycloak_duration_seconds_count"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """Series, a sample a minute in promtool's notation, and every alert that fires at some minutes."""

    name: str
    series: Mapping[str, str]
    firing: Mapping[int, tuple[str, ...]]


def check_of(check: str) -> str:
    return f'zhibu_health_check{{job="zhibu-a",instance="1",check="{check}"}}'


# From the fifth minute to the ninth something is wrong; "for" says how much later the alert fires.
CASES = [
    Case(
        name="a process of ours does not answer, and neither does one of somebody else's",
        series={'up{job="zhibu-a",instance="1"}': "1x4 0x4 1x5", 'up{job="other",instance="1"}': "0x20"},
        firing={5: (), 6: ("ServiceDown",), 10: ()},
    ),
    Case(
        name="a database is away, and jobs fail for that",
        series={
            check_of("database"): "1x4 0x14 1x5",
            'zhibu_job_failures_in_a_row{job="zhibu-a",instance="1",name="sweep"}': "0x4 9x14 0x5",
        },
        firing={6: (), 7: ("DependencyAway",), 12: ("DependencyAway",), 20: ()},
    ),
    Case(
        name="NATS is away, so that nobody hears of revocations",
        series={
            check_of("nats"): "1x4 0x4 1x5",
            check_of("deny_list"): "1x4 0x4 1x5",
            'zhibu_deny_list_silent_seconds{job="zhibu-a",instance="1"}': "5x4 400x4 5x5",
        },
        firing={7: ("DependencyAway",), 10: ()},
    ),
    Case(
        name="one call in eleven fails through our own fault",
        series={
            f'{_RPC}_count{{job="zhibu-a",method="m",code="OK"}}': "0+60x30",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="INTERNAL"}}': "0+6x15 90x15",
        },
        firing={5: (), 7: ("HighErrorRate",), 25: ()},
    ),
    Case(
        name="pages fail, and calls behind them do not",
        series={
            f'{_WEB}_count{{job="zhibu-web",route="/",status="200"}}': "0+60x30",
            f'{_WEB}_count{{job="zhibu-web",route="/",status="500"}}': "0+6x30",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="OK"}}': "0+60x30",
        },
        firing={7: ("HighErrorRate",)},
    ),
    Case(
        name="half of the calls are refused with reason, few fail, and one at night",
        series={
            f'{_RPC}_count{{job="zhibu-a",method="m",code="OK"}}': "0+60x30",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="NOT_FOUND"}}': "0+60x30",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="UNAVAILABLE"}}': "0+3x30",
            f'{_RPC}_count{{job="zhibu-b",method="m",code="OK"}}': "0x30",
            f'{_RPC}_count{{job="zhibu-b",method="m",code="INTERNAL"}}': "0x4 1x25",
        },
        firing=dict.fromkeys(range(5, 30), ()),
    ),
    Case(
        name="one call in six takes longer than a second",
        series={
            f'{_RPC}_bucket{{job="zhibu-a",method="m",code="OK",le="1.0"}}': "0+50x20",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="OK"}}': "0+60x20",
        },
        firing={10: (), 12: ("SlowCalls",)},
    ),
    Case(
        name="one call in sixty takes longer than a second",
        series={
            f'{_RPC}_bucket{{job="zhibu-a",method="m",code="OK",le="1.0"}}': "0+59x20",
            f'{_RPC}_count{{job="zhibu-a",method="m",code="OK"}}': "0+60x20",
        },
        firing={12: (), 20: ()},
    ),
    Case(
        name="nearly all connections are in use",
        series={
            'zhibu_database_connections{job="zhibu-a",instance="1",database="a"}': "1x4 14x9 1x5",
            'zhibu_database_connections_limit{job="zhibu-a",instance="1",database="a"}': "15x20",
        },
        firing={9: (), 10: ("DatabasePoolFull",), 15: ()},
    ),
    Case(
        name="a job fails",
        series={
            check_of("database"): "1x20",
            'zhibu_job_failures_in_a_row{job="zhibu-a",instance="1",name="sweep"}': "0x4 3x9 0x5",
        },
        firing={9: (), 10: ("JobFailing",), 15: ()},
    ),
    Case(
        name="an event is not published",
        series={'zhibu_outbox_age_seconds{job="zhibu-a",instance="1"}': "0x4 31+60x9 0x5"},
        firing={6: (), 7: ("OutboxStuck",), 15: ()},
    ),
    Case(
        name="events wait for something that is away",
        series={
            'zhibu_consumer_pending{job="zhibu-a",instance="1",consumer="c"}': "0x4 5x15 0x5",
            'zhibu_consumer_handled_total{job="zhibu-a",instance="1",consumer="c",outcome="done"}': "100x20 105x5",
            'zhibu_consumer_handled_total{job="zhibu-a",instance="1",consumer="c",outcome="away"}': "0+10x30",
        },
        firing={11: (), 13: ("ConsumerLagging",), 21: ()},
    ),
    Case(
        name="a busy consumer keeps up",
        series={
            'zhibu_consumer_pending{job="zhibu-a",instance="1",consumer="c"}': "5000x28 5x20",
            'zhibu_consumer_handled_total{job="zhibu-a",instance="1",consumer="c",outcome="done"}': "0+10x50",
        },
        firing={13: (), 28: (), 40: ()},
    ),
    Case(
        name="a busy consumer does not keep up",
        series={
            'zhibu_consumer_pending{job="zhibu-a",instance="1",consumer="c"}': "5000+10x50",
            'zhibu_consumer_handled_total{job="zhibu-a",instance="1",consumer="c",outcome="done"}': "0+10x50",
        },
        firing={29: (), 33: ("ConsumerLagging",)},
    ),
    Case(
        name="an event was set aside",
        series={'zhibu_dead_letters_waiting{job="zhibu-a",instance="1"}': "0x4 1x4 0x5"},
        firing={5: (), 6: ("DeadLetters",), 10: ()},
    ),
    Case(
        name="identity tells nobody anything",
        series={
            check_of("nats"): "1x20",
            'zhibu_deny_list_silent_seconds{job="zhibu-a",instance="1"}': "5x4 40+60x4 5x5",
        },
        firing={5: (), 6: ("DenyListSilent",), 10: ()},
    ),
    Case(
        name="audit rows get no number",
        series={'zhibu_audit_unnumbered_age_seconds{job="zhibu-a",instance="1"}': "0.4x4 11+60x9 0x5"},
        firing={6: (), 7: ("AuditRowsUnnumbered",), 15: ()},
    ),
    Case(
        name="audit rows do not leave for the log",
        series={
            check_of("nats"): "1x20",
            'zhibu_audit_unfed_age_seconds{job="zhibu-a",instance="1"}': "0.4x4 31+60x9 0x5",
        },
        firing={7: (), 8: ("AuditFeedLate",), 15: ()},
    ),
    Case(
        name="audit rows do not leave because NATS is away",
        series={
            check_of("nats"): "1x4 0x9 1x5",
            'zhibu_audit_unfed_age_seconds{job="zhibu-a",instance="1"}': "0.4x4 31+60x9 0x5",
        },
        firing={8: ("DependencyAway",), 12: ("DependencyAway",), 15: ()},
    ),
    Case(
        name="half of what Keycloak is asked for comes to nothing",
        series={
            f'{_KEYCLOAK}{{job="zhibu-a",operation="open",outcome="failed"}}': "0+3x15 45x10",
            f'{_KEYCLOAK}{{job="zhibu-a",operation="open",outcome="done"}}': "0+3x25",
        },
        firing={5: (), 7: ("KeycloakFailing",), 25: ()},
    ),
    Case(
        name="one in ten of what Keycloak is asked for comes to nothing",
        series={
            f'{_KEYCLOAK}{{job="zhibu-a",operation="open",outcome="failed"}}': "0+1x20",
            f'{_KEYCLOAK}{{job="zhibu-a",operation="open",outcome="done"}}': "0+9x20",
        },
        firing={7: (), 20: ()},
    ),
    Case(
        name="the message centre is away, so that codes fail",
        series={
            'zhibu_smsc_bound{job="zhibu-notify",instance="1",session="codes"}': "1x4 0x14 1x5",
            f'{_CODES}{{job="zhibu-notify",outcome="SMSC_UNAVAILABLE"}}': "0x4 0+5x14 70x5",
        },
        firing={6: (), 7: ("SmscUnbound",), 15: ("SmscUnbound",), 20: ()},
    ),
    Case(
        name="the message centre does not take one code in five",
        series={
            'zhibu_smsc_bound{job="zhibu-notify",instance="1",session="codes"}': "1x30",
            f'{_CODES}{{job="zhibu-notify",outcome="ACCEPTED"}}': "0+8x30",
            f'{_CODES}{{job="zhibu-notify",outcome="SMSC_THROTTLED"}}': "0+2x15 30x15",
            f'{_RPC}_count{{job="zhibu-notify",method="zhibu.notify.v1.CodeService/SendCode",code="OK"}}': "0+8x30",
            f'{_RPC}_count{{job="zhibu-notify",method="zhibu.notify.v1.CodeService/SendCode",code="UNAVAILABLE"}}': "0+2x30",
        },
        firing={5: (), 7: ("SmsCodesFailing",), 25: ()},
    ),
    Case(
        name="numbers that do not exist are refused",
        series={
            'zhibu_smsc_bound{job="zhibu-notify",instance="1",session="codes"}': "1x30",
            f'{_CODES}{{job="zhibu-notify",outcome="ACCEPTED"}}': "0+8x30",
            f'{_CODES}{{job="zhibu-notify",outcome="SMS_NUMBER_REFUSED"}}': "0+8x30",
            f'{_CODES}{{job="zhibu-notify",outcome="UNDELIVERED"}}': "0+8x30",
        },
        firing={7: (), 20: ()},
    ),
    Case(
        name="a lane of the log stands at an incident",
        series={
            'zhibu_audit_lane_stopped{job="zhibu-audit",instance="1",lane="identity"}': "0x4 1x4 0x5",
            'zhibu_audit_lane_stopped{job="zhibu-audit",instance="1",lane="branches"}': "0x20",
        },
        firing={5: (), 6: ("LaneStopped",), 10: ()},
    ),
    Case(
        name="entries wait for the tree, of which one of two processes knows better",
        series={
            'zhibu_audit_log_waiting_age_seconds{job="zhibu-audit",instance="1"}': "0x4 90x10 0x5",
            'zhibu_audit_log_waiting_age_seconds{job="zhibu-audit",instance="2"}': "0x8 90x6 0x5",
        },
        firing={7: (), 11: ("LogNotGrowing",), 16: ()},
    ),
    Case(
        name="the log stands still as a whole, so that entries wait",
        series={
            'zhibu_audit_log_stopped{job="zhibu-audit",instance="1"}': "0x4 1x6 0x5",
            'zhibu_audit_log_waiting_age_seconds{job="zhibu-audit",instance="1"}': "0x4 400x6 0x5",
        },
        firing={5: (), 7: ("LogInconsistent",), 12: ()},
    ),
    Case(
        name="one of two witnesses is away",
        series={
            'zhibu_audit_witness_behind_age_seconds{job="zhibu-audit",instance="1",witness="w1"}': "0x20",
            'zhibu_audit_witness_behind_age_seconds{job="zhibu-audit",instance="1",witness="w2"}': "0x4 400x8 0x5",
        },
        firing={9: (), 11: ("WitnessBehind",), 14: ()},
    ),
]
