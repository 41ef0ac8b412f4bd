# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The policy: which plays are covered, and what their hosts must pass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Selector:
    """One entry of a rule's ``plays``. It matches a play when each of its lists that is not empty matches.

    The lists hold globs: ``playbook`` is compared with the name of the file that the play is written in,
    ``role`` with the names of its roles.
    """

    playbook: tuple[str, ...] = ()
    role: tuple[str, ...] = ()


@dataclass(frozen=True)
class Rule:
    """Which plays it covers, the path that must exist on each of their hosts, and what to tell the operator.

    ``message`` is a sentence about the hosts that are not ready. ``remedy`` is a command with the place ``{hosts}``.
    """

    name: str
    plays: tuple[Selector, ...]
    path: str
    message: str
    remedy: str


# Roles are matched exactly: Pigsty's deploy.yml runs the role pg_id on all hosts before its node play has
# initialised any of them, and must not be stopped there.
BUILT_IN = (
    Rule(
        name="pigsty-node",
        plays=(
            Selector(playbook=("pgsql*.yml", "postgres*.yml", "pg-*.yml", "pg_*.yml")),
            Selector(role=("pgsql", "postgres", "postgresql")),
        ),
        path="/etc/pki/ca.crt",
        message="These hosts are not managed by Pigsty: ./node.yml initialises them.",
        remedy="./node.yml -l {hosts}",
    ),
)
