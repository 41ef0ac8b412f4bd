# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Documents of reports, as the audit writes them, for the tests of tables and pages."""

from __future__ import annotations

from typing import Any

MISSING = "/etc/pki/ca.crt is missing"
LONG = (
    "Failed to connect to the host via ssh: "
    + "kex_exchange_identification: Connection closed by remote host " * 5
)
# What a host, an inventory or a policy may contain to escape from its place in a page.
HOSTILE = [
    "</script><script>document.title = 'broken'</script>",
    "</style><style>body { display: none }</style>",
    "<img src=x onerror=\"document.title = 'broken'\">",
    '" onfocus="document.title = \'broken\'" autofocus tabindex="0',
    "' & &lt; &amp; `",
    "{{ 7 * 7 }}{% raw %}{# a comment #}",
    "<!-- --> ]]> <![CDATA[",
    "nul \x00 bell \x07 escape \x1b[2J delete \x7f lone \udc80 page \x0c line \u2028",
    "right \u202e to left \u2066 isolated \u200f mark",
    "עברית and 汉字 and 🐘",
]


def verdict(
    host: str, rule: str, state: str = "ready", *reasons: str, groups: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return a verdict on a host. Each of the ``reasons`` is that of a check of its own."""
    checks = [
        {"check": f"check {number}", "verdict": state, "reasons": [reason]}
        for number, reason in enumerate(reasons)
    ]
    checks.append({"check": "another", "verdict": "ready", "reasons": []})
    return {
        "host": host,
        "rule": rule,
        "groups": list(groups),
        "verdict": state,
        "before": {"name": "Audit", "path": "", "line": 0},
        "checks": checks,
    }


def rule(
    name: str,
    remedy: str = "",
    severity: str = "error",
    waiver: str = "allowed",
    message: str = "",
) -> dict[str, Any]:
    """Return what a document says of a rule."""
    return {
        "name": name,
        "path": "/srv/pigsty/precheck.yml",
        "line": 2,
        "severity": severity,
        "waiver": waiver,
        "message": message,
        "remedy": remedy,
    }


def document(
    rules: list[dict[str, Any]], verdicts: list[dict[str, Any]], **more: Any
) -> dict[str, Any]:
    not_ready = any(one["verdict"] != "ready" for one in verdicts)
    return {
        "format": 1,
        "precheck": "0.1.0",
        "ansible_core": "2.21.5",
        "python": "3.12.4",
        "kind": "audit",
        "command": ["ansible-playbook", "precheck.guard.audit", "-e", "token=***"],
        "user": "operator",
        "controller": "control",
        "started": "2026-11-23T16:53:10Z",
        "finished": "2026-11-23T16:53:52Z",
        "policies": ["/srv/pigsty/precheck.yml"],
        "result": "not_ready" if not_ready else "ready",
        "error": "",
        "plays": [],
        "rules": rules,
        "not_audited": [],
        "verdicts": verdicts,
        "waivers": [],
        "not_judged": [],
        **more,
    }


def few() -> dict[str, Any]:
    """Return a document with hosts in every state, unsorted, and with all optional parts."""
    return document(
        [
            rule("pigsty-node", "./node.yml -l db2,db10,db11", waiver="forbidden"),
            rule("free-space", severity="warn", message="Remove old logs.\nThen try again."),
            rule("replication"),
        ],
        [
            verdict("db10", "pigsty-node", "not_ready", MISSING, groups=("pg-main", "pgsql")),
            verdict("db1", "pigsty-node", groups=("pg-main", "pgsql")),
            verdict("db2", "pigsty-node", "not_ready", MISSING, groups=("pg-main", "pgsql")),
            verdict("db11", "pigsty-node", "unverified", LONG, groups=("pg-test", "pgsql")),
            verdict("web1", "free-space", "not_ready", "/var is 93 % full", groups=("web",)),
            verdict("db1", "free-space", groups=("pg-main", "pgsql")),
            verdict("db2", "free-space", groups=("pg-main", "pgsql")),
            verdict("db10", "free-space", "unverified", "no answer", groups=("pg-main", "pgsql")),
            verdict(
                "db2",
                "replication",
                "not_ready",
                "slot a lags",
                "slot b lags",
                "slot c",
                groups=("pg-main", "pgsql"),
            ),
        ],
        plays=[
            {
                "name": "Set up",
                "path": "/srv/pigsty/pgsql.yml",
                "line": 4,
                "rules": ["pigsty-node", "free-space"],
                "hosts": 4,
                "stopped": True,
                "left_out": [],
                "checks": [
                    {
                        "rule": "pigsty-node",
                        "check": "window",
                        "verdict": "not_ready",
                        "reasons": ["no window is open"],
                    },
                    {"rule": "pigsty-node", "check": "limit", "verdict": "ready", "reasons": []},
                    {
                        "rule": "free-space",
                        "check": "archive",
                        "verdict": "unverified",
                        "reasons": ["archive is undefined"],
                    },
                ],
            }
        ],
        not_audited=["change-freeze", "large-run"],
        waivers=[
            {
                "play": "Remove",
                "path": "/srv/pigsty/pgsql-rm.yml",
                "line": 1,
                "rules": ["replication"],
                "hosts": 2,
                "opt_out_reason": "the play has the tag no_precheck",
                "reason": "CHG-123: a spare node",
                "user": "operator",
            }
        ],
        changes={
            "since": "2026-11-22T16:53:10Z",
            "newly_not_ready": [{"host": "db2", "rule": "pigsty-node", "reasons": [MISSING]}],
            "newly_ready": [{"host": "db1", "rule": "pigsty-node"}],
            "new_hosts": ["web1"],
            "gone_hosts": ["db7", "db8"],
        },
    )


def many(hosts: int = 1000, rules: int = 5) -> dict[str, Any]:
    """Return a document in which some hosts are not ready for each rule, and a few unverified."""
    names = [f"db-{number:04}.example.org" for number in range(1, hosts + 1)]
    verdicts = []
    remedies = []
    for index in range(rules):
        not_ready = []
        for number, name in enumerate(names):
            groups = (f"pg-{number // 10:03}", f"rack{number % 40:02}", "pgsql")
            state = ("ready",)
            if number % 50 == 7:
                state = ("unverified", LONG)
            elif (number + index) % 12 == 0:
                state = ("not_ready", MISSING)
            if state != ("ready",):
                not_ready.append(name)
            verdicts.append(verdict(name, f"rule-{index}", *state, groups=groups))
        remedies.append(f"./node.yml -l {','.join(not_ready)}")
    return document(
        [rule(f"rule-{index}", remedy) for index, remedy in enumerate(remedies)], verdicts
    )


def hostile() -> dict[str, Any]:
    """Return a document in which every text is hostile."""
    rules = [
        rule(f"{text} {index}", f"{text}\n{text}", message=f"{text}\n{text}")
        for index, text in enumerate(HOSTILE)
    ]
    verdicts = [
        verdict(host, rule["name"], "not_ready", *HOSTILE, groups=tuple(HOSTILE))
        for rule in rules
        for host in HOSTILE
    ]
    whole = few() | {"kind": "run", "rules": rules, "verdicts": verdicts}

    def spoilt(value: Any) -> Any:
        """Return the value with each text replaced by a hostile one, but for verdicts."""
        if isinstance(value, dict):
            return {key: one if key == "verdict" else spoilt(one) for key, one in value.items()}
        if isinstance(value, list):
            return [spoilt(one) for one in value]
        return "".join(HOSTILE) if isinstance(value, str) else value

    texts = (
        "precheck command user controller started finished policies plays not_audited waivers"
        " changes"
    )
    return whole | {key: spoilt(whole[key]) for key in texts.split()}
