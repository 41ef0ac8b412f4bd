# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docs/troubleshooting.md has each message of the guard, and no other."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ansible
import pytest

from support.commands import REPOSITORY
from support.plugin_code import entry_points, modules

pytestmark = pytest.mark.one_release

DOCUMENT = (REPOSITORY / "docs/troubleshooting.md").read_text()
OF_ANSIBLE, _, OF_THE_GUARD = DOCUMENT.partition("\n## The run was stopped\n")
# A message begins with the name of the project, or is about an option of it.
BEGINS = re.compile(r"(\[WARNING\]: )?(Precheck|PRECHECK)[ :](?!\.*$)|the (option|variable) ")
REASONS = ("not_ready", "unverified")  # functions that make a verdict of a reason
# What the rest of an error of several lines, and the help of the command, begin with.
OTHER = ("Precheck stops a playbook before",)


def rows(text: str) -> list[str]:
    """Return the messages in the first column of the tables."""
    return re.findall(r"^\| `(.+?)` \|", text, re.MULTILINE)


def text_of(node: ast.AST) -> str:
    """Return a text in the code, with "..." for each value in it; empty if it is none."""
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    if isinstance(node, ast.JoinedStr):
        text = "".join(text_of(part) or "..." for part in node.values)
        return re.sub(r"\.\.\.( ?\.\.\.)+", "...", text)
    return ""


def messages() -> Iterator[str]:
    """Find the messages in the code of the plugins, and the reasons of verdicts."""
    for tree in [*modules().values(), *entry_points().values()]:
        parts = {
            id(part)
            for node in ast.walk(tree)
            if isinstance(node, ast.JoinedStr)
            for part in node.values
        }
        for node in ast.walk(tree):
            text = text_of(node) if id(node) not in parts else ""
            if BEGINS.match(text) and not text.startswith(OTHER):
                yield text
            if isinstance(node, ast.Call) and ast.unparse(node.func) in REASONS:
                yield from filter(has_words, map(text_of, node.args))


def has_words(text: str) -> bool:
    return bool(re.search("[a-z]{3}", text))


def fits(row: str, message: str) -> bool:
    """Return whether the row can be the message: "..." in a message stands for any text."""
    pattern = ".*".join(map(re.escape, message.split("...")))
    return bool(re.fullmatch(pattern, row))


def docstrings() -> set[str]:
    return {
        ast.get_docstring(node, clean=False) or ""
        for tree in [*modules().values(), *entry_points().values()]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
    }


MESSAGES = sorted(set(messages()) - docstrings())


def test_the_messages_are_found():
    assert len(MESSAGES) > 50


@pytest.mark.parametrize("message", MESSAGES)
def test_each_message_of_the_guard_is_explained(message):
    assert [row for row in rows(OF_THE_GUARD) if fits(row, message)], message


@pytest.mark.parametrize("row", rows(OF_THE_GUARD))
def test_each_message_that_is_explained_is_in_the_code(row):
    code = [*MESSAGES, *chosen_reasons()]
    assert [message for message in code if fits(row, message)], row


def chosen_reasons() -> list[str]:
    """Return the texts of those modules that choose a reason from several."""
    trees = [modules()[name] for name in ("checks/path", "checks/command", "checks/task")]
    texts = [text_of(node) for tree in trees for node in ast.walk(tree)]
    return [text for text in texts if " " in text and has_words(text)]


@pytest.mark.parametrize("row", rows(OF_ANSIBLE))
def test_each_message_of_ansible_core_is_in_its_code(row):
    package = Path(str(ansible.__file__)).parent
    code = "".join(path.read_text() for path in sorted(package.rglob("*.py")))
    lacking = [part for part in re.split(r"'?\.\.\.'?", row) if part not in code]
    assert lacking == []
