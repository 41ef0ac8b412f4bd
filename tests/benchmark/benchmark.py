#!/usr/bin/env python3
# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measure what the guard costs against what it replaces, and print the tables of the documentation.

The documentation is docs/performance.md. The benchmark measures whole processes of
ansible-playbook. It runs the ways of checking in turns, so that a machine that is slow for a while
is slow for all. It requires an ansible-playbook on the PATH, whose release it measures, and for the
SSH hosts also root and sshd.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / "tests"))
from support.commands import clean_environment  # noqa: E402
from support.nodes import Nodes, why_not  # noqa: E402

MARKER = "/etc/passwd"  # is on every host

# Name, playbook, guarded, arguments.
WAYS = {
    "nothing": ("nothing.yml", False, ()),
    "one raw task": ("raw.yml", False, ()),
    "one stat task": ("stat.yml", False, ()),
    "classic pair": ("pair.yml", False, ()),
    "guard, 1 check": ("one.yml", True, ("--tags", "precheck")),
    "guard, 10 checks": ("ten.yml", True, ("--tags", "precheck")),
    "audit, 2 rules": ("precheck.guard.audit", False, ()),
    "10 classic pairs": ("pairs.yml", False, ()),
    "not covered, no guard": ("debug.yml", False, ()),
    "not covered, guard on": ("debug.yml", True, ()),
}
LARGE = ("one raw task", "guard, 1 check", "audit, 2 rules")
# With 50 hosts and more, a run of these takes from 10 s to minutes.
ONCE = ("one stat task", "classic pair", "10 classic pairs")
SLOW = "10 classic pairs"  # takes minutes for more than 50 hosts, and over SSH

# Dividend, divisor, each of a way, a kind of hosts and their number; the most that it may be.
RATIOS = [
    ("guard, 1 check", "classic pair", "local", 200, 0.20),
    ("guard, 1 check", "one raw task", "local", 200, 1.20),
    ("guard, 10 checks", "guard, 1 check", "local", 200, 1.10),
    ("guard, 10 checks", "10 classic pairs", "local", 50, 0.04),
    ("audit, 2 rules", "one raw task", "local", 1000, 1.30),
    ("guard, 1 check", "classic pair", "ssh", 50, 0.60),
    ("not covered, guard on", "not covered, no guard", "local", 200, 1.02),
]

CONFIG = """[defaults]
collections_path = {collections}
inventory = inventory.json
forks = 20
host_key_checking = false
retry_files_enabled = false
deprecation_warnings = false
{callbacks}
[ssh_connection]
pipelining = true
"""

PAIR = """
    - ansible.builtin.stat: {{path: {path}}}
      register: marker
    - ansible.builtin.fail: {{msg: not initialised}}
      when: not marker.stat.exists
"""


@dataclass
class Sample:
    """One run: wall and CPU time in seconds, peak memory of its largest process in MiB."""

    wall: float
    cpu: float
    memory: float


def write_project(directory: Path) -> None:
    """Write configurations, playbooks and policy to ``directory``."""
    for name, callbacks in (
        ("plain", ""),
        ("guarded", "callbacks_enabled = precheck.guard.enforce"),
    ):
        text = CONFIG.format(collections=REPOSITORY / "collections", callbacks=callbacks)
        (directory / f"{name}.cfg").write_text(text)
    tasks = {
        "nothing": "    - ansible.builtin.meta: noop",
        "raw": f"    - ansible.builtin.raw: test -e {MARKER}",
        "stat": f"    - ansible.builtin.stat: {{path: {MARKER}}}",
        "pair": PAIR.format(path=MARKER),
        "pairs": PAIR.format(path=MARKER) * 10,
        "debug": "    - ansible.builtin.debug:",
        "one": "    - ansible.builtin.debug:",
        "ten": "    - ansible.builtin.debug:",
    }
    for name, text in tasks.items():
        (directory / f"{name}.yml").write_text(
            f"- hosts: all\n  gather_facts: false\n  tasks:\n{text}\n"
        )
    rules = [
        {
            "name": name,
            "plays": [{"playbook": f"{name}.yml"}],
            "checks": [{"path": MARKER}] * number,
        }
        for name, number in (("one", 1), ("ten", 10))
    ]
    (directory / "precheck.yml").write_text(json.dumps({"rules": rules}))


def write_inventory(directory: Path, hosts: dict[str, dict[str, object]]) -> None:
    """Write the inventory of both configurations."""
    inventory = {"all": {"vars": {"ansible_python_interpreter": sys.executable}, "hosts": hosts}}
    (directory / "inventory.json").write_text(json.dumps(inventory))


