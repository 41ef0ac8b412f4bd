# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Renders pages of HTML. Their templates are beside this file.

Texts of reports come from nodes. They are escaped, stripped of what cannot be printed, and never
templated; none of them is put into the style or the script, whose digests the page's content
security policy has. Data for a script is in an element of its own, which no browser runs.
"""

from __future__ import annotations

import json
import os
from base64 import b64encode
from hashlib import sha256
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from ..text import printable_lines

# What could end the element that has the data, or begin another one.
_ESCAPES = {ord(char): f"\\u{ord(char):04x}" for char in "<>&"}


def render(template: str, **values: Any) -> str:
    """Return the page of a template, to be written as UTF-8."""
    environment = Environment(
        autoescape=True,
        finalize=_printable,
        loader=FileSystemLoader(os.path.dirname(__file__)),
        lstrip_blocks=True,
        trim_blocks=True,
        undefined=StrictUndefined,
    )
    environment.filters.update(digest=_digest, data=_data)
    return environment.get_template(template).render(**values)


def _printable(value: Any) -> Any:
    """Return what the page shows for a value: no control characters, no marks of direction."""
    if isinstance(value, str) and not hasattr(value, "__html__"):
        return "\n".join(printable_lines(value))
    return value


def _digest(source: str) -> str:
    return "sha256-" + b64encode(sha256(source.encode()).digest()).decode()


def _data(value: Any) -> Markup:
    """Return a value as JSON for a script."""
    return Markup(json.dumps(value, separators=(",", ":")).translate(_ESCAPES))
