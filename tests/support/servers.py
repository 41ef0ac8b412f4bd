# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""HTTP servers on loopback."""

from __future__ import annotations

import contextlib
import http.server
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

Answer = Callable[[str], Any]  # what to answer for a path, as JSON; None if there is no such thing
Posted = list[Any]  # what was sent, from JSON


@contextlib.contextmanager
def served(answer: Answer) -> Iterator[int]:
    """Give the port of a server that answers with JSON."""

    class Handler(_Silent):
        def do_GET(self) -> None:
            value = answer(self.path)
            self.reply(404 if value is None else 200, value)

    with _listening(Handler) as port:
        yield port


@contextlib.contextmanager
def collecting(posted: Posted) -> Iterator[int]:
    """Give the port of a server that adds to a list what it is sent."""

    class Handler(_Silent):
        def do_POST(self) -> None:
            posted.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.reply(200, "ok")

    with _listening(Handler) as port:
        yield port


class _Silent(http.server.BaseHTTPRequestHandler):
    def reply(self, status: int, value: Any) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        self.wfile.write(json.dumps(value).encode())

    def log_message(self, *_arguments: object) -> None:
        pass


@contextlib.contextmanager
def _listening(handler: type[_Silent]) -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
