# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the values of a policy file stand in it, and what is wrong with its YAML.

PyYAML's own parser does this, and not ansible-core's, which only warns of duplicate keys and runs
out of memory or stack on hostile text.
"""

from __future__ import annotations

from typing import Any, Union

import yaml

from ..errors import PrecheckError

VALUES = 20_000  # that a policy may have; those that aliases repeat count each time

YamlPath = tuple[Union[str, int], ...]  # of a value: ("rules", 0, "name")
Lines = dict[YamlPath, int]  # counted from 1


class YamlError(PrecheckError):
    """The text is not YAML that can be used. ``line`` is 0 if it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Loader(yaml.SafeLoader):
    """Knows the tags of YAML itself, and those of Ansible."""


def _scalar(loader: _Loader, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag in ("!unsafe", "!vault", "!vault-encrypted"):
    _Loader.add_constructor(_tag, _scalar)


def lines_of(text: str) -> Lines:
    """Return the line of each value; for an entry of a mapping, its key's. Raises YamlError."""
    lines: Lines = {}
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None:
            _walk(loader, root, (), lines, [])
            loader.construct_document(root)
    except yaml.MarkedYAMLError as ex:
        mark = ex.problem_mark or ex.context_mark
        line = mark.line + 1 if mark else 0
        problem = ex.problem or ex.context
        if "alias" in f"{ex.context} {ex.problem}":
            problem = f"{problem}: does a glob begin with *? It needs quotes"
        raise YamlError(f"not valid YAML: {problem}", line) from None
    except yaml.reader.ReaderError as ex:
        line = text.count("\n", 0, ex.position) + 1
        raise YamlError(f"not valid YAML: {ex.reason}", line) from None
    except RecursionError:
        raise YamlError("nested too deeply") from None
    except YamlError:
        raise
    except Exception as ex:  # as in _walk, for the tags of collections
        raise YamlError(f"not valid YAML: {ex!r}") from None
    return lines


def line_at(path: YamlPath, lines: Lines) -> int:
    """Return the line of the value at ``path``, or of the nearest one that it is in."""
    while path and path not in lines:  # as for what a merge key brought in
        path = path[:-1]
    return lines.get(path, 1)


def _walk(
    loader: _Loader, node: yaml.Node, path: YamlPath, lines: Lines, ancestors: list[yaml.Node]
) -> None:
    line = node.start_mark.line + 1
    lines.setdefault(path, line)
    if len(lines) > VALUES:
        raise YamlError(f"more than {VALUES} values, with those that aliases repeat", line)
    if any(node is ancestor for ancestor in ancestors):
        raise YamlError("an alias of something that it is a part of", line)
    ancestors.append(node)
    if isinstance(node, yaml.ScalarNode):
        try:
            loader.construct_object(node)
        except yaml.YAMLError:
            raise
        except Exception:  # PyYAML lets errors of Python through, for an impossible date, say
            text = f"not valid YAML: {node.value!r} is not what it looks like"
            raise YamlError(text, line) from None
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(loader, item, (*path, number), lines, ancestors)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            key_line = key.start_mark.line + 1
            if not isinstance(key, yaml.ScalarNode):
                text = "a mapping or a list as a key: are there quotes around each template?"
                raise YamlError(text, key_line)
            if (*path, key.value) in lines:
                raise YamlError(f'the key "{key.value}" is there twice', key_line)
            lines[(*path, key.value)] = key_line
            _walk(loader, value, (*path, key.value), lines, ancestors)
    ancestors.pop()
