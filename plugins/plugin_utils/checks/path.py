# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The check kind ``path``: a path exists on the host, and is as required."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ansible.errors import AnsibleFileNotFound
from ansible.parsing.dataloader import DataLoader
from ansible.utils.hashing import secure_hash

from ..errors import PrecheckError, TemplateError
from ..policy import values
from ..policy.model import Check
from ..policy.reader import Source
from ..policy.values import ValueType
from ..templates import is_template, value_of
from ..verdict import Verdict, not_ready, ready, unverified
from .kind import Means
from .script import YES, Answer, PathQuestion, forbidden_bits

if TYPE_CHECKING:
    from .context import HostContext, HostVariables

MEANS: Means = "shell"

KEYS: Mapping[str, ValueType] = {
    "path": values.template,
    "type": values.choice("file", "directory"),
    "mode": values.mode,
    "owner": values.template,
    "group": values.template,
    "same_as": values.template,
}


@dataclass(frozen=True)
class PathSpec:
    """What a check requires of a ``path``. All but ``type`` and ``directory`` are templates.

    ``mode`` has the permissions in octal that it must not exceed; ``same_as`` is the control node's
    file with the same content, an absolute path unless it is a template; empty strings require
    nothing. ``directory`` is that of the policy file.
    """

    path: str
    type: str = ""
    mode: str = ""
    owner: str = ""
    group: str = ""
    same_as: str = ""
    directory: str = ""


def parse(entry: Mapping[str, Any], source: Source) -> PathSpec:
    # A task of a user has the values that templates made, and these are what they are.
    if source.directory and (why := _why_no_path(entry["path"])):
        source.report(("path",), f"path: {entry['path']!r} is no path of a host: {why}")
    same_as = entry.get("same_as", "")
    if same_as and not is_template(same_as):
        try:
            same_as = find_on_control_node(same_as, source.directories, source.loader)
        except PrecheckError as ex:
            source.report(("same_as",), f"same_as: {ex}")
    options = {key: entry[key] for key in KEYS if key in entry}
    return PathSpec(**(options | {"same_as": same_as, "directory": source.directory}))


def _why_no_path(path: str) -> str:
    """Return what would be taken literally in a path that was meant otherwise; empty if nothing."""
    literal = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "{}", path, flags=re.DOTALL)
    if literal.startswith("~"):
        return "~ is not expanded; write the home directory"
    if re.search(r"\$(\w|\{)", literal):
        return "variables of a shell are not expanded; write the value, or a template"
    if re.search(r"[*?]|\[.+\]", literal):
        return "globs are not expanded; use a command, or {{ '*' }} for the character itself"
    if not literal.startswith(("/", "{}")):
        return "it is not absolute"
    return ""


def label(spec: PathSpec) -> str:
    return spec.path


def probe(check: Check, host: HostVariables) -> PathQuestion:
    """Return the question for the host's shell. Raises PrecheckError if a value is no good."""
    spec: PathSpec = check.spec
    path = host.rendered(spec.path)
    if not path or "\0" in path:
        raise TemplateError("it is not a path")
    return PathQuestion(
        path=_root(host) + path,
        type=spec.type,
        mode=_mode(spec, host),
        owner=_user_or_group("owner", spec.owner, host),
        group=_user_or_group("group", spec.group, host),
        digest=_digest(spec, host),
    )


def _root(host: HostVariables) -> str:
    """Return the directory that stands for the host's root: only local connections can have one."""
    root = host.variables.get("precheck_root") if host.is_local else None
    # It is a variable, and no template of the policy: Ansible's rules of trust decide about it.
    return str(value_of(root, host.variables, host.loader)) if root else ""


def _mode(spec: PathSpec, host: HostVariables) -> str:
    if not spec.mode:
        return ""
    mode = host.rendered(spec.mode)
    if not mode:
        raise TemplateError("its mode is empty")
    if not re.fullmatch("[0-7]{1,5}", mode):
        raise TemplateError("its mode is not an octal number")
    return mode


def _user_or_group(key: str, template: str, host: HostVariables) -> str:
    if not template:
        return ""
    value = host.rendered(template)
    if not value:
        raise TemplateError(f"its {key} is empty")
    # find takes "00" for an id, and the stat module does not have it.
    return str(int(value)) if re.fullmatch("[0-9]+", value) else value


def _digest(spec: PathSpec, host: HostVariables) -> str:
    if not spec.same_as:
        return ""
    name = host.rendered(spec.same_as)
    directories = [spec.directory, *host.directories]
    return host.digests.get(name) or digest_of(name, directories, host.loader)


