# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The command ansible-precheck, on top of ansible-core's own command-line classes.

pip installs it as a console script. If the collection came by ansible-galaxy, or is a clone, the
Python that has ansible-core runs this file. It loads before ansible-core can find the collection,
so it imports nothing of it at the top.
"""

from __future__ import annotations

import sys

try:
    from ansible import constants as C
except ModuleNotFoundError:
    sys.exit(
        f"NOT IN FORCE: {sys.executable} has no ansible-core. Run this command by the Python that"
        " ansible --version prints."
    )
except Exception as ex:
    # ansible.cli would end the program for that as well, and since 2.19 with a traceback.
    sys.exit(f"NOT IN FORCE: ansible-core ends every command with an error: {ex}")

from ansible.release import __version__

try:
    from ansible.utils.collection_loader import AnsibleCollectionConfig
except ImportError:  # the oldest that is supported has it
    sys.exit(f"NOT IN FORCE: ansible-core {__version__} is older than 2.10")

from ansible.cli import CLI  # isort: skip - first, as it prepares Python for the rest of ansible-core

import argparse
import contextlib
import functools
import importlib
import json
import os
import platform
import re
import signal
from collections.abc import Iterable, Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, NoReturn

from ansible import context
from ansible.cli.arguments import option_helpers
from ansible.cli.playbook import PlaybookCLI
from ansible.errors import AnsibleError, AnsibleOptionsError, AnsibleParserError
from ansible.executor import playbook_executor
from ansible.executor.task_queue_manager import TaskQueueManager
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import add_all_plugin_dirs
from ansible.utils import display as display_module
from ansible.utils.display import Display

if TYPE_CHECKING:
    from .edit import Change
    from .explanation import Explanation

VERSION = "0.1.0"
OLDEST, OLDEST_PYTHON = (2, 10), (3, 9)
DOCUMENTS = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../../docs"))
PACKAGE = "ansible_collections.precheck.guard"
COLLECTION = f"{PACKAGE}.plugins.plugin_utils"

DESCRIPTION = """\
Precheck stops a playbook before it changes anything on a host that is not
ready for it. This command switches that on, and shows beforehand what it would
do. It connects to no host.

commands:
  enable     switch the guard on in an ansible.cfg
  disable    switch it off there
  doctor     find out whether the guard is in force, and why not
  explain    show what would be checked before the plays of playbooks, and why
  rules      show which rules can apply to hosts, and what they require
  validate   check policy files
  test       run the cases of test files beside policy files
  report     show what many reports say together, or make one of several
  schema     print the JSON schema of policy files, for editors

ansible-precheck COMMAND --help describes a command.
The documents are in the directory
"""

DOCTOR = """\
Says whether the guard is in force here, and what keeps it from that: which
ansible-core, collection, ansible.cfg, settings and policy a run would use,
where they come from, and what looks misspelt. Of playbooks that you name, it
says which plays are guarded.

It takes the options of ansible-playbook, connects to no host and runs no task.
Lines that begin with ! keep the guard from being in force; those with ? are to
be looked at."""

DOCTOR_MORE = """\
examples:
  ansible-precheck doctor
  ansible-precheck doctor pgsql.yml -i inventory
  ansible-precheck doctor --format json | jq .in_force

exit status:
  0  the guard is in force, for all playbooks that are named
  1  it is not"""

EXPLAIN = """\
Shows for each play of the playbooks, in order, what Precheck would do before
it: which rules cover it and by which selector, which hosts would be checked
for what, which would be left out and why, and what cannot be known yet.

It connects to no host, gathers no facts and runs no task. It reads playbooks,
inventory and variables as ansible-playbook does, and takes the same options:
type "ansible-precheck explain" instead of "ansible-playbook"."""

EXPLAIN_MORE = """\
examples:
  ansible-precheck explain site.yml -i inventory
  ansible-precheck explain pgsql.yml -l 'pg-*' -t install -e pg_version=17
  ansible-precheck explain site.yml --format json | jq '.plays[].rules[].checked'
  ansible-precheck explain site.yml --require-guard

