# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ansible-precheck, on top of ansible-core's own command-line classes.

pip installs it as a console script. Where the collection came by ansible-galaxy, or is a clone, this file is run by the
Python that has ansible-core.
"""

from __future__ import annotations

from ansible.cli import CLI  # isort: skip - first, as it prepares Python for the rest of ansible-core

import argparse
import contextlib
import functools
import importlib
import json
import os
import sys
from collections.abc import Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from ansible import constants as C
from ansible import context
from ansible.cli.arguments import option_helpers
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError
from ansible.executor import playbook_executor
from ansible.executor.play_iterator import PlayIterator
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import add_all_plugin_dirs, strategy_loader
from ansible.plugins.strategy import StrategyBase
from ansible.utils.collection_loader import AnsibleCollectionConfig
from ansible.utils.display import Display

if TYPE_CHECKING:
    from .explain import Explaining

COLLECTION = "ansible_collections.precheck.guard.plugins.plugin_utils"

DESCRIPTION = """\
Precheck stops a playbook before it changes anything on a host that is not
ready for it. This command tells beforehand what it would do. It connects to
no host.

commands:
  explain    tell what would be checked before the plays of playbooks, and why
  validate   check policy files

ansible-precheck COMMAND --help is the manual page of a command.
The documents are in the folder
"""

EXPLAIN = """\
Tells for each play of the playbooks, in order, what Precheck would do before
it: which rules cover it and by which selector, which hosts would be asked
what, which would be left out and why, and what cannot be told beforehand.

It connects to no host, gathers no facts and runs no task. It reads playbooks,
inventory and variables as ansible-playbook does, and takes the same options:
put "ansible-precheck explain" in the place of "ansible-playbook"."""

EXPLAIN_MORE = """\
examples:
  ansible-precheck explain site.yml -i inventory
  ansible-precheck explain pgsql.yml -l 'pg-*' -t install -e pg_version=17
  ansible-precheck explain site.yml --format json | jq '.plays[].rules[].asked'

exit status:
  0  the plays were explained, whatever would become of them
  1  a policy or something else is wrong; the message says what
  otherwise as that of ansible-playbook, as for a playbook that is not valid"""

VALIDATE = """\
Checks policy files, and tells all that is wrong with any of them, one problem
a line: file, line, and what is wrong. Files that are named together are taken
together, as where the option policy has them: no two rules may have one name.
Without a file, those are checked that a run in this folder would use."""

VALIDATE_MORE = """\
examples:
  ansible-precheck validate
  ansible-precheck validate precheck.yml --playbook-dir playbooks --format json

