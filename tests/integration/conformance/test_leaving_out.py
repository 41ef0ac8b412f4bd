# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts a run goes on with if a rule with severity exclude leaves hosts out.

docs/contract.md has the same as a table, which test_tables compares with this file.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import pytest

from support.plays import play
from support.policies import policy, rule
from support.project import IS_2_10, LOCAL_HOST

OTHERS_RUN, STOPPED = "the others run", "stopped"
OTHERS = {"h1", "h4"}

SAY = "ansible.builtin.debug: {msg: '{{ inventory_hostname }}:%s'}"
CLEAR = "- ansible.builtin.meta: clear_host_errors"
FAIL_H1 = "{ansible.builtin.fail: , when: inventory_hostname == 'h1'}"
DELEGATED = "{ansible.builtin.raw: 'true', delegate_to: h2}"
DELEGATIONS = set() if IS_2_10 else {"h1 -> h2", "h4 -> h2"}  # 2.10 does not show them


def said(word: str) -> str:
    return f"- {SAY % word}"


def of(hosts: set[str], word: str) -> set[str]:
    return {f"{name}:{word}" for name in hosts}


@dataclass(frozen=True)
class Case:
    """A run of a play named Site, and of one after it, on h1 to h4. h2 and h3 are not ready.

    ``says`` is what hosts say in the first one, and ``says_later`` what they say after it.
    """

    keywords: str = ""
    tasks: str = said("first")
    says: set[str] = field(default_factory=lambda: of(OTHERS, "first"))
    later: str = play(name="Later", tasks=said("later"))
    says_later: set[str] = field(default_factory=lambda: of(OTHERS, "later"))
    not_ready: str = "h2 h3"
    options: tuple[str, ...] = ()
    more_rules: tuple[dict, ...] = ()
    is_stopped: bool = False


def stopped(**keys) -> Case:
    return Case(says=set(), says_later=set(), is_stopped=True, **keys)


BLOCK = f"""- ignore_errors: true
  block:
    {said("first")}
  rescue:
    {said("rescued")}
  always:
    {said("always")}"""
HANDLED = "- {ansible.builtin.raw: 'true', notify: handler}"
HANDLER = f"handlers:\n  - name: handler\n    {SAY % 'first'}"
AHEAD = rule({"that": "inventory_hostname != 'h2'"}, name="later", covers={"play": "Later"})
ALSO = rule({"that": "inventory_hostname != 'h2'"}, name="also", covers={"play": "Site"})
LEAVES_H4_OUT = (
    rule(
        {"that": "inventory_hostname != 'h4'"},
        name="later",
        covers={"play": "Later"},
        severity="exclude",
    ),
)

