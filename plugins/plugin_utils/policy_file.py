# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""From a policy file to rules, or to all that is wrong with it. Its structure is judged by ansible-core's
ArgumentSpecValidator; what that cannot know (the types are stricter than those of module arguments, expressions must
parse, a task must load) is added here.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.parsing.convert_bool import BOOLEANS, boolean
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.utils.fqcn import add_internal_fqcns

from . import compat, policy_text
from . import policy_values as values
from .policy import COMMAND, ERROR, KINDS, PATH, TASK, TASK_KEYWORDS, THAT, WARN, Check, Rule, Selector

SIZE = 256 * 1024  # bytes that a policy file may have
PATH_OPTIONS = ("type", "mode", "owner", "group", "same_as")

# They change what the run goes on with, or are handled by the strategy and not by the host.
_NOT_CHECKS = add_internal_fqcns(
    "add_host async_status group_by import_playbook import_role import_tasks include include_role include_tasks include_vars"
    " meta pause set_fact set_stats".split()
)


@dataclass(frozen=True)
class Problem:
    """What is wrong with a policy, and where: ``path`` is empty where it is in no file, ``line`` is 0 where it is in no line."""

    text: str
    path: str = ""
    line: int = 0

    def __str__(self) -> str:
        return ": ".join(filter(None, [f"{self.path}:{self.line}" if self.line else self.path, self.text]))