exit status:
  0  nothing is wrong
  1  something is wrong"""

# They make ansible-playbook tell something, in the place of running plays.
OF_ANSIBLE_PLAYBOOK = {
    "--list-hosts": "listhosts",
    "--list-tasks": "listtasks",
    "--list-tags": "listtags",
    "--syntax-check": "syntax",
}

COLORS = {
    "play": C.COLOR_HIGHLIGHT,
    "asked": C.COLOR_OK,
    "left out": C.COLOR_SKIP,
    "unsure": C.COLOR_WARN,
    "error": C.COLOR_ERROR,
    "not guarded": C.COLOR_WARN,
}

display = Display()


def main() -> None:
    commands: dict[str, type[CLI]] = {"explain": Explain, "validate": Validate}
    parser = argparse.ArgumentParser(
        "ansible-precheck",
        "ansible-precheck COMMAND [options] [arguments]",
        DESCRIPTION + os.path.abspath(os.path.join(os.path.dirname(__file__), "../../docs")),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=commands, help=argparse.SUPPRESS)
    name = parser.parse_args(sys.argv[1:2]).command
    # Python has found this file without ansible-core. What it remembers of that is forgotten: with it, ansible-core would
    # not look for collections where it is configured to.
    for module in [module for module in sys.modules if module.partition(".")[0] == "ansible_collections"]:
        del sys.modules[module]
    commands[name].cli_executor([f"ansible-precheck {name}", *sys.argv[2:]])


def of_collection(name: str) -> ModuleType:
    """Return a module of the collection, from where ansible-core finds it once a command has begun to run."""
    try:
        return importlib.import_module(f"{COLLECTION}.{name}")
    except ImportError as ex:
        raise AnsibleError(
            f"ansible-core does not find the collection precheck.guard, so it cannot guard anything here ({ex}). Where it looks"
            f" is set by collections_path in ansible.cfg; now it is {':'.join(C.COLLECTIONS_PATHS)}"
        ) from None


class _ManualPage(option_helpers.SortingHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


class _Command(CLI):
    """What the commands have in common: the option --format, and nothing on stdout but what they tell."""

    parser: argparse.ArgumentParser  # from init_parser on
    while_working: contextlib.ExitStack

    def describe(self, arguments: str, description: str, more: str) -> None:
        """Make the manual page out of the help text, and add the common option."""
        self.parser.usage = f"%(prog)s [options] {arguments}"
        self.parser.description, self.parser.epilog = description, more
        self.parser.formatter_class = _ManualPage
        self.parser.add_argument("--format", choices=("text", "json"), default="text", help="for people, or for programs")

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options = super().post_process_args(options)
        display.verbosity = options.verbosity
        # From here on, as --help and --version are for stdout.
        self.while_working.enter_context(contextlib.redirect_stdout(sys.stderr))
        return options

    def tell_json(self, data: Any) -> None:
        display.display(json.dumps(data, indent=2), screen_only=True)


class Explain(_Command, PlaybookCLI):
    """ansible-playbook, with another class in the place of the one that runs plays."""

    name = "ansible-precheck explain"
    USES_CONNECTION = False  # so that no ssh agent is started

    explaining: Explaining

    def init_parser(self) -> None:  # type: ignore[override] # as the commands of ansible-core have it
        super().init_parser()
        self.describe("playbook [playbook ...]", EXPLAIN, EXPLAIN_MORE)
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            self.parser.add_argument(option, dest=name, action="store_true", help=argparse.SUPPRESS)

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            if getattr(options, name):
                self.parser.error(f"{option} is an option of ansible-playbook only")
        return super().post_process_args(options)

    @staticmethod
    def ask_passwords() -> tuple[None, None]:
        return None, None  # they are for connections

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            # By this name PlaybookExecutor makes one.
            setattr(playbook_executor, "TaskQueueManager", functools.partial(_Explainer, self))  # noqa: B010 - it is a class
            status = super().run()
        told, explanation = self.explaining, of_collection("explanation")
        if context.CLIARGS["format"] == "json":
            self.tell_json(explanation.as_data(told.files, told.origin, told.plays))
        else:
            for about, line in explanation.as_text(told.files, told.origin, told.plays):
                display.display(line, color=COLORS.get(about), screen_only=True)
        return status


class _Explainer(TaskQueueManager):
    """Explains plays where a TaskQueueManager runs them. Plays get to it as to any other, by its method and its callbacks."""

    def __init__(self, command: Explain, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._command = command
        self._playbook = ""
        self._begun: set[str] = set()

    def load_callbacks(self) -> None:
        pass  # they are for runs

    def send_callback(self, method_name: str, *args: Any, **kwargs: Any) -> None:
        command = self._command
        if method_name == "v2_playbook_on_start":
            self._playbook = args[0]._file_name
            if not hasattr(command, "explaining"):
                command.explaining = of_collection("explain").Explaining(self)
        elif method_name == "v2_playbook_on_play_start":
            self._play = args[0]
        elif method_name == "v2_playbook_on_no_hosts_matched":
            command.explaining.explain_without_hosts(self._play, self._playbook)

    def run(self, play: Play) -> int:
        if play._uuid in self._begun:
            return self.RUN_OK  # a later batch
        self._begun.add(play._uuid)
        strategy = strategy_loader.get(play.strategy, class_only=True)
        if strategy is not None:  # otherwise ansible-core has an error for that
            strategy.run = _explain_instead
        return super().run(play)

    def explain(self, strategy: StrategyBase, iterator: PlayIterator) -> int:
        try:
            self._command.explaining.explain(strategy, iterator, self._playbook)
        except AnsibleError:
            raise
        except Exception as ex:
            where = iterator._play.get_path() or iterator._play.get_name()
            raise of_collection("door").GuardError(f"Precheck could not explain the play at {where}", ex) from ex
        return self.RUN_OK


def _explain_instead(strategy: StrategyBase, iterator: PlayIterator, play_context: PlayContext) -> int:
    """Is the ``run`` of a strategy whose plays are explained."""
    return cast(_Explainer, strategy._tqm).explain(strategy, iterator)


class Validate(_Command):
    name = "ansible-precheck validate"

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        option_helpers.add_basedir_options(self.parser)
        option_helpers.add_vault_options(self.parser)
        self.describe("[policy ...]", VALIDATE, VALIDATE_MORE)
        self.parser.add_argument("args", metavar="policy", nargs="*", help="a policy file")

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            sources, policy_file = of_collection("sources"), of_collection("policy_file")
            problems: Sequence[Any] = ()
            files = [os.path.abspath(name) for name in context.CLIARGS["args"]]
            try:
                files = files or sources.find({})[0]
                sources.read_all(files, self._loader())
            except policy_file.PolicyError as ex:
                problems = ex.problems
        if context.CLIARGS["format"] == "json":
            self.tell_json([{"path": one.path or None, "line": one.line or None, "message": one.text} for one in problems])
        else:
            for problem in problems:
                display.display(str(problem), color=C.COLOR_ERROR, screen_only=True)
            if not problems:
                display.display(f"{', '.join(files)}: nothing is wrong", color=C.COLOR_OK, screen_only=True)
        return 1 if problems else 0

    def _loader(self) -> DataLoader:
        """Return a loader that decrypts what is vaulted, and finds what is beside playbooks in --playbook-dir."""
        options = context.CLIARGS
        loader = DataLoader()
        folder = options["basedir"] or os.getcwd()
        loader.set_basedir(folder)
        add_all_plugin_dirs(folder)
        AnsibleCollectionConfig.playbook_paths = [folder]
        secrets = self.setup_vault_secrets(
            loader,
            vault_ids=[*C.DEFAULT_VAULT_IDENTITY_LIST, *options["vault_ids"]],
            vault_password_files=list(options["vault_password_files"]),
            ask_vault_pass=options["ask_vault_pass"],
            auto_prompt=False,
        )
        loader.set_vault_secrets(secrets)
        return loader


if __name__ == "__main__":
    main()