def judge(
    check: Check, question: PathQuestion, answer: Answer | None, host: HostContext
) -> Verdict:
    """Return the verdict. If the shell's answer is not a plain yes, the stat module decides."""
    word = answer.word if answer else ""
    if word == YES:
        return ready()
    shown, same_as = _shown(check, question, host)
    stat, reason = None, host.node.trouble
    # The module would expand variables and a tilde in a path, and there is no way to prevent it.
    if "$" not in question.path and not question.path.startswith("~"):
        result = host.node.stat(question.path, bool(question.digest), check.become)
        stat = result.values
        # Otherwise neither ran, and the shell's reason is the plainer one.
        if stat is not None or answer or not reason:
            reason = result.reason
    if stat:
        return _verdict_by_stat(question, stat, shown, same_as)
    if stat is not None or word in ("", "unknown"):
        return unverified(f"cannot tell whether {shown.path} exists: {reason}")
    return not_ready(f"{_reason(word, shown, same_as)} (as far as its shell can tell)")


def _verdict_by_stat(
    question: PathQuestion, stat: Mapping[str, Any], shown: PathQuestion, same_as: str
) -> Verdict:
    """Return the verdict by the values of the stat module. It is as strict as the shell's tests."""
    word = _what_is_wrong(question, stat)
    if word == "unreadable":
        return unverified(f"cannot read {shown.path} to compare it with {same_as}")
    return not_ready(_reason(word, shown, same_as)) if word else ready()


def _shown(check: Check, question: PathQuestion, host: HostContext) -> tuple[PathQuestion, str]:
    """Return the question as it may be printed, and the file with the same content."""
    if not check.alias:
        return question, _path_to_compare(check.spec, host)
    shown = replace(
        question,
        path=check.alias,
        mode="allowed",
        owner="the required user",
        group="required",
    )
    return shown, "the file on the control node"


def _path_to_compare(spec: PathSpec, host: HostContext) -> str:
    """Return the path of the file with the same content, where it was found."""
    name = host.rendered_or_as_it_is(spec.same_as)
    if not is_template(spec.same_as):
        return name
    try:
        return find_on_control_node(name, [spec.directory, *host.directories], host.loader)
    except PrecheckError:  # it is gone by now
        return name


def _what_is_wrong(question: PathQuestion, stat: Mapping[str, Any]) -> str:
    """Return the word for the first unmet requirement, in the order of the shell's tests."""
    digest = stat.get("checksum")
    too_much = question.mode and any(
        int(stat.get("mode", "0"), 8) & bit for bit in forbidden_bits(question.mode)
    )
    findings = {
        "missing": not stat.get("exists"),
        "type": question.type
        and not stat.get("isdir" if question.type == "directory" else "isreg"),
        "mode": too_much,
        "owner": question.owner
        and question.owner not in (stat.get("pw_name"), str(stat.get("uid"))),
        "group": question.group
        and question.group not in (stat.get("gr_name"), str(stat.get("gid"))),
        "unreadable": question.digest and stat.get("isreg") and not digest,
        "content": question.digest and digest != question.digest,
    }
    return next((word for word, is_so in findings.items() if is_so), "")


def _reason(word: str, question: PathQuestion, same_as: str) -> str:
    path = question.path
    return {
        "missing": f"{path} is missing",
        "type": f"{path} is not a {question.type}",
        "mode": f"{path} has more permissions than {question.mode}",
        "owner": f"{path} does not belong to {question.owner}",
        "group": f"{path} does not belong to the group {question.group}",
        "content": f"{path} exists, but it is not this installation's: its content differs from"
        f" {same_as}",
    }[word]


def known_digests(checks: Iterable[Check], loader: DataLoader) -> dict[str, str]:
    """Return the digests of the files that ``same_as`` of checks names without a template, by path.

    Raises AnsibleError.
    """
    specs = [check.spec for check in checks if isinstance(check.spec, PathSpec)]
    names = {spec.same_as for spec in specs if spec.same_as and not is_template(spec.same_as)}
    return {name: digest_of(name, [], loader) for name in names}


def digest_of(name: str, directories: Sequence[str], loader: DataLoader) -> str:
    """Return the SHA-256 in hex of the control node's file ``name``. Raises AnsibleError."""
    path = find_on_control_node(name, directories, loader)
    # It decrypts a vaulted file into another one. Until 2.11 ansible-core may end with an error
    # if such files are left to its end.
    readable = loader.get_real_file(path)
    try:
        digest: str = secure_hash(readable, hash_func=hashlib.sha256)
    finally:
        loader.cleanup_tmp_file(readable)
    return digest


def find_on_control_node(name: str, directories: Sequence[str], loader: DataLoader) -> str:
    """Return the path of the control node's file ``name``. Raises PrecheckError.

    It is looked for like the source of a copy task: in each of ``directories`` and in its
    subdirectory ``files``.
    """
    try:
        path: str = loader.path_dwim_relative_stack(list(directories), "files", name)
    except AnsibleFileNotFound:
        path = ""
    if not path or not os.path.isfile(path):
        looked_in = ", ".join(dict.fromkeys(directories))
        text = f"there is no file {name} on the control node, looked for in {looked_in}"
        raise PrecheckError(text)
    return path
