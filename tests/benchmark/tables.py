# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tables in Markdown of what was measured."""

from __future__ import annotations

from dataclasses import dataclass

from measure import DELAYS, Kind, Samples, Sitting, middle

Results = dict[Sitting, Samples]
TITLES: dict[Kind, str] = {
    "local": "local connections",
    "ssh": "SSH over loopback, new connections",
    "slow": f"SSH over loopback, each answers after {DELAYS['slow']} s",
}


@dataclass(frozen=True)
class Ratio:
    """What a way costs by another, at so many hosts, and the most that it may be."""

    dividend: str
    divisor: str
    kind: Kind
    hosts: int
    wanted: float
    what: str = "wall"
    without: str = ""  # a way whose cost is taken off both


RATIOS = [
    Ratio("guard, 1 check", "one raw task", "local", 200, 0.45),
    Ratio("guard, 1 check", "one raw task", "local", 1000, 0.25),
    Ratio("guard, 1 check", "one raw task", "local", 1000, 0.22, "cpu", without="nothing"),
    Ratio("guard, 1 check", "classic pair", "local", 200, 0.05),
    Ratio("guard, 10 checks", "guard, 1 check", "local", 1000, 1.15),
    Ratio("audit, 5 rules", "one raw task", "local", 1000, 0.50),
    Ratio("guard, 1 check", "one raw task", "ssh", 50, 0.85),
    Ratio("guard, 1 check, 50 forks", "one raw task", "slow", 200, 0.25),
    Ratio("not covered, guard on", "not covered, no guard", "local", 1, 1.04, "cpu"),
]
FEW, MANY, PER_HOST = 1000, 5000, 1.10  # the numbers of hosts whose time per host is compared


def table(sitting: Sitting, samples: Samples) -> str:
    """Return the table of a sitting."""
    hosts = f"{sitting.hosts} host{'s' * (sitting.hosts > 1)}"
    lines = [
        f"### {hosts}, {TITLES[sitting.kind]}, {sitting.forks} forks",
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


def ratios(results: Results) -> str:
    """Return the table of the ratios that were measured."""
    lines = [
        "### Ratios",
        "",
        "| ratio | of | hosts | measured | wanted |",
        "| --- | --- | --- | ---: | ---: |",
    ]
    for ratio in RATIOS:
        if samples := _of(results, ratio.kind, ratio.hosts):
            cost = {way: middle(of_way, ratio.what) for way, of_way in samples.items()}
            start = cost[ratio.without] if ratio.without else 0
            value = (cost[ratio.dividend] - start) / (cost[ratio.divisor] - start)
            of = {"wall": "wall time", "cpu": "CPU"}[ratio.what]
            of += f" without {ratio.without}" * bool(ratio.without)
            lines.append(
                f"| {ratio.dividend} / {ratio.divisor} | {of} | {ratio.hosts} {ratio.kind}"
                f" | {value:.2f} | {ratio.wanted:.2f} |"
            )
    few, many = _of(results, "local", FEW), _of(results, "local", MANY)
    if few and many:
        way = "guard, 1 check"
        value = middle(many[way], "wall") / MANY / (middle(few[way], "wall") / FEW)
        lines.append(
            f"| {way}: time per host, {MANY} / {FEW} hosts | wall time | local"
            f" | {value:.2f} | {PER_HOST:.2f} |"
        )
    return "\n".join([*lines, ""])


def _of(results: Results, kind: Kind, hosts: int) -> Samples | None:
    return next((s for one, s in results.items() if (one.kind, one.hosts) == (kind, hosts)), None)
