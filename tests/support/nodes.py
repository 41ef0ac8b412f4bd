# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""SSH nodes on this machine, for the tests that need real ones.

One sshd on loopback serves all nodes. The loopback address that the client connects to identifies
the node. Each command runs in its own mount namespace, which has the node's directory at /etc/pki.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path

# The server has private process and mount namespaces: killing it ends every session, and it gets an
# /etc and a /run of its own.
SERVER = r"""
set -e
cp -a /etc "$1/etc"
mkdir -p "$1/etc/pki"
sed -i 's|^\(root:.*:\)[^:]*$|\1/bin/sh|' "$1/etc/passwd" # fast, and reads no profile
echo nologin:x:0:0::/root:/usr/sbin/nologin >> "$1/etc/passwd"
echo homeless:x:0:0::/nowhere:/bin/sh >> "$1/etc/passwd"
mount --bind "$1/etc" /etc
mount -t tmpfs tmpfs /run
mkdir /run/sshd
exec "$2" -D -e -f "$1/sshd_config"
"""

CONFIG = """
HostKey {directory}/host_key
AuthorizedKeysFile {directory}/client_key.pub
ForceCommand {directory}/command
PidFile none
UsePAM no
StrictModes no
PermitRootLogin prohibit-password
MaxStartups 200
LogLevel ERROR
Subsystem sftp /usr/lib/openssh/sftp-server
Match LocalAddress {stalled}
AuthorizedKeysFile none
AuthorizedKeysCommand /bin/sleep 300
AuthorizedKeysCommandUser root
"""

# Files in a node's directory change how the node behaves:
# - "hang": it never answers.
# - "nobody": it runs commands as an unprivileged user.
# - "no_digest": it lacks the programs that compute a SHA-256.
# - "prepare": shell commands that root runs before each command. They may mount things, or set
#   SHELL to the login shell. The process $SSHD holds the connection.
COMMAND = """#!/bin/sh
set -- $SSH_CONNECTION
NODE={directory}/$3
SSHD=$PPID
export NODE SSHD
echo "$SSH_ORIGINAL_COMMAND" >> "$NODE/commands"
[ -e "$NODE/hang" ] && exec sleep 300
as=
[ -e "$NODE/nobody" ] && as="setpriv --reuid=65534 --regid=65534 --clear-groups"
export as
exec unshare --mount sh -c '
mount --bind "$NODE/pki" /etc/pki || exit 1
[ -e "$NODE/no_digest" ] && for tool in sha256sum shasum openssl; do
    mount --bind /dev/null "$(command -v $tool || echo /dev/null)" || exit 1
done
[ -e "$NODE/prepare" ] && . "$NODE/prepare"
exec $as "$SHELL" -c "$SSH_ORIGINAL_COMMAND"'
"""

ADDRESSES = {f"n{i}": f"127.0.0.{10 + i}" for i in range(1, 6)}
STOPPED = "127.0.0.21"  # nothing listens there
MUTE = "127.0.0.22"  # accepts connections and sends nothing
STALLED = "127.0.0.23"  # the sshd there never ends the authentication
GREETING = "127.0.0.24"  # sends the SSH greeting and nothing else


def why_not() -> str:
    """Return why this machine cannot run the nodes; empty if it can."""
    if os.geteuid() != 0:
        return "SSH nodes need root, for mount namespaces"
    missing = [
        name for name in ("ssh", "ssh-keygen", "unshare", "setpriv") if not shutil.which(name)
    ]
    if not shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"]):
        missing.append("sshd")
    return f"SSH nodes need {', '.join(missing)}" if missing else ""


def _greet(server: socket.socket) -> None:
    """Send the SSH greeting, and nothing else, to each client."""
    connections = []
    with contextlib.suppress(OSError):  # the server was closed
        while True:
            connections.append(server.accept()[0])
            connections[-1].sendall(b"SSH-2.0-OpenSSH_9.2\r\n")


