# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the variables of a policy may be called, and what their values may be."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible.utils.vars import isidentifier

from ..templates import is_template
from .values import is_vaulted, template, type_name

# What these say is how hosts are reached, and which host and play it is. Checks must not be led to
# another host.
_PREFIXES = ("ansible_", "precheck_")
_OF_ANSIBLE = frozenset(
    "environment group_names groups hostvars inventory_dir inventory_file inventory_hostname"
    " inventory_hostname_short omit play_hosts playbook_dir role_name role_names role_path"
    " vars".split()
)


def problems_of_variable(name: str, value: Any) -> Iterator[str]:
    """Yield what is wrong with a variable of a policy."""
    if not isidentifier(name):
        yield f"{name!r} is not a valid name of a variable"
    elif name.startswith(_PREFIXES) or name in _OF_ANSIBLE:
        yield f"{name} is a name that Ansible and Precheck use themselves: choose another"
    try:
        _check(value)
    except (TypeError, ValueError) as ex:
        yield f"{name}: {ex}"


def _check(value: Any) -> None:
    """Raise TypeError or ValueError if there is something in ``value`` that cannot be used."""
    if is_vaulted(value):
        raise TypeError(f"expected a value, not {type_name(value)}")
    if isinstance(value, str) and is_template(value):
        template(value)
    elif isinstance(value, (Mapping, list)):
        for item in value.values() if isinstance(value, Mapping) else value:
            _check(item)