exit status:
  0  the plays were explained, whether they would be stopped or not
  1  a policy or something else is wrong, or with --require-guard a covered
     play is not guarded; the message says what
  otherwise that of ansible-playbook, as for a playbook that is not valid"""

RULES = """\
Shows for each host which rules of the policy in force can apply to it, in which
plays, and what they require of it, with the variables of the host. Hosts are
selected as in "ansible": by names, groups and patterns.

It connects to no host and reads no playbook: what only a run has, such as facts
and the variables of plays, is not known yet."""

RULES_MORE = """\
examples:
  ansible-precheck rules pg-1 -i inventory
  ansible-precheck rules 'pg-*' infra
  ansible-precheck rules all --format json | jq '.hosts[].rules[].name'

exit status:
  0  the rules were shown
  1  a policy or something else is wrong; the message says what"""

ENABLE = """\
Puts the line that switches the guard on into the ansible.cfg of a directory:
of the current one, if none is named. All else in the file stays as it is. The
change is shown as a diff, and made if you agree. Then "doctor" runs in that
directory, and says whether the guard is in force."""

ENABLE_MORE = """\
exit status:
  0  the guard is in force
  1  it is not: you did not agree to the change, there was no terminal to ask
     on, the file cannot be edited, or something else is wrong, as is printed"""

DISABLE = """\
Takes out of the ansible.cfg of a directory what switches the guard on: of the
current one, if none is named. A file that "enable" has changed is then as it
was before. The change is shown as a diff, and made if you agree."""

DISABLE_MORE = """\
exit status:
  0  the file does not switch the guard on
  1  nothing was changed: you did not agree, there was no terminal to ask on,
     or the file cannot be edited; the message says why"""

VALIDATE = """\
Checks policy files, and prints all that is wrong with any of them, one problem
a line: file, line, and what is wrong. Files that are named together form one
policy, as with the option policy: no two rules may have the same name. With
--each, each file is a policy of its own.
Without a file, it checks those that a run in this directory would use."""

VALIDATE_MORE = """\
examples:
  ansible-precheck validate
  ansible-precheck validate precheck.yml --playbook-dir playbooks --format json
  ansible-precheck validate --format sarif > precheck.sarif

exit status:
  0  nothing is wrong, or there are only warnings
  1  something is wrong"""

TEST = """\
Runs the cases of test files: POLICY.test.yml has those for POLICY.yml beside
it. A case says which play runs, on which hosts, and what these would answer;
and what is expected of the rules. No host is connected to, and no module runs.
All else is what a run does. Without a file, it takes those beside the policy
that a run in this directory would use; with a policy file, the one beside that.

It prints a line a case, what differs from what is expected, and which rules and
checks no case reaches."""

TEST_MORE = """\
examples:
  ansible-precheck test
  ansible-precheck test precheck.test.yml --junit-xml results.xml

exit status:
  0  all cases pass
  1  a case fails, or a file cannot be used"""

REPORT = """\
Reads reports of runs and audits, from files and from directories, and shows
what they say together: since when hosts have not been ready, who waived what,
how often and why, and how many runs were stopped in each week. Files that are no
report, or one of another format, are named on stderr and passed over.

With --merge, it makes one report of several, such as those of the slices of a
job."""

REPORT_MORE = """\
examples:
  ansible-precheck report /var/log/precheck
  ansible-precheck report /var/log/precheck --page history.html
  ansible-precheck report slice-*.json --merge job.json

exit status:
  0  a report was read; with --merge, all of them were
  1  no report could be read, or a file cannot be written"""

SCHEMA = """\
Prints the JSON schema of policy files. Editors with a YAML language server
check a file by it while you write, if the file begins with a line such as
# yaml-language-server: $schema=policy.schema.json"""

SCHEMA_MORE = """\
example:
  ansible-precheck schema > policy.schema.json"""

# They make ansible-playbook list something instead of running plays.
OF_ANSIBLE_PLAYBOOK = {
    "--list-hosts": "listhosts",
    "--list-tasks": "listtasks",
    "--list-tags": "listtags",
    "--syntax-check": "syntax",
}

