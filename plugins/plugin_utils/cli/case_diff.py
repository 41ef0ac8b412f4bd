# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From what a case expects and what came to what differs. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase

from ..text import Texts
from .case import PLACES, Case, Found
from .case_run import Outcome

NOTHING = "nothing"


def differences(case: Case, outcome: Outcome) -> list[str]:
    """Return what differs, a line each; nothing if the case passes."""
    if case.error or outcome.error:
        if case.error and outcome.error and _matches(case.error, outcome.error):
            return []
        return [_difference("error", case.error or NOTHING, outcome.error or NOTHING)]
    lines = []
    if case.stops is not None and case.stops != outcome.stops:
        words = {True: "that it stops", False: "that it goes on"}
        lines.append(_difference("the run", words[case.stops], words[outcome.stops]))
    for name, expected in case.expected.items():
        found = outcome.found.get(name)
        if expected is None or found is None:
            if expected is not found:
                words = {True: "not covered", False: "covered"}
                line = _difference("the play", words[expected is None], words[found is None])
                lines.append(f"rule {name}: {line}")
            continue
        lines += [f"rule {name}: {line}" for line in _of_rule(expected, found)]
    return lines


def _of_rule(expected: Found, found: Found) -> Iterator[str]:
    for place in PLACES:
        yield from _of_hosts(place, expected.hosts.get(place, {}), found.hosts.get(place, {}))
    if expected.of_play or found.of_play:
        yield from _of_hosts("play", expected.of_play, found.of_play)
    if expected.messages is not None and not _all_match(expected.messages, found.messages or ()):
        yield _difference("message", _joined(expected.messages), _joined(found.messages or ()))
    if expected.remedy is not None and not _matches(expected.remedy, found.remedy or ""):
        yield _difference("remedy", expected.remedy or NOTHING, found.remedy or NOTHING)


def _of_hosts(
    what: str, expected: Mapping[str, Texts | None], found: Mapping[str, Texts | None]
) -> Iterator[str]:
    if sorted(expected) != sorted(found):
        came = "; ".join(
            f"{name} ({'; '.join(reasons)})" if reasons and name not in expected else name
            for name, reasons in sorted(found.items())
        )
        yield _difference(what, ", ".join(sorted(expected)) or NOTHING, came or NOTHING)
        return
    for name, reasons in expected.items():
        if reasons is not None and not _all_match(reasons, found[name] or ()):
            yield _difference(f"{what}: {name}", _joined(reasons), _joined(found[name] or ()))


def _difference(what: str, expected: str, came: str) -> str:
    return f"{what}: expected {expected.strip()}, came {came.strip()}"


def _joined(texts: Texts) -> str:
    return "; ".join(texts) or NOTHING


def _all_match(expected: Texts, came: Texts) -> bool:
    return len(expected) == len(came) and all(map(_matches, expected, came))


def _matches(expected: str, came: str) -> bool:
    """Return whether a text is as expected, which may be a glob."""
    one, other = came.strip(), expected.strip()
    return one == other or fnmatchcase(one, other)
