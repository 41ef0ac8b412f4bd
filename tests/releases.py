# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What is tested: the releases of ansible-core, and what distributions ship of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple


class Release(NamedTuple):
    """A minor release of ansible-core.

    All its tests run on its newest patch release, on the first of ``pythons`` that exists. Some run
    on its patch release ``first``, with the oldest Python of the control node and the oldest
    ``jinja2`` that it allows. ``limits`` keep off what it does not work with.
    """

    name: str
    pythons: str
    first: str
    oldest_python: str
    jinja2: str
    limits: Sequence[str] = ()


class Shipped(NamedTuple):
    """What a distribution ships: a ``patch`` release of ansible-core, and ``python``.

    ``name`` is that of the environment.
    """

    name: str
    distribution: str
    patch: str
    python: str


# One line for a new release. Before 2.13, it takes any Jinja2: 2.11.3 is what Debian 11
# ships with it.
RELEASES = [
    Release("2.10", "3.9", "2.10.8", "3.9", "2.11.3", ["jinja2<3.1"]),
    Release("2.11", "3.9", "2.11.0", "3.9", "2.11.3"),
    Release("2.12", "3.10, 3.9", "2.12.0", "3.9", "2.11.3"),
    Release("2.13", "3.10, 3.9", "2.13.0", "3.9", "3.0.0"),
    Release("2.14", "3.11, 3.10", "2.14.0", "3.9", "3.0.0"),
    Release("2.15", "3.11, 3.10", "2.15.0", "3.9", "3.0.0"),
    Release("2.16", "3.12, 3.11, 3.10", "2.16.0", "3.10", "3.0.0"),
    Release("2.17", "3.12, 3.11, 3.10", "2.17.0", "3.10", "3.0.0"),
    Release("2.18", "3.12, 3.13", "2.18.0", "3.11", "3.0.0"),
    Release("2.19", "3.13, 3.12", "2.19.0", "3.11", "3.1.0"),
    Release("2.20", "3.12, 3.13", "2.20.0", "3.12", "3.1.0"),
    Release("2.21", "3.13, 3.12", "2.21.0", "3.12", "3.1.0"),
]

# Those that are none of the above.
DISTRIBUTIONS = [
    Shipped("debian13", "Debian 13", "2.19.4", "3.13"),
    Shipped("el9", "Enterprise Linux 9", "2.14.18", "3.9"),
    Shipped("ubuntu22.04", "Ubuntu 22.04, package ansible", "2.10.8", "3.10"),
    Shipped("ubuntu22.04-core", "Ubuntu 22.04, package ansible-core", "2.12.0", "3.10"),
    Shipped("ubuntu24.04", "Ubuntu 24.04", "2.16.3", "3.12"),
]
