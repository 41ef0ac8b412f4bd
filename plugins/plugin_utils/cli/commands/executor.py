# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Runs a command as ansible-core runs its own, whatever the release."""

from __future__ import annotations

import sys
from typing import NoReturn

from ansible.cli import CLI
from ansible.errors import AnsibleError, AnsibleOptionsError, AnsibleParserError
from ansible.utils import display as display_module

from .base import display


def execute(command: type[CLI], arguments: list[str]) -> NoReturn:
    """Run a command, and end with its exit status."""
    if hasattr(command, "cli_executor"):  # since 2.13
        command.cli_executor(arguments)
    if hasattr(display_module, "initialize_locale"):  # since 2.11
        display_module.initialize_locale()
    cli, status = command(arguments), 0
    try:
        status = cli.run()
    except AnsibleError as ex:
        if isinstance(ex, AnsibleOptionsError):
            cli.parser.print_help()  # type: ignore[union-attr] # the parser has found the error
        display.error(str(ex), wrap_text=False)
        statuses = {AnsibleOptionsError: 5, AnsibleParserError: 4}
        status = next((statuses[kind] for kind in statuses if isinstance(ex, kind)), 1)
    except KeyboardInterrupt:
        status = 99
    except Exception as ex:
        display.error(f"an unexpected error: {ex!r}", wrap_text=False)
        status = 250
    sys.exit(status)
