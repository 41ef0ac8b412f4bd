# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""One report of several of the same moment, each of which has a part of the hosts. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from typing import Any

from ..errors import PrecheckError
from ..policy import model
from ..report.document import Document
from ..report.record import ERROR
from ..verdict import NOT_READY, READY, UNVERIFIED

_WORST_FIRST = (ERROR, NOT_READY, UNVERIFIED, READY)
_STRICTEST_FIRST = (model.ERROR, model.EXCLUDE, model.WARN)
_ABOUT = ("precheck", "ansible_core", "python", "user", "controller")


def merged(documents: Sequence[Document]) -> Document:
    """Return one document of several. Raises PrecheckError if they are not of one kind."""
    first = min(documents, key=lambda document: str(document["started"]))
    if {document["kind"] for document in documents} != {first["kind"]}:
        raise PrecheckError("Precheck has merged no reports: some are of runs, others of audits")
    rules = [_rule(same) for same in _grouped(_all("rules", documents), lambda one: one["name"])]
    names = [rule["name"] for rule in rules]
    whole = {
        **first,
        **{key: ", ".join(_distinct(key, documents)) for key in _ABOUT},
        "finished": max(document["finished"] for document in documents),
        "policies": list(dict.fromkeys(_all("policies", documents))),
        "result": min((document["result"] for document in documents), key=_WORST_FIRST.index),
        "error": "; ".join(_distinct("error", documents)),
        "plays": [_play(same) for same in _plays(documents)],
        "rules": rules,
        "not_audited": [
            name for name in dict.fromkeys(_all("not_audited", documents)) if name not in names
        ],
        "verdicts": _verdicts(documents, names),
        "waivers": [
            {**same[0], "hosts": sum(one["hosts"] for one in same)}
            for same in _grouped(_all("waivers", documents), _without_hosts)
        ],
        "not_judged": [
            {**same[0], "hosts": sorted({host for one in same for host in one["hosts"]})}
            for same in _grouped(_all("not_judged", documents), _without_hosts)
        ],
    }
    whole.pop("limit", None)
    if selected := list(dict.fromkeys(_all("selected_rules", documents))):
        whole["selected_rules"] = selected
    # To each of them, the hosts of the others may be gone.
    whole.pop("changes", None)
    return whole


def _all(key: str, documents: Iterable[Document]) -> Iterator[Any]:
    for document in documents:
        yield from document.get(key, ())


def _distinct(key: str, documents: Iterable[Document]) -> list[str]:
    """Return the texts under a key that are not empty, each once."""
    return list(filter(None, dict.fromkeys(document[key] for document in documents)))


def _grouped(
    entries: Iterable[Document], key: Callable[[Document], Hashable]
) -> list[list[Document]]:
    """Return the entries with those together that have the same key, in the order of the first."""
    groups: dict[Hashable, list[Document]] = {}
    for entry in entries:
        groups.setdefault(key(entry), []).append(entry)
    return list(groups.values())


def _without_hosts(entry: Document) -> str:
    return repr({key: value for key, value in entry.items() if key != "hosts"})


def _worst(same: Iterable[Document]) -> Document:
    return min(same, key=lambda one: _WORST_FIRST.index(one["verdict"]))


def _plays(documents: Iterable[Document]) -> list[list[Document]]:
    """Return each play with what is the same play in other documents.

    One that comes twice in a document is two plays.
    """
    counted = []
    for document in documents:
        seen: Counter[Hashable] = Counter()
        for play in document["plays"]:
            location = (play["name"], play["path"], play["line"])
            seen[location] += 1
            counted.append({"play": play, "key": (location, seen[location])})
    groups = _grouped(counted, lambda one: one["key"])
    return [[one["play"] for one in same] for same in groups]


def _play(same: Sequence[Document]) -> Document:
    checks = _grouped(_all("checks", same), lambda one: (one["rule"], one["check"]))
    return {
        **same[0],
        "rules": list(dict.fromkeys(_all("rules", same))),
        "hosts": sum(play["hosts"] for play in same),
        "stopped": any(play["stopped"] for play in same),
        "left_out": sorted({*_all("left_out", same)}),
        "checks": [_worst(check) for check in checks],
    }


def _rule(same: Sequence[Document]) -> Document:
    """Return a rule as strict as anywhere, with all its messages and remedies."""
    return {
        **same[0],
        "severity": min((rule["severity"] for rule in same), key=_STRICTEST_FIRST.index),
        "message": "\n".join(_distinct("message", same)),
        "remedy": "\n".join(_distinct("remedy", same)),
    }


def _verdicts(documents: Iterable[Document], rules: Sequence[str]) -> list[Document]:
    groups = _grouped(_all("verdicts", documents), lambda one: (one["rule"], one["host"]))
    order = {rule: number for number, rule in enumerate(rules)}
    return sorted(
        map(_worst, groups), key=lambda one: (order.get(one["rule"], len(order)), one["host"])
    )