class PolicyError(AnsibleError):
    """A policy cannot be used. Its message has a line for each problem."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("\n  ".join(["Precheck cannot use its policy, so nothing was run:", *map(str, problems)]))
        self.problems = tuple(problems)


def read(path: str, loader: DataLoader, base: str) -> tuple[Rule, ...]:
    """Return the rules of the policy file at ``path``.

    ``base`` is the playbook's folder, where files that ``same_as`` names may be. Raises PolicyError, which tells all
    that is wrong with the file.
    """
    try:
        lines = policy_text.lines(_text(path, loader))
        data = compat.load_yaml(loader, path)
    except policy_text.TextError as ex:
        raise PolicyError([Problem(str(ex), path, ex.line)]) from ex
    except (AnsibleError, OSError) as ex:
        raise PolicyError([Problem(_first_line(ex), path)]) from ex
    reader = _Reader(path, lines, loader, [os.path.dirname(path), base])
    rules = reader.rules(data)
    if reader.problems:
        raise PolicyError(sorted(reader.problems, key=lambda problem: problem.line))
    return rules


def read_checks(args: Mapping[str, Any], loader: DataLoader, folders: list[str], become: bool) -> list[Check]:
    """Return the checks that the arguments of a ``precheck.guard.check`` task of a user ask for: those under the key
    ``checks``, or the one that they are themselves. ``become`` is for those that do not say. Raises PolicyError.
    """
    reader = _Reader("", {}, loader, folders)
    entries = args["checks"] if set(args) == {"checks"} else [args]
    checks = []
    for number, entry in enumerate(entries if isinstance(entries, list) else [entries]):
        check = entry
        if isinstance(entry, Mapping):
            check = {"become": become} | {key: _from_text(key, value) for key, value in entry.items()}
        checks.append(reader.read_check(check, (number,), (PATH, COMMAND, THAT)))
    if reader.problems:
        raise PolicyError(reader.problems)
    return [check for check in checks if check]


def _from_text(key: str, value: Any) -> Any:
    # Arguments can come as text only: from ansible -a, and out of templates.
    if isinstance(value, str) and key == "become":
        return boolean(value) if value.lower() in BOOLEANS else value
    return int(value) if key == "timeout" and isinstance(value, str) and value.isdigit() else value


def find_same_as(name: str, folders: list[str], loader: DataLoader) -> str:
    """Return the path of the control node's file that ``same_as`` names, looked for like the source of a copy task: in
    each of ``folders`` and in its subfolder ``files``. Raises AnsibleError when there is none.
    """
    try:
        found = loader.path_dwim_relative_stack(folders, "files", name)
    except AnsibleFileNotFound:
        found = ""
    if not found or not os.path.isfile(found):
        raise AnsibleError(f"there is no file {name} on the control node, looked for in {', '.join(dict.fromkeys(folders))}")
    return found


def _text(path: str, loader: DataLoader) -> str:
    if not os.path.exists(path):
        raise AnsibleError("there is no such file")
    if not os.path.isfile(path):
        raise AnsibleError("is not a file (is the option that names it empty?)")
    if os.path.getsize(path) > SIZE:
        raise AnsibleError(f"is larger than {SIZE // 1024} KiB")
    data, _show_content = loader._get_file_contents(path)  # decrypts, where the file is vaulted
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as ex:
        raise AnsibleError("is not UTF-8 text") from ex


def _first_line(ex: Exception) -> str:
    return next(iter(str(ex).strip().splitlines()), type(ex).__name__)


class _Reader:
    """Makes rules out of the data of one file, and collects the ``problems`` in it. ``path`` is empty for data from elsewhere."""

    def __init__(self, path: str, lines: dict[tuple[str | int, ...], int], loader: DataLoader, folders: list[str]) -> None:
        self.path, self.lines, self.loader, self.folders = path, lines, loader, folders
        self.problems: list[Problem] = []
        self._rule = ""

    def problem(self, place: tuple[str | int, ...], text: str) -> None:
        self.problems.append(Problem(self._rule + text, self.path, self._line(place) if self.path else 0))

    def _line(self, place: tuple[str | int, ...]) -> int:
        while place and place not in self.lines:  # as for what a merge key brought in
            place = place[:-1]
        return self.lines.get(place, 1)

    def rules(self, data: Any) -> tuple[Rule, ...]:
        if data is None:
            self.problem((), "the file is empty: expected the key rules, with a list of rules")
            return ()
        spec = {"rules": {"type": values.entries, "required": True}}
        if not self._valid(data, (), "the file", spec):
            return ()
        rules = []
        names: dict[str, int] = {}
        for number, entry in enumerate(data["rules"]):
            place = ("rules", number)
            name = entry.get("name") if isinstance(entry, Mapping) else None
            has_name = isinstance(name, str) and name.strip() and name.isprintable()
            self._rule = f"rule {name}: " if has_name else f"rule number {number + 1}: "
            rule = self._read_rule(entry, place)
            if rule and rule.name in names:
                self.problem((*place, "name"), f"there is a rule of this name already, at line {names[rule.name]}")
            elif rule:
                names[rule.name] = rule.line
                rules.append(rule)
        return tuple(rules)

    def _read_rule(self, entry: Any, place: tuple[str | int, ...]) -> Rule | None:
        spec: dict[str, dict[str, Any]] = {
            "name": {"type": values.name, "required": True},
            "plays": {"type": values.entries, "required": True},
            "when": {"type": values.conditions},
            "checks": {"type": values.entries, "required": True},
            "message": {"type": values.template},
            "remedy": {"type": values.template},
            "severity": {"type": values.text, "choices": [ERROR, WARN]},
            "mandatory": {"type": values.flag},
        }
        before = len(self.problems)
        valid = self._valid(entry, place, "a rule", spec)
        if not isinstance(entry, Mapping):
            return None
        parts: dict[str, list[Any]] = {}
        for key, read_part in (("plays", self._read_selector), ("checks", self.read_check)):
            items = entry.get(key)
            items = items if isinstance(items, list) else []
            parts[key] = [read_part(item, (*place, key, number)) for number, item in enumerate(items)]
        if not valid or len(self.problems) > before:
            return None
        return Rule(
            name=str(entry["name"]),
            plays=tuple(parts["plays"]),
            checks=tuple(parts["checks"]),
            when=values.conditions(entry.get("when", [])) if "when" in entry else (),
            message=entry.get("message", ""),
            remedy=entry.get("remedy", ""),
            severity=entry.get("severity", ERROR),
            mandatory=entry.get("mandatory", False),
            path=self.path,
            line=self._line(place),
        )

    def _read_selector(self, entry: Any, place: tuple[str | int, ...]) -> Selector | None:
        keys = ("playbook", "play", "role", "tag")
        spec = {key: {"type": values.path_globs if key == "playbook" else values.globs} for key in keys}
        if not self._valid(entry, place, "an entry of plays", spec, required_one_of=[keys]):
            return None
        return Selector(**{key: values.globs(value) for key, value in entry.items()})

    def read_check(self, entry: Any, place: tuple[str | int, ...], kinds: tuple[str, ...] = KINDS) -> Check | None:
        spec: dict[str, dict[str, Any]] = {
            "path": {"type": values.template},
            "command": {"type": values.command},
            "that": {"type": values.conditions},
            "task": {"type": values.mapping},
            "name": {"type": values.name},
            "message": {"type": values.template},
            "timeout": {"type": values.seconds},
            "become": {"type": values.flag},
            "type": {"type": values.text, "choices": ["file", "directory"]},
            "mode": {"type": values.mode},
            "owner": {"type": values.template},
            "group": {"type": values.template},
            "same_as": {"type": values.template},
            "once": {"type": values.flag},
        }
        if TASK not in kinds:  # outside of a policy there are better ways to run a task, or to evaluate once
            del spec["task"], spec["once"]
        needs = {option: [PATH] for option in PATH_OPTIONS} | {"once": [THAT]}
        rules: dict[str, Any] = {"required_one_of": [kinds], "mutually_exclusive": [kinds], "required_by": needs}
        if not self._valid(entry, place, "a check", spec, **rules):
            return None
        [kind] = set(kinds) & set(entry)
        value = entry[kind]
        if kind == TASK:
            self._check_task(value, (*place, TASK))
        same_as = entry.get("same_as", "")
        if same_as and not values.is_template(same_as):
            try:
                same_as = find_same_as(same_as, self.folders, self.loader)
            except AnsibleError as ex:
                self.problem((*place, "same_as"), f"same_as: {ex.message}")
        if kind == THAT:
            value = values.conditions(value)
        elif kind == COMMAND and not isinstance(value, str):
            value = tuple(value)
        options = {key: entry[key] for key in ("name", "message", "timeout", "become", "once", *PATH_OPTIONS) if key in entry}
        options |= {"same_as": same_as, "folder": os.path.dirname(self.path), "line": self._line(place)}
        return Check(kind=kind, value=value, **options)

    def _check_task(self, task: Mapping[str, Any], place: tuple[str | int, ...]) -> None:
        for key in task:
            if key in ("action", "local_action") or (key in Task.fattributes and key not in TASK_KEYWORDS):
                self.problem((*place, key), f"task: the keyword {key} cannot be used in a check")
                return
        for key in ("changed_when", "failed_when", "until"):
            try:
                values.conditions(task.get(key, True))
            except (TypeError, ValueError) as ex:
                self.problem((*place, key), f"task: {key}: {ex}")
        modules = [key for key in task if key not in TASK_KEYWORDS]
        if len(modules) != 1:
            found = f"found {' and '.join(modules)}" if modules else "found none"
            self.problem(place, f"task: expected one module, {found}")
        elif modules[0] in _NOT_CHECKS:
            self.problem((*place, modules[0]), f"task: {modules[0]} cannot be used in a check")
        else:
            try:
                Task.load(dict(task), loader=self.loader)
            except Exception as ex:  # not only AnsibleError, where the values are of odd types
                self.problem((*place, modules[0]), f"task: {_first_line(ex)}")

    def _valid(self, entry: Any, place: tuple[str | int, ...], what: str, spec: dict[str, dict[str, Any]], **more: Any) -> bool:
        """Return whether ``entry`` is a mapping as ``spec`` says, having told all that is wrong with it."""
        if not isinstance(entry, Mapping):
            self.problem(place, f"{what}: expected a mapping, not {values.kind_of(entry)}")
            return False
        if odd := [key for key in entry if not isinstance(key, str)]:
            self.problem(place, f"{what}: expected text for a key, not {values.kind_of(odd[0])} ({odd[0]!r})")
            return False
        before = len(self.problems)
        known = ", ".join(spec)
        for key in [key for key in entry if key not in spec]:
            self.problem((*place, key), f"{what}: unknown key {key!r}: expected {known}")
        parameters = {key: value for key, value in entry.items() if key in spec}
        told = set()
        for key in [key for key, value in parameters.items() if value is None]:  # the validator takes it for not being there
            try:
                spec[key]["type"](None)
            except TypeError as ex:
                told.add(key)
                self.problem((*place, key), f"{key}: {ex}")
        for error in ArgumentSpecValidator(spec, **more).validate(parameters).errors:
            text = str(error)
            key = next((key for key in parameters if text.startswith(f"argument '{key}'")), None)
            key = key or next((key for key in parameters if text.startswith(f"value of {key} ")), None)
            if key in told:
                continue
            if key:
                told.add(key)
            # The validator's own words are about converting: what was expected is after them.
            text = re.sub(r"^argument '\w+' is of type .* and we were unable to convert to \w+: ", f"{key}: ", text)
            text = re.sub(r"^missing required arguments: ", "missing: ", text)
            text = re.sub(r"^one of the following is required: ", "expected one of ", text)
            text = re.sub(r"^parameters are mutually exclusive: ", "expected only one of ", text)
            text = re.sub(r"^missing parameter\(s\) required by '(\w+)': ", r"\1 needs ", text)
            self.problem((*place, key) if key else place, text if key else f"{what}: {text}")
        return len(self.problems) == before
