# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plays as YAML, as the tests of bypass attempts and of covered plays and hosts write them."""

from __future__ import annotations

from textwrap import indent

WITNESS = "ansible.builtin.raw: touch /etc/pki/witness"


def play(
    hosts: str = "all",
    tasks: str = f"- {WITNESS}",
    keywords: str = "",
    facts: str = "false",
    name: str = "",
) -> str:
    """Return a play. ``tasks`` and ``keywords`` may have several lines."""
    head = f"- hosts: {hosts}\n  gather_facts: {facts}\n"
    if name:
        head = f"- name: {name}\n  hosts: {hosts}\n  gather_facts: {facts}\n"
    more = indent(f"{keywords}\n", "  ") if keywords else ""
    return f"{head}{more}  tasks:\n{indent(tasks, '    ')}\n"
