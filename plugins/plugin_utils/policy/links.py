# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""By which paths a file or directory is known if links lead to it."""

from __future__ import annotations

import os

LINKS = 40  # that Linux follows in a path


def paths_through_links(path: str) -> list[str]:
    """Return ``path``, the path of each link that it leads over, and the one without links.

    So in a chain of links each counts, whether it is the last part of the path or a directory.
    """
    paths, followed = [path], 0
    done, parts = "/", _parts(os.path.join(os.getcwd(), path))  # done has no link
    while parts and followed < LINKS:
        part = parts.pop(0)
        try:
            target = os.readlink(os.path.join(done, part))
        except OSError:  # no link
            done = os.path.dirname(done) if part == ".." else os.path.join(done, part)
            continue
        if ".." not in parts:  # where that leads depends on the links before it
            paths.append(os.path.join(done, part, *parts))
        followed += 1
        done = "/" if os.path.isabs(target) else done
        parts = _parts(target) + parts
    return list(dict.fromkeys([*paths, os.path.realpath(path)]))


def _parts(path: str) -> list[str]:
    return [part for part in path.split("/") if part not in ("", ".")]
