# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a case, as ansible-playbook itself takes them."""

from __future__ import annotations

import contextlib
import io
import shlex
from collections.abc import Iterator
from typing import Any, NoReturn

from ansible import context
from ansible.cli.playbook import PlaybookCLI
from ansible.utils.context_objects import CLIArgs
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars, load_options_vars

display = Display()


def options_of(text: str) -> CLIArgs:
    """Return the options in a text as a shell has it. Raises ValueError."""
    command = PlaybookCLI(["ansible-playbook", "a playbook"])
    command.init_parser()

    def fail(message: str) -> NoReturn:
        raise ValueError(f"ansible-playbook does not take {text!r}: {message}")

    parser: Any = command.parser
    parser.error = fail
    verbosity = display.verbosity
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # for --help
            parsed = parser.parse_args([*shlex.split(text), "a playbook"])
        if parsed.args != ["a playbook"]:
            fail(f"expected options only, not {parsed.args[0]!r}")
        options: CLIArgs = CLIArgs.from_options(command.post_process_args(parsed))
        return options
    except SystemExit:
        raise ValueError(f"expected options of a run, not {text!r}") from None
    finally:
        display.verbosity = verbosity


@contextlib.contextmanager
def run_with(options: CLIArgs) -> Iterator[None]:
    """Let ansible-core find these options, and no others."""
    before: Any = context.CLIARGS
    _forget()
    context.CLIARGS = options
    try:
        yield
    finally:
        context.CLIARGS = before
        _forget()


def _forget() -> None:
    # Since 2.15 they keep what they return.
    vars(load_extra_vars).clear()
    vars(load_options_vars).clear()
