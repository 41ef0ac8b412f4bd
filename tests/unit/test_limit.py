# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a remedy limits a command to."""

from __future__ import annotations

import shlex
import stat
import tempfile
from pathlib import Path

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PrecheckError
from ansible_collections.precheck.guard.plugins.plugin_utils.guard.limit import (
    limit_to,
    pattern_of,
)

PLAIN = {
    "h1": "h1",
    "h1 h2.example.com 10.0.0.1 web_1-a": "h1,h2.example.com,10.0.0.1,web_1-a",
    "n" * 240: "n" * 240,
    "größe 主机": "'größe,主机'",
}
ODD = [
    ["web 1"],
    ["a,b"],
    ["a", "-x"],
    *([f"{char}h"] for char in "@!&~*?[]:-$'\"`"),
    ["2001:db8::1"],
    ["n" * 241],
    [f"node-{number}.example.com" for number in range(20)],
]


@pytest.mark.parametrize("names", PLAIN)
def test_few_plain_names_are_written_as_they_are(tmp_path, names):
    assert limit_to(names.split(), str(tmp_path)) == PLAIN[names]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("names", ODD, ids=lambda names: names[0][:9])
def test_other_names_get_a_file_that_only_its_owner_can_read(tmp_path, names):
    word = limit_to(names, str(tmp_path))
    [path] = tmp_path.iterdir()
    assert word == f"@{path}"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text().splitlines() == [pattern_of(name) for name in names]


PATTERNS = {
    "web 1": "web 1",
    "größe": "größe",
    "~x": "~x",
    "a!&": "a!&",
    "!x": r"~\U00000021x\Z",
    "&x.y": r"~\U00000026x\U0000002ey\Z",
    " x": r"~\U00000020x\Z",
    "x\u3000": r"~x\U00003000\Z",
    "x\ny": r"~x\U0000000ay\Z",
    "x\rü": r"~x\U0000000dü\Z",
}


@pytest.mark.parametrize("name", PATTERNS, ids=ascii)
def test_a_line_is_the_name_unless_ansible_core_would_take_it_apart(name):
    assert pattern_of(name) == PATTERNS[name]


@pytest.mark.parametrize("directory", ["with space", "with:colon", "it's"])
def test_a_comma_at_the_end_keeps_the_path_whole(tmp_path, directory):
    (tmp_path / directory).mkdir()
    [word] = shlex.split(limit_to(["web 1"], str(tmp_path / directory)))
    [path] = (tmp_path / directory).iterdir()
    assert word == f"@{path},"


@pytest.mark.parametrize("directory", ["", "missing", "with,comma"])
def test_the_file_is_temporary_where_no_directory_is_possible(tmp_path, monkeypatch, directory):
    (tmp_path / "with,comma").mkdir()
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    word = limit_to(["web 1"], str(tmp_path / directory) if directory else "")
    assert Path(word[1:]).parent == tmp_path / "temporary"


@pytest.mark.parametrize(
    ("directory", "reason"),
    [("missing", "No such file or directory"), ("with,comma", "whose path has no comma")],
)
def test_a_file_that_cannot_be_written_is_an_error(tmp_path, monkeypatch, directory, reason):
    (tmp_path / "with,comma").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / directory))
    with pytest.raises(PrecheckError, match=reason):
        limit_to(["web 1"], "")
