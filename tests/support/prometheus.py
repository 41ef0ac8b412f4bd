# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A real Prometheus on loopback, which scrapes a real node_exporter."""

from __future__ import annotations

import contextlib
import json
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from support.commands import REPOSITORY, clean_environment
from support.requirements import lacking

DOCUMENTS = REPOSITORY / "docs/prometheus"
PATIENCE = 120  # seconds, after which a test gives up

CONFIG = """
global: {{scrape_interval: 1s, evaluation_interval: 1s}}
rule_files: ["{rules}"]
scrape_configs:
  - job_name: node
    static_configs: [{{targets: ["127.0.0.1:{port}"]}}]
"""


class Prometheus:
    """A server that answers queries, at this address."""

    def __init__(self, address: str) -> None:
        self.address = address

    def get(self, path: str, **parameters: str) -> Any:
        """Return the data of an answer of the API. Raises AssertionError with its error."""
        url = f"{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=PATIENCE) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as ex:
            raise AssertionError(f"{parameters}: {ex.read().decode()}") from None

    def query(self, expression: str) -> list[dict[str, Any]]:
        """Return what an instant query gives: each with its labels, and its value as a number."""
        return [
            {**one["metric"], "value": float(one["value"][1])}
            for one in self.get("query", query=expression)["result"]
        ]

    def wait_for(self, expression: str, holds: Callable[[list[dict[str, Any]]], bool]) -> None:
        """Ask until the answer is as a test needs it."""
        wait_until(lambda: holds(self.query(expression)), expression)

    def alerts(self) -> set[str]:
        """Return the alerts that fire: "name rule host", as far as they have these labels."""
        return {
            " ".join(filter(None, map(one["labels"].get, ("alertname", "rule", "host"))))
            for one in self.get("alerts")["alerts"]
            if one["state"] == "firing"
        }


def wait_until(holds: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < end, f"it never came: {what}"
        time.sleep(0.1)


@contextlib.contextmanager
def scraped(metrics: Path, directory: Path) -> Iterator[Prometheus]:
    """Give a Prometheus with the rules of the documents.

    Its node_exporter reads the files in ``metrics``. ``directory`` is for all that both write.
    """
    exporter, server = free_port(), free_port()
    (directory / "prometheus.yml").write_text(
        CONFIG.format(rules=DOCUMENTS / "rules.yml", port=exporter)
    )
    collectors = [
        "--collector.disable-defaults",
        "--collector.textfile",
        f"--collector.textfile.directory={metrics}",
    ]
    files = [f"--config.file={directory}/prometheus.yml", f"--storage.tsdb.path={directory}/data"]
    with contextlib.ExitStack() as servers:
        servers.enter_context(serving("prometheus-node-exporter", collectors, exporter, directory))
        address = servers.enter_context(
            # Until it is ready, it answers no query.
            serving("prometheus", files, server, directory, answers_at="-/ready")
        )
        prometheus = Prometheus(address)
        prometheus.wait_for("up", lambda found: [one["value"] for one in found] == [1])
        yield prometheus


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@contextlib.contextmanager
def serving(
    name: str, options: Sequence[str], port: int, directory: Path, answers_at: str = "metrics"
) -> Iterator[str]:
    """Run a server of this name while it is needed; give its address."""
    program = shutil.which(name) or lacking(f"{name} is not installed")
    command = [program, *options, f"--web.listen-address=127.0.0.1:{port}"]
    address = f"http://127.0.0.1:{port}"
    log = directory / f"{name}.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=clean_environment(), stdout=output, stderr=output
        )
        try:

            def answers() -> bool:
                assert process.poll() is None, log.read_text()
                with (
                    contextlib.suppress(OSError),
                    urllib.request.urlopen(f"{address}/{answers_at}"),
                ):
                    return True
                return False

            wait_until(answers, f"{name}: {log.read_text()}")
            yield address
        finally:
            process.terminate()
            process.wait()
