# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where things stand in a policy file, and what is wrong with its YAML before anything is made of it."""

from __future__ import annotations

from typing import Any

import yaml

NODES = 20_000  # values that a policy may have, those that aliases repeat counted each time


class TextError(Exception):
    """The text is not YAML that can be used. ``line`` is 0 where it is not known."""

    def __init__(self, message: str, line: int = 0) -> None:
        super().__init__(message)
        self.line = line


class _Loader(yaml.SafeLoader):
    """The tags of YAML itself, and those of Ansible."""


def _scalar(loader: _Loader, node: Any) -> Any:
    return loader.construct_scalar(node)


for _tag in ("!unsafe", "!vault", "!vault-encrypted"):
    _Loader.add_constructor(_tag, _scalar)


def lines(text: str) -> dict[tuple[str | int, ...], int]:
    """Return the line, counted from 1, of each value by its place: ``("rules", 0, "name")``.

    An entry of a mapping is at the line of its key. Raises TextError. This is done with PyYAML's own parser, and not with
    ansible-core's: that one only warns of a key that is there twice, and runs out of memory or stack on hostile text.
    """
    found: dict[tuple[str | int, ...], int] = {}
    try:
        loader = _Loader(text)
        root = loader.get_single_node()
        if root is not None:
            _walk(loader, root, (), found, [])
            loader.construct_document(root)
    except yaml.MarkedYAMLError as ex:
        mark = ex.problem_mark or ex.context_mark
        raise TextError(f"not valid YAML: {ex.problem or ex.context}", mark.line + 1 if mark else 0) from ex
    except yaml.reader.ReaderError as ex:
        raise TextError(f"not valid YAML: {ex.reason}", text.count("\n", 0, ex.position) + 1) from ex
    except RecursionError as ex:
        raise TextError("nested too deeply") from ex
    except TextError:
        raise
    except Exception as ex:  # as in _walk, of the tags for collections
        raise TextError(f"not valid YAML: {ex!r}") from ex
    return found


def _walk(
    loader: _Loader,
    node: yaml.Node,
    place: tuple[str | int, ...],
    found: dict[tuple[str | int, ...], int],
    within: list[yaml.Node],
) -> None:
    line = node.start_mark.line + 1
    found.setdefault(place, line)
    if len(found) > NODES:
        raise TextError(f"more than {NODES} values, with those that aliases repeat", line)
    if any(node is outer for outer in within):
        raise TextError("an alias of something that it is a part of", line)
    within.append(node)
    if isinstance(node, yaml.ScalarNode):
        try:
            loader.construct_object(node)
        except yaml.YAMLError:
            raise
        except Exception as ex:  # PyYAML lets through what Python raises, of a date that is none, say
            raise TextError(f"not valid YAML: {node.value!r} is not what it looks like", line) from ex
    elif isinstance(node, yaml.SequenceNode):
        for number, item in enumerate(node.value):
            _walk(loader, item, (*place, number), found, within)
    elif isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise TextError("a mapping or a list as a key: are there quotes around each template?", key.start_mark.line + 1)
            name = key.value
            if (*place, name) in found:
                raise TextError(f'the key "{name}" is there twice', key.start_mark.line + 1)
            found[(*place, name)] = key.start_mark.line + 1
            _walk(loader, value, (*place, name), found, within)
    within.pop()
