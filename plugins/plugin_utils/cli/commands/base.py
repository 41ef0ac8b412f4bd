# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What commands have in common: the texts of --help, and how they print."""

from __future__ import annotations

import argparse
import contextlib
import json
import signal
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible import constants as C
from ansible.cli import CLI
from ansible.cli.arguments import option_helpers
from ansible.utils.display import Display

# For what is said about plays, rules and hosts.
COLORS = {
    "play": C.COLOR_HIGHLIGHT,
    "checked": C.COLOR_OK,
    "left out": C.COLOR_SKIP,
    "unsure": C.COLOR_WARN,
    "error": C.COLOR_ERROR,
    "not guarded": C.COLOR_WARN,
}

display = Display()


class HelpFormatter(option_helpers.SortingHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Sorts options, as ansible-core does, and leaves texts as they are."""


class Command(CLI):
    """A command with the texts of its --help. ``arguments`` are those besides its options."""

    arguments: str
    description: str
    more: str
    parser: argparse.ArgumentParser  # from init_parser on

    def init_parser(self) -> None:  # type: ignore[override] # as the commands of ansible-core have it
        super().init_parser()
        self.parser.usage = f"%(prog)s [options] {self.arguments}"
        self.parser.description, self.parser.epilog = self.description, self.more
        self.parser.formatter_class = HelpFormatter

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options = super().post_process_args(options)
        display.verbosity = options.verbosity
        return options


class Printing(Command):
    """What has the option --format, and only its result on stdout."""

    formats: Sequence[str] = ("text", "json")
    while_working: contextlib.ExitStack

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.add_argument(
            "--format", choices=self.formats, default="text", help="for people, or for programs"
        )

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options = super().post_process_args(options)
        # From here on, as --help and --version are for stdout.
        self.while_working.enter_context(contextlib.redirect_stdout(sys.stderr))
        return options

    def print_line(self, line: str, color: str | None = None) -> None:
        # Who reads it may leave early, as head does: then the command ends, without a traceback.
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)
        display.display(line, color=color, screen_only=True)

    def print_json(self, data: Any) -> None:
        self.print_line(json.dumps(data, indent=2))

    def print_lines(self, lines: Iterable[Sequence[str]], colors: Mapping[str, str]) -> None:
        """Print lines in the color for what each is about."""
        for topic, line in lines:
            self.print_line(line, colors.get(topic))
