# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Makes an environment of tox for each release of ansible-core, and for what people have of it.

The environment of the newest release runs each test through both entry points, and that of each
other one runs it through one of them. That takes long, so ``tests/run`` runs less by default:

- The newest release runs each test through one entry point, in quarters.
- Each older release runs all unit tests. Of the conformance tests, it runs every fourth one of
  those marked each_release, in turns, and a share of the rest, through the other entry point.
- The oldest patch release of each, with the oldest Python and Jinja2 that it takes, and the patch
  releases that distributions ship, run only what has to hold everywhere.
"""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tox.config.loader.memory import MemoryLoader
from tox.config.sets import ConfigSet
from tox.plugin import impl
from tox.session.state import State

from releases import DISTRIBUTIONS, RELEASES, Release

QUARTERS = 4
REQUIREMENTS = ["hypothesis", "jsonschema", "pytest", "pytest-mock"]
OF_BROWSERS = ["axe-core-python"]
OTHERS = ["ansible-runner", "ara[server]", "mitogen"]
PYTEST = "python -m pytest"
OLDER = f'{PYTEST} --sample other -m "not others and not one_release"'


@dataclass(frozen=True)
class Environment:
    """What tox installs, and runs in it. ``pythons`` are versions; the first that exists is used.

    With ``by_default``, it runs if no environment is named.
    """

    pythons: str
    requirements: Sequence[str]
    commands: Sequence[str]
    by_default: bool = False


def environments() -> Iterator[tuple[str, Environment]]:
    """Yield each environment with its name."""
    *older, newest = RELEASES
    yield from _of_newest(newest)
    for number, release in enumerate(older, 1):
        yield from _of_older(release, f"{number}/{len(older)}")
    for release in RELEASES:
        oldest = [*_ansible(release.first), f"jinja2=={release.jinja2}"]
        if release.jinja2.startswith("2."):
            oldest.append("markupsafe<2.1")  # 2.1 lacks a name that this Jinja2 imports
        yield f"core{release.name}-oldest", _everywhere(release.oldest_python, oldest)
    for shipped in DISTRIBUTIONS:
        [limits] = [one.limits for one in RELEASES if shipped.patch.startswith(f"{one.name}.")]
        yield shipped.name, _everywhere(shipped.python, [*_ansible(shipped.patch), *limits])
    if checkout := os.environ.get("ANSIBLE_DEVEL"):
        yield "devel", Environment(newest.pythons, [checkout, *OF_BROWSERS], [PYTEST])


def _of_newest(release: Release) -> Iterator[tuple[str, Environment]]:
    name, ansible = f"core{release.name}", _ansible(release.name)

    def environment(options: str, *more: str) -> Environment:
        return Environment(release.pythons, [*ansible, *more], [f"{PYTEST} {options}"], True)

    yield name, Environment(release.pythons, [*ansible, *OF_BROWSERS], [PYTEST])
    for quarter in range(1, QUARTERS + 1):
        options = f"--sample one --share {quarter}/{QUARTERS}"
        yield f"{name}-quarter{quarter}", environment(options, *OF_BROWSERS)
    yield f"{name}-others", environment("-m others", *OTHERS)


def _of_older(release: Release, share: str) -> Iterator[tuple[str, Environment]]:
    name, ansible = f"core{release.name}", [*_ansible(release.name), *release.limits]
    conformance = f"{OLDER} --share {share} tests/integration/conformance"
    yield name, Environment(release.pythons, ansible, [OLDER])
    part = Environment(release.pythons, ansible, [f"{OLDER} tests/unit", conformance], True)
    yield f"{name}-part", part


def _everywhere(python: str, requirements: Sequence[str]) -> Environment:
    return Environment(
        python, requirements, [f"{PYTEST} tests/integration/test_everywhere.py"], True
    )


def _ansible(release: str) -> list[str]:
    """Return what to install for a patch release, or for the newest one of a minor release."""
    package = "ansible-base" if release.startswith("2.10") else "ansible-core"
    return [f"{package}=={release}" if release.count(".") == 2 else f"{package}~={release}.0"]


@impl
def tox_extend_envs() -> list[str]:
    return [name for name, _environment in environments()]


@impl
def tox_add_core_config(core_conf: ConfigSet, state: State) -> None:
    arguments = " ".join(map(shlex.quote, state.conf.pos_args(None) or ()))
    for name, environment in environments():
        settings = {
            "base_python": [f"python{one}" for one in environment.pythons.split(", ")],
            "deps": "\n".join([*environment.requirements, *REQUIREMENTS]),
            "commands": [f"{command} {arguments}" for command in environment.commands],
        }
        state.conf.memory_seed_loaders[name].append(MemoryLoader(**settings))


if __name__ == "__main__":  # for tests/run
    print(",".join(name for name, environment in environments() if environment.by_default))