COLORS = {
    "play": C.COLOR_HIGHLIGHT,
    "checked": C.COLOR_OK,
    "left out": C.COLOR_SKIP,
    "unsure": C.COLOR_WARN,
    "error": C.COLOR_ERROR,
    "not guarded": C.COLOR_WARN,
}

STATES = {"passed": C.COLOR_OK, "failed": C.COLOR_ERROR, "doubt": C.COLOR_WARN}

OF_HISTORY = {
    "heading": C.COLOR_HIGHLIGHT,
    "ready": C.COLOR_OK,
    "not ready": C.COLOR_ERROR,
}

LEVELS = {"doubt": C.COLOR_WARN, "wrong": C.COLOR_ERROR}

display = Display()


def main() -> None:
    if sys.version_info[:2] < OLDEST_PYTHON:
        sys.exit(f"NOT IN FORCE: Python {platform.python_version()} is older than 3.9")
    release = re.match(r"(\d+)\.(\d+)", __version__)
    if release and tuple(map(int, release.groups())) < OLDEST:
        # What follows needs a newer one, and so does the guard.
        sys.exit(f"NOT IN FORCE: ansible-core {__version__} is older than {OLDEST[0]}.{OLDEST[1]}")
    commands: dict[str, type[CLI]] = {
        "enable": Enable,
        "disable": Disable,
        "doctor": Doctor,
        "explain": Explain,
        "rules": Rules,
        "validate": Validate,
        "test": Test,
        "report": Report,
        "schema": Schema,
    }
    parser = argparse.ArgumentParser(
        "ansible-precheck",
        "ansible-precheck COMMAND [options] [arguments]",
        DESCRIPTION + DOCUMENTS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", choices=commands, help=argparse.SUPPRESS)
    parser.add_argument("--version", action="version", version=_version())
    name = parser.parse_args(sys.argv[1:2]).command
    # Python has found this file without ansible-core. It has to forget the packages that it has
    # found on the way: with them, ansible-core would not look for collections where it is
    # configured to.
    for module in [
        module for module in sys.modules if module.partition(".")[0] == "ansible_collections"
    ]:
        del sys.modules[module]
    _execute(commands[name], [f"ansible-precheck {name}", *sys.argv[2:]])


def _execute(command: type[CLI], arguments: list[str]) -> NoReturn:
    """Run a command as ansible-core runs its own, and end with its exit status."""
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


def _version() -> str:
    return (
        f"ansible-precheck {VERSION} (ansible-core {__version__}, Python"
        f" {platform.python_version()} at {sys.executable})"
    )


def of_collection(name: str) -> ModuleType:
    """Return a module of the collection, which ansible-core finds once a command runs."""
    try:
        return importlib.import_module(f"{COLLECTION}.{name}")
    except ImportError as ex:
        if PACKAGE in sys.modules:
            copy = next(iter(sys.modules[PACKAGE].__path__))
            raise AnsibleError(
                f"ansible-core finds another copy of the collection than that of this command"
                f" ({os.path.join(own_root(), 'precheck/guard')}): that at {copy}, which does not"
                f" work with it ({ex})"
            ) from None
        raise AnsibleError(
            "ansible-core does not find the collection precheck.guard, so it cannot guard anything"
            f" here ({ex}). The setting collections_path in ansible.cfg says where it looks; now it"
            f" is {':'.join(C.COLLECTIONS_PATHS)}"
        ) from None


def make_findable() -> str:
    """Return the directory in which ansible-core finds the collection; empty if it finds none.

    In that case, make it find the copy that this file is of.
    """
    try:
        return str(next(iter(importlib.import_module(PACKAGE).__path__)))
    except ImportError:
        if "ansible_collections" not in sys.modules:
            sys.modules["ansible_collections"] = ModuleType("ansible_collections")
            sys.modules["ansible_collections"].__path__ = []
        sys.modules["ansible_collections"].__path__ += [own_root()]
        return ""


def own_root() -> str:
    """Return the directory ansible_collections that this file is in, or its clone has."""
    collection = os.path.abspath(os.path.join(os.path.dirname(__file__), "../../.."))
    root = os.path.dirname(os.path.dirname(collection))
    if os.path.basename(root) == "ansible_collections":
        return root
    return os.path.join(collection, "collections/ansible_collections")


class _HelpFormatter(option_helpers.SortingHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


class _Command(CLI):
    """What all commands have in common."""

    parser: argparse.ArgumentParser  # from init_parser on

    def describe(self, arguments: str, description: str, more: str) -> None:
        """Set the texts of --help."""
        self.parser.usage = f"%(prog)s [options] {arguments}"
        self.parser.description, self.parser.epilog = description, more
        self.parser.formatter_class = _HelpFormatter

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options = super().post_process_args(options)
        display.verbosity = options.verbosity
        return options


class _Switch(_Command):
    """Edits the ansible.cfg of a directory."""

    description: str
    more: str

    def change(self) -> Change:
        """Return the function for its text."""
        raise NotImplementedError

    def init_parser(self) -> None:  # type: ignore[override] # as the commands of ansible-core have it
        super().init_parser()
        self.describe("[directory]", self.description, self.more)
        self.parser.add_argument("directory", nargs="?", default=".", help="of the ansible.cfg")
        self.parser.add_argument("--yes", action="store_true", help="do not ask")

    def run(self) -> int:
        super().run()
        make_findable()
        change = self.change()
        edit = of_collection("cli.edit").edit
        return 0 if edit(context.CLIARGS["directory"], change, context.CLIARGS["yes"]) else 1


class Enable(_Switch):
    name = "ansible-precheck enable"
    description, more = ENABLE, ENABLE_MORE

    def change(self) -> Change:
        keys = of_collection("options").KEYS
        return functools.partial(of_collection("cli.switch").switched_on, keys=keys)

    def run(self) -> int:
        status = super().run()
        if status == 0:
            # A new process, as ansible-core has read its configuration before, and elsewhere.
            sys.stdout.flush()
            main_file = os.path.abspath(__file__)
            os.chdir(context.CLIARGS["directory"])
            os.execv(sys.executable, [sys.executable, main_file, "doctor"])
        return status


class Disable(_Switch):
    name = "ansible-precheck disable"
    description, more = DISABLE, DISABLE_MORE

    def change(self) -> Change:
        switched_off: Change = of_collection("cli.switch").switched_off
        return switched_off


class _Printing(_Command):
    """What has the option --format, and only its result on stdout."""

    formats: Sequence[str] = ("text", "json")
    while_working: contextlib.ExitStack

    def describe(self, arguments: str, description: str, more: str) -> None:
        super().describe(arguments, description, more)
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


class Explain(_Printing, PlaybookCLI):
    """ansible-playbook, with another class instead of the one that runs plays."""

    name = "ansible-precheck explain"
    texts = ("playbook [playbook ...]", EXPLAIN, EXPLAIN_MORE)
    USES_CONNECTION = False  # so that no ssh agent is started

    explanation: Explanation

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.describe(*self.texts)
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            self.parser.add_argument(option, dest=name, action="store_true", help=argparse.SUPPRESS)
        self.parser.add_argument(
            "--require-guard",
            action="store_true",
            help="fail if a rule covers a play for which the guard is not on",
        )

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        for option, name in OF_ANSIBLE_PLAYBOOK.items():
            if getattr(options, name):
                self.parser.error(f"{option} is an option of ansible-playbook only")
        return super().post_process_args(options)

    @staticmethod
    def ask_passwords() -> tuple[None, None]:
        return None, None  # they are for connections

    def work(self) -> int:
        # PlaybookExecutor looks this name up to make a manager. See ansible_core.patches.
        setattr(playbook_executor, "TaskQueueManager", self._manager)  # noqa: B010 - it is a class
        return super().run()

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            status = self.work()
        explanation = of_collection("cli.explanation")
        if context.CLIARGS["format"] == "json":
            self.print_json(explanation.as_data(self.explanation))
        else:
            self.print_lines(explanation.as_text(self.explanation), COLORS)
        if context.CLIARGS["require_guard"]:
            self.explanation.require_guard()
        return status

    def _manager(self, **kwargs: Any) -> TaskQueueManager:
        manager: TaskQueueManager = of_collection("cli.explain").ExplainingManager(
            self._begin, **kwargs
        )
        return manager

    def _begin(self, explanation: Explanation) -> None:
        self.explanation = explanation


class Rules(_Printing):
    name = "ansible-precheck rules"

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        option_helpers.add_inventory_options(self.parser)
        option_helpers.add_runtask_options(self.parser)
        option_helpers.add_vault_options(self.parser)
        option_helpers.add_basedir_options(self.parser)
        self.parser.add_argument(
            "--list-hosts", help=argparse.SUPPRESS, action=option_helpers.UnrecognizedArgument
        )
        self.describe("host [host ...]", RULES, RULES_MORE)
        self.parser.add_argument("args", metavar="host", nargs="+", help="a pattern of hosts")

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        options.basedir = options.basedir or os.getcwd()
        return super().post_process_args(options)

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            loader, inventory, variable_manager = self._play_prereqs()
            pattern = ",".join(context.CLIARGS["args"])
            hosts = self.get_host_list(inventory, context.CLIARGS["subset"], pattern)
            rules_of_hosts = of_collection("cli.rules").rules_of_hosts
            listing = rules_of_hosts(hosts, variable_manager, loader)
        output = of_collection("cli.listing")
        if context.CLIARGS["format"] == "json":
            self.print_json(output.as_data(listing))
        else:
            self.print_lines(output.as_text(listing), COLORS)
        return 0


class Doctor(Explain):
    """Explains playbooks as far as it can, and says what it found out besides."""

    name = "ansible-precheck doctor"
    texts = ("[playbook ...]", DOCTOR, DOCTOR_MORE)
    loader: DataLoader | None = None

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        for action in self.parser._actions:
            if action.dest == "args":
                action.nargs = "*"

    def _play_prereqs(self) -> Any:
        found = super()._play_prereqs()
        self.loader = found[0]
        return found

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            error = None
            try:
                self.work()
            except AnsibleError as ex:
                error = ex
            except IndexError:  # before 2.11 it does not come so far without a playbook
                if context.CLIARGS["args"]:
                    raise
                self._play_prereqs()
            found = make_findable()
            diagnosis = self._examine(found, error)
        if context.CLIARGS["format"] == "json":
            self.print_json(diagnosis.as_data())
        else:
            self.print_lines(diagnosis.as_text(), LEVELS)
        return 0 if diagnosis.in_force else 1

    def _examine(self, found: str, error: AnsibleError | None) -> Any:
        # A policy that cannot be used is among what is found out anyway.
        is_known = not found or isinstance(error, of_collection("errors").PolicyError)
        names = [name for name in context.CLIARGS["args"] if os.path.exists(name)]
        directories = [os.path.dirname(os.path.abspath(name)) for name in names]
        if not AnsibleCollectionConfig.playbook_paths:
            AnsibleCollectionConfig.playbook_paths = directories or [os.getcwd()]
        doctor = of_collection("cli.doctor")
        playbooks = doctor.Playbooks(
            directories,
            self.explanation.plays if hasattr(self, "explanation") else (),
            "" if error is None or is_known else f"{', '.join(context.CLIARGS['args'])}: {error}",
        )
        own = os.path.join(own_root(), "precheck/guard")
        return doctor.examine(found, own, self.loader or DataLoader(), playbooks)


class _Reading(_Printing):
    """Reads policies, and what belongs to them."""

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        option_helpers.add_basedir_options(self.parser)
        option_helpers.add_vault_options(self.parser)

    def loader(self) -> DataLoader:
        """Return a loader that decrypts vaulted files, and finds what is beside the playbooks."""
        options = context.CLIARGS
        loader = DataLoader()
        directory = options["basedir"] or os.getcwd()
        loader.set_basedir(directory)
        add_all_plugin_dirs(directory)
        AnsibleCollectionConfig.playbook_paths = [directory]
        secrets = self.setup_vault_secrets(
            loader,
            vault_ids=[*C.DEFAULT_VAULT_IDENTITY_LIST, *options["vault_ids"]],
            vault_password_files=list(options["vault_password_files"]),
            ask_vault_pass=options["ask_vault_pass"],
            auto_prompt=False,
        )
        loader.set_vault_secrets(secrets)
        return loader


class Validate(_Reading):
    name = "ansible-precheck validate"
    formats = ("text", "json", "sarif")

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.describe("[policy ...]", VALIDATE, VALIDATE_MORE)
        self.parser.add_argument("args", metavar="policy", nargs="*", help="a policy file")
        self.parser.add_argument(
            "--each", action="store_true", help="take each file as a policy of its own"
        )

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            names = context.CLIARGS["args"]
            validation = of_collection("cli.validate").validate(
                names, self.loader(), each=context.CLIARGS["each"]
            )
        if context.CLIARGS["format"] == "json":
            self.print_json(validation.as_data())
        elif context.CLIARGS["format"] == "sarif":
            sarif = of_collection("cli.sarif").as_sarif(validation.problems, os.getcwd())
            self.print_json(sarif)
        else:
            for problem in validation.problems:
                color = C.COLOR_WARN if problem.is_warning else C.COLOR_ERROR
                self.print_line(str(problem), color)
            if not validation.problems:
                self.print_line(f"{', '.join(validation.files)}: nothing is wrong", C.COLOR_OK)
        return 1 if validation.has_errors else 0


class Test(_Reading):
    name = "ansible-precheck test"

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.describe("[file ...]", TEST, TEST_MORE)
        self.parser.add_argument(
            "args", metavar="file", nargs="*", help="POLICY.test.yml, or POLICY.yml"
        )
        self.parser.add_argument("--junit-xml", metavar="FILE", help="write the results there too")

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            tests = of_collection("cli.policy_tests")
            report = of_collection("cli.case_report")
            files = tests.files_to_run(context.CLIARGS["args"])
            loader = self.loader()
            results = [tests.run_file(file, loader) for file in files]
        if path := context.CLIARGS["junit_xml"]:
            report.write_junit(results, path)
        if context.CLIARGS["format"] == "json":
            self.print_json(report.as_data(results))
        else:
            self.print_lines(report.as_text(results), STATES)
        return 1 if any(result.has_failed for result in results) else 0


class Report(_Printing):
    name = "ansible-precheck report"

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.describe("path [path ...]", REPORT, REPORT_MORE)
        self.parser.add_argument("args", metavar="path", nargs="+", help="a report, or a directory")
        output = self.parser.add_mutually_exclusive_group()
        output.add_argument("--page", metavar="FILE", help="write a page with a timeline there")
        output.add_argument("--merge", metavar="FILE", help="write one report of all of them")

    def run(self) -> int:
        with contextlib.ExitStack() as self.while_working:
            super().run()
            command = of_collection("history.command")
            if target := context.CLIARGS["merge"]:
                command.merge_into(target, context.CLIARGS["args"])
                return 0
            history, passed_over = command.read_history(context.CLIARGS["args"])
            if target := context.CLIARGS["page"]:
                command.write_page(target, history)
            output = of_collection("history.output")
        if context.CLIARGS["format"] == "json":
            self.print_json(output.as_data(history, passed_over))
        else:
            self.print_lines(output.as_text(history), OF_HISTORY)
        return 0


class Schema(CLI):
    name = "ansible-precheck schema"

    parser: argparse.ArgumentParser

    def init_parser(self) -> None:  # type: ignore[override]
        super().init_parser()
        self.parser.description, self.parser.epilog = SCHEMA, SCHEMA_MORE
        self.parser.formatter_class = _HelpFormatter

    def post_process_args(self, options: argparse.Namespace) -> argparse.Namespace:
        return super().post_process_args(options)

    def run(self) -> int:
        super().run()
        with open(os.path.join(DOCUMENTS, "policy.schema.json"), encoding="utf-8") as file:
            display.display(file.read().rstrip(), screen_only=True)
        return 0


if __name__ == "__main__":
    main()
