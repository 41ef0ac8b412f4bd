# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measures whole processes of ansible-playbook, in turns."""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from ways import WAYS, Hosts, write_inventory

from support.commands import clean_environment
from support.nodes import Nodes

Kind = Literal["local", "ssh", "slow"]
DELAYS: dict[Kind, float] = {"ssh": 0, "slow": 0.5}  # seconds that a host takes to answer
# That of OpenSSH since 9.0 takes more of both processors than all that Ansible does.
KEY_EXCHANGE = "-o KexAlgorithms=curve25519-sha256"
ADDRESSES = 10  # of SSH hosts; one sshd listens on 16 at most


@dataclass
class Sample:
    """One run: wall and CPU time in seconds, peak memory of its largest process in MiB."""

    wall: float
    cpu: float
    memory: float


@dataclass(frozen=True)
class Sitting:
    """Ways that are measured in turns, ``rounds`` times, except those that are measured ``once``.

    ``forks`` are those of Ansible.
    """

    kind: Kind
    hosts: int
    ways: Sequence[str]
    once: Sequence[str] = ()
    rounds: int = 3
    forks: int = 20


Samples = dict[str, list[Sample]]  # by way


def middle(samples: Sequence[Sample], what: str) -> float:
    """Return the median of this field of the samples."""
    return statistics.median(getattr(sample, what) for sample in samples)


def samples_of(sitting: Sitting, directory: Path) -> Samples:
    """Return the samples of each way, after a run that only warms up."""
    samples: Samples = {way: [] for way in (*sitting.ways, *sitting.once)}
    with _hosts(sitting, directory) as hosts:
        write_inventory(directory, hosts)
        _measure(sitting, directory, sitting.ways[0])
        for turn in range(sitting.rounds):
            for way in sitting.ways if turn else samples:
                sample = _measure(sitting, directory, way)
                samples[way].append(sample)
                print(
                    f"{sitting.kind} {sitting.hosts:5} {way:25} {sample.wall:7.2f} s",
                    file=sys.stderr,
                    flush=True,
                )
    return samples


def _measure(sitting: Sitting, directory: Path, name: str) -> Sample:
    way = WAYS[name]
    env = clean_environment(PYTHONDONTWRITEBYTECODE="", ANSIBLE_FORKS=str(sitting.forks))
    env["ANSIBLE_CONFIG"] = str(directory / ("guarded.cfg" if way.is_guarded else "plain.cfg"))
    # No run must use the connections of another.
    env["ANSIBLE_SSH_CONTROL_PATH_DIR"] = tempfile.mkdtemp(dir=directory)
    begin = time.monotonic()
    with open(directory / "output", "w+") as output:
        process = subprocess.Popen(
            ["ansible-playbook", way.playbook, *way.arguments],
            cwd=directory,
            env=env,
            stdout=output,
            stderr=output,
        )
        _pid, status, usage = os.wait4(process.pid, 0)
        if status:
            output.seek(0)
            code = os.waitstatus_to_exitcode(status)
            sys.exit(f"{name}: exit status {code}\n{output.read()[-2000:]}")
    return Sample(time.monotonic() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


@contextlib.contextmanager
def _hosts(sitting: Sitting, directory: Path) -> Iterator[Hosts]:
    """Give the hosts of an inventory. Each SSH host has a connection of its own."""
    names = [f"h{number:04}" for number in range(sitting.hosts)]
    if sitting.kind == "local":
        yield {name: {"ansible_connection": "local"} for name in names}
        return
    home = Path(tempfile.mkdtemp(dir=directory))
    addresses = {f"n{index}": f"127.0.0.{100 + index}" for index in range(ADDRESSES)}
    nodes = Nodes(home, addresses)
    nodes.start()
    try:
        # The nodes of the tests do more, which would be the work of other machines.
        command = f'sleep {DELAYS[sitting.kind]}; exec sh -c "$SSH_ORIGINAL_COMMAND"'
        (home / "command").write_text(f"#!/bin/sh\n{command}\n")
        yield {
            name: nodes.host(f"n{index % ADDRESSES}")
            | {
                "ansible_control_path": f"%(directory)s/{name}",
                "ansible_ssh_extra_args": KEY_EXCHANGE,
            }
            for index, name in enumerate(names)
        }
    finally:
        nodes.stop()