class Nodes:
    """The nodes n1 to n5, or nodes with other names and ``addresses``.

    ``directory`` is where they keep everything. The caller removes it.
    """

    def __init__(self, directory: Path, addresses: dict[str, str] = ADDRESSES) -> None:
        self.directory = directory
        self.addresses = addresses
        self.port = 0

    def start(self) -> None:
        """Start the sshd, and what listens at the other addresses."""
        for key in ("host_key", "client_key"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.directory / key],
                check=True,
            )
        self._mute = socket.create_server((MUTE, 0))
        self.port = self._mute.getsockname()[1]
        self._greeting = socket.create_server((GREETING, self.port))
        threading.Thread(target=_greet, args=[self._greeting], daemon=True).start()
        listen = "".join(
            f"ListenAddress {address}:{self.port}\n"
            for address in (*self.addresses.values(), STALLED)
        )
        (self.directory / "sshd_config").write_text(
            listen + CONFIG.format(directory=self.directory, stalled=STALLED)
        )
        (self.directory / "command").write_text(COMMAND.format(directory=self.directory))
        (self.directory / "command").chmod(0o755)
        self.reset()
        sshd = shutil.which("sshd", path="/usr/sbin:/usr/local/sbin:" + os.environ["PATH"])
        with_the_tests = ["setpriv", "--pdeathsig", "KILL"]  # it ends also when they are killed
        namespaces = ["unshare", "--mount", "--pid", "--fork", "--kill-child"]
        command = [*with_the_tests, *namespaces, "sh", "-c", SERVER, "sh", self.directory, sshd]
        self._server = subprocess.Popen(command, stdin=subprocess.DEVNULL)
        self._wait()

    def _wait(self) -> None:
        for _attempt in range(100):
            with (
                contextlib.suppress(ConnectionError),
                socket.create_connection((list(self.addresses.values())[-1], self.port), timeout=1),
            ):
                return
            time.sleep(0.1)
        raise RuntimeError("sshd did not start")

    def stop(self) -> None:
        """Stop them. All sessions end."""
        self._server.kill()
        self._server.wait()
        self._mute.close()
        self._greeting.close()

    def reset(self, ready: str = "") -> None:
        """Make all nodes new. ``ready`` names those that have the marker: "n1 n2"."""
        for name, address in self.addresses.items():
            shutil.rmtree(self.directory / address, ignore_errors=True)
            (self.directory / address / "pki").mkdir(parents=True)
            if name in ready.split():
                (self.directory / address / "pki/ca.crt").write_text("a certificate\n")

    def path(self, name: str, path: str) -> Path:
        """Return where ``path`` in the node's directory is on this machine. /etc/pki is ``pki``."""
        return self.directory / self.addresses[name] / path

    def having(self, path: str) -> str:
        """Return the names of the nodes that have ``path``: "n1 n2"."""
        return " ".join(name for name in self.addresses if self.path(name, path).exists())

    def commands(self, name: str) -> str:
        """Return all commands that the node was sent."""
        path = self.path(name, "commands")
        return path.read_text() if path.exists() else ""

    def host(self, name: str, address: str = "") -> dict[str, object]:
        """Return the inventory variables of a node, or of another host at ``address``."""
        options = (
            "-o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o"
            f" IdentitiesOnly=yes -i {self.directory}/client_key"
        )
        return {
            "ansible_host": address or self.addresses[name],
            "ansible_port": self.port,
            "ansible_user": "root",
            "ansible_ssh_common_args": options,
        }

    def hosts(self, **variables: object) -> dict[str, dict[str, object]]:
        """Return an inventory of all nodes, each with these variables."""
        return {name: self.host(name) | variables for name in self.addresses}

    def hosts_with_a_cluster(self) -> dict[str, dict[str, object]]:
        """Return an inventory of all nodes. n1 and n2 are in a cluster, the others are not."""
        hosts = self.hosts()
        for name in ("n1", "n2"):
            hosts[name]["pg_cluster"] = "pg"
        return hosts
