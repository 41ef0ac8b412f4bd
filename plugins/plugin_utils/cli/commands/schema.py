# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prints the JSON schema of policy files."""

from __future__ import annotations

import argparse
import os

from ansible.cli import CLI

from .base import HelpFormatter, display
from .copies import OWN_DIRECTORY

DESCRIPTION = """\
Prints the JSON schema of policy files. Editors with a YAML language server
check a file by it while you write, if the file begins with a line such as
# yaml-language-server: $schema=policy.schema.json"""

MORE = """\
example:
  ansible-precheck schema > policy.schema.json"""


class Schema(CLI):
    name = "ansible-precheck schema"

    parser: argparse.ArgumentParser

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.description, self.parser.epilog = DESCRIPTION, MORE
        self.parser.formatter_class = HelpFormatter

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        return super().post_process_args(options)

    def run(self) -> int:
        super().run()
        with open(os.path.join(OWN_DIRECTORY, "docs/policy.schema.json"), encoding="utf-8") as file:
            display.display(file.read().rstrip(), screen_only=True)
        return 0
