# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What templates and conditions make of variables, as ansible-core renders them for a task."""

from __future__ import annotations

import contextlib
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Literal

from ansible.parsing.dataloader import DataLoader
from ansible.playbook.task import Task
from ansible.plugins.loader import filter_loader, test_loader
from ansible.template import Templar
from ansible.utils.display import Display

from .errors import TemplateError

try:
    from ansible.template import is_trusted_as_template  # since 2.19
except ImportError:

    def is_trusted_as_template(value: object) -> bool:
        return True


def is_template(text: str) -> bool:
    """Return whether Ansible would make something else of the ``text``."""
    return any(mark in text for mark in ("{{", "{%", "{#"))


def holds(condition: str | bool, variables: dict[str, Any], loader: DataLoader) -> bool:
    """Return whether a ``condition`` of a ``when`` holds for a task with these ``variables``.

    Raises TemplateError where the task would fail on it (an undefined variable, say).
    """
    task: Any = Task()  # its methods differ between releases
    task.set_loader(loader)
    try:
        with _no_unraisable_errors():
            if hasattr(task, "_resolve_conditional"):  # since 2.19
                return bool(task._resolve_conditional([condition], variables))
            task.when = [condition]
            templar = Templar(loader=loader, variables=variables)
            return bool(task.evaluate_conditional(templar, variables))
    except Exception as ex:  # filters and tests raise what they like
        raise TemplateError(_reason(ex, condition)) from None


def rendered(template: str, variables: dict[str, Any], loader: DataLoader) -> str:
    """Return the text that ``template`` makes of these ``variables``. Raises TemplateError.

    The template must be trusted: since 2.19 ansible-core returns any other as it is. What comes
    from a file by ``load_yaml`` is trusted. ``str()``, ``format()`` and slices drop the trust,
    which is a mistake of the caller: raises TypeError.
    """
    if is_template(template) and not is_trusted_as_template(template):
        raise TypeError("a template lost its trust on the way to be rendered")
    value = value_of(template, variables, loader)
    return value if isinstance(value, str) else str(value)


def value_of(template: Any, variables: dict[str, Any], loader: DataLoader) -> Any:
    """Return what ``template``, or a list or mapping with templates, makes of these ``variables``.

    Raises TemplateError. A template that is not trusted is returned as it is, like ansible-core
    does.
    """
    try:
        with _no_unraisable_errors():
            return Templar(loader=loader, variables=variables).template(template)
    except Exception as ex:
        raise TemplateError(_reason(ex, template)) from None


@contextlib.contextmanager
def _no_unraisable_errors() -> Iterator[None]:
    """Keep Python from printing errors of generators that it drops after an endless recursion."""
    hook, sys.unraisablehook = sys.unraisablehook, lambda unraisable: None
    try:
        yield
    finally:
        sys.unraisablehook = hook


_NAME = r"(?P<name>[^'\"\n]{1,80})"


# What errors of Jinja and of ansible-core say about a name. Until 2.18 they have the last form.
_ABOUT_NAMES = (
    rf"has no attribute '{_NAME}'",
    rf"(?:No|Could not find) (?:filter|test) named '{_NAME}'",
    rf"Could not load \"{_NAME}\"",
)


def _reason(ex: Exception, source: object) -> str:
    """Return what may be printed of an error in the template or condition ``source``.

    A name that ``source`` has is no secret, and neither is the name of an undefined variable. All
    other text can hold values of variables: ``table[password]`` has no attribute of that name.
    """
    text = str(ex)
    if undefined := re.search(rf"'{_NAME}' is undefined|[Rr]ecursive loop detected", text):
        return undefined[0]
    for pattern in _ABOUT_NAMES:
        match = re.search(pattern, text)
        if match and match["name"] in str(source):
            return match[0]
        if match:
            Display().vvv(f"Precheck: {text}")
            return "a variable that it uses has no such key or attribute"
    Display().vvv(f"Precheck: {text}")
    return "it fails (-vvv shows how)"


FilterOrTest = Literal["filter", "test"]


def exists(kind: FilterOrTest, name: str) -> bool:
    """Return whether a template would find the filter or the test."""
    try:
        return _plugin_of_templates(kind, name) is not None
    except Exception:  # of several types, if there is no such collection
        return False


def filter_function(name: str) -> Callable[..., Any]:
    """Return the function that is the filter of this name."""
    found: Any = _plugin_of_templates("filter", name)
    function: Callable[..., Any] = getattr(found, "j2_function", found)
    return function


def _plugin_of_templates(kind: FilterOrTest, name: str) -> object:
    loader: Any = filter_loader if kind == "filter" else test_loader
    if hasattr(loader, "get_contained_plugins"):  # since 2.14 loaders know them by name
        plugin: object = loader.get(name)
        return plugin
    for file in loader.all():
        of_file: Mapping[str, object] = getattr(file, f"{kind}s")()
        if name in of_file:
            return of_file[name]
    of_collections: Mapping[str, object] = getattr(Templar(DataLoader()).environment, f"{kind}s")
    return of_collections[name]
