# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A headless Chromium for the tests, driven with its DevTools protocol.

Commands and events are JSON that ends with a NUL character, on two pipes: Chromium reads from its
descriptor 3 and writes to 4. So no port and no driver is needed.
"""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import shutil
import subprocess
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless --no-sandbox --disable-gpu --disable-quic --disable-dev-shm-usage"
    " --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync --hide-scrollbars --remote-debugging-pipe"
).split()
SECONDS = 60

# Changes an element of the form, as if somebody had typed or chosen the value.
FILL = (
    "(form => { form.%s.value = %r;"
    " form.%s.dispatchEvent(new Event('input', {bubbles: true})) })(document.forms[0].elements)"
)
# Waits until all rows of a history are drawn, and returns their number.
DRAWN = """new Promise((done) => {
  const look = () => {
    const drawn = document.querySelectorAll("#timeline tbody tr").length;
    const shown = document.forms[0].elements.shown.value.split(" ")[0].replace(",", "");
    if (drawn === Number(shown)) done(drawn); else setTimeout(look);
  };
  look();
})"""
# The rows of a history that are drawn: the host, and the verdict of each cell with its width.
ROWS = """Array.from(document.querySelectorAll("#timeline tbody tr"), (row) =>
  [row.cells[0].textContent, ...Array.from(row.cells).slice(1)
    .map((cell) => `${cell.className} ${cell.colSpan}`)])"""
# The visible text with the least contrast to its background, and this contrast.
CONTRAST = """(() => {
  const luminance = (color) => {
    const [r, g, b] = color.match(/[\\d.]+/g).slice(0, 3).map((one) => {
      one /= 255;
      return one <= 0.03928 ? one / 12.92 : ((one + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const hasText = (node) => node.nodeType === 3 && node.data.trim();
  const clear = (color) => color === "transparent" || color.endsWith(", 0)");
  const ratio = (element) => {
    let behind = element;
    while (behind && clear(getComputedStyle(behind).backgroundColor)) behind = behind.parentElement;
    const back = luminance(getComputedStyle(behind).backgroundColor);
    const front = luminance(getComputedStyle(element).color);
    return (Math.max(back, front) + 0.05) / (Math.min(back, front) + 0.05);
  };
  return Array.from(document.body.querySelectorAll("*"))
    .filter((e) => e.checkVisibility() && Array.from(e.childNodes).some(hasText))
    .map((e) => [ratio(e), e.className + ": " + e.textContent.slice(0, 40)])
    .sort((one, other) => one[0] - other[0])[0];
})()"""


def program() -> str | None:
    """Return the path of Chromium, None if it is not installed."""
    return next(filter(None, map(shutil.which, NAMES)), None)


class Browser:
    """A Chromium with one tab. ``profile`` is an empty directory for its data.

    ``events`` are those since the last ``open``: method and parameters.
    """

    def __init__(self, profile: Path) -> None:
        to_browser, self._commands = os.pipe()
        self._answers, from_browser = os.pipe()
        # bash moves the pipes to 3 and 4, which may be in use here. sh may allow one digit only.
        command = [
            "bash",
            "-c",
            f'exec "$@" 3<&{to_browser} 4>&{from_browser}',
            "bash",
            str(program()),
            *OPTIONS,
        ]
        self._process = subprocess.Popen(
            [*command, f"--user-data-dir={profile}"],
            pass_fds=(to_browser, from_browser),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser)
        os.close(from_browser)
        self._numbers = itertools.count(1)
        self._unread = b""
        self._session: dict[str, str] = {}
        self.events: list[tuple[str, dict[str, Any]]] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = {
            "sessionId": self.send("Target.attachToTarget", targetId=target, flatten=True)[
                "sessionId"
            ]
        }
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")
        self.send("Performance.enable", timeDomain="threadTicks")  # a busy machine does not count

    def close(self) -> None:
        """End the browser."""
        self._session = {}
        self.send("Browser.close")
        self._process.wait(SECONDS)
        os.close(self._commands)
        os.close(self._answers)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its result."""
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters, **self._session}
        sent = json.dumps(message).encode() + b"\0"
        while sent:
            sent = sent[os.write(self._commands, sent) :]
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._unread:
            ready, _, _ = select.select([self._answers], [], [], SECONDS)
            received = os.read(self._answers, 1 << 20) if ready else b""
            assert received, "Chromium ended or does not answer"
            self._unread += received
        message, _, self._unread = self._unread.partition(b"\0")
        answer = json.loads(message)
        if "method" in answer:
            self.events.append((answer["method"], answer.get("params", {})))
        return answer

    def open(self, path: Path) -> None:
        """Load a page from a file, and forget the events of the one before."""
        self.events = []
        self.send("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in dict(self.events):
            self._read()

    def cost(self) -> float:
        """Return the seconds of CPU that the page took to load, lay out, run and paint."""
        self.send("Page.captureScreenshot")
        metrics = self.send("Performance.getMetrics")["metrics"]
        return {metric["name"]: metric["value"] for metric in metrics}["TaskDuration"]

    def evaluate(self, expression: str) -> Any:
        """Return the value of a JavaScript expression in the page."""
        answer = self.send(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def look(
        self, width: int = 1280, height: int = 900, scheme: str = "light", media: str = "screen"
    ) -> None:
        """Set the size of the window, the preferred colour scheme, and the medium."""
        self.send(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=False,
        )
        self.send(
            "Emulation.setEmulatedMedia",
            media=media,
            features=[{"name": "prefers-color-scheme", "value": scheme}],
        )

    def press(self, key: str, code: int, text: str = "") -> None:
        """Press a key on the keyboard and release it."""
        for kind in ("keyDown", "keyUp"):
            self.send(
                "Input.dispatchKeyEvent",
                type=kind,
                key=key,
                code=key,
                windowsVirtualKeyCode=code,
                text=text,
            )

    def screenshot(self, path: Path) -> None:
        """Write a picture of the page as PNG."""
        picture = self.send("Page.captureScreenshot", format="png")["data"]
        path.write_bytes(base64.b64decode(picture))

    def complaints(self) -> list[Any]:
        """Return the errors in the console.

        They are exceptions, refusals of the content security policy and failed requests.
        """
        return [
            parameters
            for method, parameters in self.events
            if method == "Runtime.exceptionThrown"
            or (
                method == "Runtime.consoleAPICalled"
                and parameters["type"] in ("error", "warning", "assert")
            )
            or (method == "Log.entryAdded" and parameters["entry"]["level"] in ("error", "warning"))
        ]

    def requests(self) -> list[str]:
        """Return all addresses that the page requested."""
        return [
            parameters["request"]["url"]
            for method, parameters in self.events
            if method == "Network.requestWillBeSent"
        ]