TABLE_AND_CASES: dict[tuple[str, str], list[Case]] = {
    ("nothing special", OTHERS_RUN): [Case()],
    ("`gather_facts: true`", OTHERS_RUN): [Case(keywords="gather_facts: true")],
    ("`strategy: free`", OTHERS_RUN): [Case(keywords="strategy: free")],
    ("`strategy: host_pinned`", OTHERS_RUN): [Case(keywords="strategy: host_pinned")],
    ("`strategy: debug`", OTHERS_RUN): [Case(keywords="strategy: debug")],
    ("`serial: 1`", "the others run: a batch without hosts is passed over"): [
        Case(keywords="serial: 1"),
        Case(keywords="serial: 1\nstrategy: free"),
        Case(keywords="serial: 1\norder: shuffle"),
        Case(keywords="serial: [1, 2, 1]"),
    ],
    ("`ignore_errors`, `rescue` and `always`", OTHERS_RUN): [
        Case(keywords="ignore_errors: true"),
        Case(tasks=BLOCK, says=of(OTHERS, "first") | of(OTHERS, "always")),
    ],
    ("`force_handlers: true`", "the others run, and no handler on the host"): [
        Case(keywords=f"force_handlers: true\n{HANDLER}", tasks=HANDLED),
    ],
    ("`run_once: true`", "the task runs on the first host that is left"): [
        Case(
            keywords="run_once: true",
            says={"h2:first"},
            says_later=of({"h2", "h3"}, "later"),
            not_ready="h1 h4",
        ),
    ],
    ("`meta: clear_host_errors`", "the host stays out, of later plays as well"): [
        Case(tasks=f"{CLEAR}\n{said('first')}\n{CLEAR}"),
        Case(keywords="serial: 2", tasks=f"{said('first')}\n{CLEAR}"),
        Case(
            later=play(name="Later", tasks=f"{CLEAR}\n{said('later')}")
            + play(name="Last", tasks=said("later"))
        ),
    ],
    ("`any_errors_fatal: true`", STOPPED): [stopped(keywords="any_errors_fatal: true")],
    ("`max_fail_percentage`, and more hosts of a batch are left out", STOPPED): [
        stopped(keywords="max_fail_percentage: 49"),
        stopped(keywords="max_fail_percentage: 60\nserial: [3, 1]"),
        Case(keywords="max_fail_percentage: 50"),
    ],
    (
        "`max_fail_percentage`, and other hosts fail a task",
        "hosts that are left out count with those that fail",
    ): [
        Case(
            keywords="max_fail_percentage: 50",
            tasks=f"- {FAIL_H1}\n{said('first')}",
            says=set(),
            says_later=set(),
        ),
    ],
    ("`any_errors_fatal` on a task that fails", "the run ends there, as without Precheck"): [
        Case(
            tasks=f"- {FAIL_H1[:-1]}, any_errors_fatal: true}}\n{said('first')}",
            says=set(),
            says_later=set(),
        ),
    ],
    ("no host that is ready", STOPPED): [stopped(not_ready="h1 h2 h3 h4")],
    ("a host that a rule with `severity: error` does not find ready, too", STOPPED): [
        stopped(more_rules=(ALSO,)),
    ],
    ("a task delegated to the host", "it runs there, as after a task that failed"): [
        Case(
            tasks=f"- {DELEGATED}\n{said('first')}",
            says={*DELEGATIONS, *of(OTHERS, "first")},
        ),
    ],
    ("a later play that no rule covers", "the host is left out of it"): [
        Case(later=play(name="Later", tasks=said("later"), keywords="serial: 1")),
    ],
    ("a later play with another strategy", "the host is left out of it"): [
        Case(
            later=play(name="Later", tasks=said("later"), keywords="strategy: ansible.builtin.free")
        ),
        Case(
            keywords="serial: 1",
            later=play(
                name="Later", tasks=said("later"), keywords="strategy: ansible.builtin.free"
            ),
        ),
    ],
    ("a later play that a rule with `severity: error` covers", "the host is not checked for it"): [
        Case(more_rules=(AHEAD,))
    ],
    ("a later play whose rule leaves other hosts out", "they run until then"): [
        Case(more_rules=LEAVES_H4_OUT, says_later={"h1:later"}),
    ],
    (
        "several playbooks on the command line",
        "the next one does not begin, as after any failure",
    ): [
        Case(options=("other.yml",)),
    ],
    ("`--tags precheck`", "nothing runs: the exit status is 2"): [
        Case(options=("--tags", "precheck"), says=set(), says_later=set()),
    ],
}
TABLE = dict(TABLE_AND_CASES.keys())
CASES = [
    pytest.param(case, id=f"{what} {number}")
    for (what, _outcome), cases in TABLE_AND_CASES.items()
    for number, case in enumerate(cases, 1)
]


def words_in(text: str) -> set[str]:
    return set(re.findall(r"h\d:\w+|h\d -> h\d", text))


@pytest.mark.parametrize("case", CASES)
def test_which_hosts_go_on(guarded, case):
    guarded.inventory({f"h{number}": LOCAL_HOST for number in range(1, 5)})
    only = rule(
        {"that": f"inventory_hostname not in {case.not_ready.split()}"},
        covers={"play": "Site"},
        severity="exclude",
        remedy="./fix.sh -l {{ precheck_limit }}",
    )
    guarded.write("precheck.yml", policy(only, *case.more_rules))
    keywords = re.sub(
        r"strategy: (\w+)", lambda m: f"strategy: {guarded.strategy(m[1])}", case.keywords
    )
    facts = "true" if "gather_facts" in keywords else "false"
    site = play(
        name="Site",
        tasks=case.tasks,
        facts=facts,
        keywords=keywords.replace("gather_facts: true", ""),
    )
    guarded.write("site.yml", site + case.later)
    guarded.write("other.yml", play(name="Other", tasks=said("other")))
    run = guarded.run("site.yml", *case.options)
    assert run.rc == 2, run.output
    assert words_in(run.stdout) == case.says | case.says_later, run.output
    assert run.stderr.count("PRECHECK stopped the run before") == case.is_stopped
    leaving = run.stderr.count("PRECHECK left hosts out from play")
    assert leaving == (not case.is_stopped) * (1 + (case.more_rules == LEAVES_H4_OUT))
    names = case.not_ready.replace(" ", ",")
    assert f"\n    ./fix.sh -l {names}\n" in run.stderr
    assert "TASK [Gathering" not in run.stdout.partition("PLAY [Later]")[2]
    if not case.is_stopped:
        recap = run.stdout.partition("PLAY RECAP")[2]
        for name in case.not_ready.split():
            assert re.search(rf"^{name} .*ok=0 .* failed=1 ", recap, re.MULTILINE), recap