def measure(directory: Path, way: str) -> Sample:
    """Run ansible-playbook once, in this way of checking."""
    playbook, guarded, arguments = WAYS[way]
    env = clean_environment()
    env["ANSIBLE_CONFIG"] = str(directory / ("guarded.cfg" if guarded else "plain.cfg"))
    # No run must use the connections of another.
    env["ANSIBLE_SSH_CONTROL_PATH_DIR"] = tempfile.mkdtemp(dir=directory)
    begin = time.monotonic()
    with open(directory / "output", "w+") as output:
        process = subprocess.Popen(
            ["ansible-playbook", playbook, *arguments],
            cwd=directory,
            env=env,
            stdout=output,
            stderr=output,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        if status:
            output.seek(0)
            sys.exit(
                f"{way}: exit status {os.waitstatus_to_exitcode(status)}\n{output.read()[-2000:]}"
            )
    return Sample(time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextlib.contextmanager
def ssh_hosts(directory: Path, number: int) -> Iterator[dict[str, dict[str, object]]]:
    """Give the inventory of SSH hosts. Each has a connection of its own."""
    # One sshd listens on 16 addresses at most.
    nodes = Nodes(directory, {f"n{index}": f"127.0.0.{100 + index}" for index in range(10)})
    nodes.start()
    try:
        yield {
            f"h{index:04}": nodes.host(f"n{index % 10}")
            | {"ansible_control_path": f"%(directory)s/h{index:04}"}
            for index in range(number)
        }
    finally:
        nodes.stop()


def ways_for(kind: str, number: int, slow: bool) -> tuple[str, ...]:
    """Return the ways that can be measured with so many hosts."""
    if number >= 1000:
        return LARGE
    return tuple(way for way in WAYS if way != SLOW or slow or (kind == "local" and number <= 50))


def sitting(
    directory: Path, kind: str, number: int, rounds: int, ways: tuple[str, ...]
) -> dict[str, list[Sample]]:
    """Return the samples of each way, taken in turns after a run that only warms up."""
    samples: dict[str, list[Sample]] = {way: [] for way in ways}
    measure(directory, "one raw task")
    for turn in range(1, rounds + 1):
        for way in ways:
            if turn > 1 and way in ONCE and number >= 50:
                continue
            sample = measure(directory, way)
            samples[way].append(sample)
            print(
                f"{kind} {number:5} round {turn} {way:24} {sample.wall:7.2f} s",
                file=sys.stderr,
                flush=True,
            )
    return samples


def middle(samples: list[Sample], what: str) -> float:
    """Return the median of this field of the samples."""
    return statistics.median(getattr(sample, what) for sample in samples)


def table(kind: str, number: int, samples: dict[str, list[Sample]]) -> str:
    """Return the table of these samples in Markdown."""
    title = {"local": "local connections", "ssh": "SSH over loopback"}[kind]
    lines = [
        f"### {number} host{'s' * (number > 1)}, {title}",
        "",
        "| way | wall s | CPU s | peak MiB | rounds | / raw |",
        "| --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    raw = middle(samples["one raw task"], "wall")
    for way, of_way in samples.items():
        wall, cpu, memory = (middle(of_way, what) for what in ("wall", "cpu", "memory"))
        lines.append(
            f"| {way} | {wall:.2f} | {cpu:.2f} | {memory:.0f} | {len(of_way)} | {wall / raw:.2f} |"
        )
    return "\n".join([*lines, ""])


def ratios(results: dict[tuple[str, int], dict[str, list[Sample]]]) -> str:
    """Return the table of the ratios in Markdown."""
    lines = [
        "### Ratios of wall time",
        "",
        "| ratio | hosts | measured | wanted |",
        "| --- | --- | ---: | ---: |",
    ]
    for dividend, divisor, kind, number, most in RATIOS:
        if (kind, number) in results:
            samples = results[kind, number]
            value = middle(samples[dividend], "wall") / middle(samples[divisor], "wall")
            lines.append(f"| {dividend} / {divisor} | {number} {kind} | {value:.2f} | {most:.2f} |")
    if {("local", 200), ("local", 1000)} <= results.keys():
        per_host = {
            number: middle(results["local", number]["guard, 1 check"], "wall") / number
            for number in (200, 1000)
        }
        lines.append(
            "| guard, 1 check: time per host, 1000 / 200 | local |"
            f" {per_host[1000] / per_host[200]:.2f} | 1.10 |"
        )
    return "\n".join([*lines, ""])


def machine() -> str:
    """Describe the releases and the machine that were measured."""
    version = subprocess.run(
        ["ansible-playbook", "--version"], capture_output=True, text=True, check=True
    ).stdout
    core = re.search(r"core ([\d.]+\w*)", version)
    python = re.search(r"python version = (\S+)", version)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return (
        f"ansible-core {core[1] if core else '?'}, Python {python[1] if python else '?'},"
        f" {platform.system()} {platform.release()}, {len(os.sched_getaffinity(0))} cores,"
        f" {memory:.0f} GiB of memory, 20 forks."
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=5, help="how often to measure each way, unless it is slow"
    )
    parser.add_argument("--hosts", default="1,50,200,1000", help="numbers of local hosts")
    parser.add_argument("--ssh", type=int, default=50, help="number of SSH hosts; 0 for none")
    parser.add_argument(
        "--slow", action="store_true", help=f"measure {SLOW} also where they take minutes"
    )
    options = parser.parse_args()
    results: dict[tuple[str, int], dict[str, list[Sample]]] = {}
    directory = Path(tempfile.mkdtemp(prefix="precheck-benchmark-"))
    try:
        write_project(directory)
        for number in (int(text) for text in options.hosts.split(",")):
            write_inventory(
                directory,
                {f"h{index:04}": {"ansible_connection": "local"} for index in range(number)},
            )
            ways = ways_for("local", number, options.slow)
            results["local", number] = sitting(directory, "local", number, options.rounds, ways)
        if options.ssh and (reason := why_not()):
            print(reason, file=sys.stderr)
        elif options.ssh:
            with ssh_hosts(directory, options.ssh) as hosts:
                write_inventory(directory, hosts)
                results["ssh", options.ssh] = sitting(
                    directory,
                    "ssh",
                    options.ssh,
                    options.rounds,
                    ways_for("ssh", options.ssh, options.slow),
                )
    finally:
        shutil.rmtree(directory, ignore_errors=True)  # sockets disappear as their connections end
    print(
        "\n".join(
            [
                machine(),
                "",
                *(table(*key, samples) for key, samples in results.items()),
                ratios(results),
            ]
        )
    )


if __name__ == "__main__":
    main()
