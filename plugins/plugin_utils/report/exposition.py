# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The text format of Prometheus: from samples to text, and back."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple


class Label(NamedTuple):
    name: str
    value: str


class Series(NamedTuple):
    """The ``name`` of a metric, and its labels in the order of their names."""

    name: str
    labels: tuple[Label, ...] = ()

    def label(self, name: str) -> str:
        """Return the value of a label; an empty text if there is none, which means the same."""
        return dict(self.labels).get(name, "")


Samples = dict[Series, int]


class Family(NamedTuple):
    """The ``type`` of a metric, and what it says."""

    type: str
    help: str


def series(name: str, **labels: str) -> Series:
    """Return the series of a metric with these labels."""
    return Series(name, tuple(Label(*pair) for pair in sorted(labels.items())))


def render(samples: Mapping[Series, int], families: Mapping[str, Family]) -> str:
    """Return the text of the samples of these families."""
    lines = []
    for name, family in families.items():
        of_family = sorted((one, value) for one, value in samples.items() if one.name == name)
        if of_family:
            lines += [f"# HELP {name} {family.help}", f"# TYPE {name} {family.type}"]
            lines += [f"{_text(one)} {value}" for one, value in of_family]
    return "".join(f"{line}\n" for line in lines)


def _text(one: Series) -> str:
    labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in one.labels)
    return f"{one.name}{{{labels}}}" if labels else one.name


def _escaped(text: str) -> str:
    # Prometheus refuses a file that is not UTF-8 as a whole.
    text = text.encode("utf-8", errors="backslashreplace").decode()
    return text.replace("\\", r"\\").replace("\n", r"\n").replace('"', r"\"")


_LABEL = r'([a-z_]+)="((?:[^"\\]|\\["\\n])*)"'
_LABELS = rf"(?:\{{(?P<labels>{_LABEL}(?:,{_LABEL})*)\}})?"
_SAMPLE = re.compile(rf"(?P<name>[a-z_]+){_LABELS} (?P<value>[0-9]{{1,15}})")
_ESCAPES = {r"\\": "\\", r"\n": "\n", r"\"": '"'}


def parse(text: str) -> Samples:
    """Return the samples in a text that ``render`` has made. Raises ValueError."""
    samples = {}
    for line in text.split("\n"):  # a label may have what else ends a line
        if not line or line.startswith("#"):
            continue
        match = _SAMPLE.fullmatch(line)
        if not match:
            raise ValueError(f"not a sample: {line!r}")
        labels = {
            name: re.sub(r"\\.", lambda escape: _ESCAPES[escape[0]], value)
            for name, value in re.findall(_LABEL, match["labels"] or "")
        }
        samples[series(match["name"], **labels)] = int(match["value"])
    return samples
