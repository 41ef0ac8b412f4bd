# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A file is written completely or not at all, and only a report is read as one."""

from __future__ import annotations

import errno
import json
import os
import stat

import pytest
from ansible.errors import AnsibleError
from ansible_collections.precheck.guard.plugins.plugin_utils.report import files, stored
from ansible_collections.precheck.guard.plugins.plugin_utils.report.earlier import earlier_report
from ansible_collections.precheck.guard.plugins.plugin_utils.report.record import Record

from support.report_documents import document, few, rule, verdict
from support.reports import SCHEMA

pytestmark = pytest.mark.one_release


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_read_a_file_that_replaces_another(tmp_path):
    path = tmp_path / "report.json"
    files.write_atomically(str(path), "whole: größe \udc80\n")
    assert path.read_text() == "whole: größe \\udc80\n"
    assert mode(path) == 0o600
    path.chmod(0o644)
    files.write_atomically(str(path), "new")
    assert (path.read_text(), mode(path)) == ("new", 0o600)
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("broken", ["write", "fchmod", "replace"])
def test_a_failure_leaves_the_earlier_file(tmp_path, mocker, broken):
    path = tmp_path / "report.json"
    path.write_text("before")
    error = OSError(errno.ENOSPC, "no space")
    if broken == "write":
        opened = mocker.patch("builtins.open")
        opened.return_value.__enter__.return_value.write.side_effect = error
    else:
        mocker.patch.object(os, broken, side_effect=error)
    with pytest.raises(AnsibleError, match=r"/report\.json: no space$"):
        files.write_atomically(str(path), "after")
    mocker.stopall()
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_document_that_cannot_be_made_is_a_warning_and_leaves_the_earlier_file(tmp_path, mocker):
    path = tmp_path / "report.json"
    path.write_text("before")
    mocker.patch.object(files, "report_path", return_value=str(path))
    mocker.patch.object(files, "current_document", return_value={"key": object()})
    warned = mocker.patch.object(files.display, "warning")
    files.write_report(Record(), {}, lambda hosts: {})
    [call] = warned.call_args_list
    assert call.args[0].startswith("Precheck could not write its report: ")
    assert path.read_text() == "before"


@pytest.mark.claims("Precheck refuses to replace a link or a device.")
def test_directories_are_not_created_and_only_regular_files_are_replaced(tmp_path):
    with pytest.raises(AnsibleError, match=r"/new/report\.json: No such file or directory"):
        files.write_atomically(str(tmp_path / "new/report.json"), "text")
    pipe, link, dangling = tmp_path / "pipe", tmp_path / "link", tmp_path / "dangling"
    os.mkfifo(pipe)
    link.symlink_to(__file__)
    dangling.symlink_to("nowhere")
    for path in (tmp_path, pipe, link, dangling):
        with pytest.raises(AnsibleError, match="is not a regular file"):
            files.write_atomically(str(path), "text")
    assert set(tmp_path.iterdir()) == {pipe, link, dangling}


VERDICT = verdict("h1", "a")
REPORT = document([rule("a")], [VERDICT])

NOT_JSON, OTHER_JSON = "it is not JSON", "it is not a report of Precheck"
DAMAGED = "it is a report of Precheck, but a damaged one"
NO_REPORTS = {
    "empty": ("", NOT_JSON),
    "brace": ("{", NOT_JSON),
    "binary": ("\x00\xff", NOT_JSON),
    "deep": ("[" * 100000, NOT_JSON),
    "list": ("[]", OTHER_JSON),
    "number": ("7", OTHER_JSON),
    "another mapping": ('{"format": 1, "verdicts": []}', OTHER_JSON),
    "format 2": (REPORT | {"format": 2}, "it is of format 2, and this Precheck knows 1"),
    "format is a list": (
        REPORT | {"format": ["\x1b"]},
        "it is of format ['\\x1b'], and this Precheck knows 1",
    ),
    "no start": (REPORT | {"started": None}, DAMAGED),
    "no time": (REPORT | {"started": "2026-13-01T00:00:00Z"}, DAMAGED),
    "no rules": ({key: REPORT[key] for key in REPORT if key != "rules"}, DAMAGED),
    "changes are a list": (REPORT | {"changes": []}, DAMAGED),
    "verdicts are a mapping": (REPORT | {"verdicts": {}}, DAMAGED),
    "verdict is text": (REPORT | {"verdicts": ["h1"]}, DAMAGED),
    "host is a number": (REPORT | {"verdicts": [VERDICT | {"host": 7}]}, DAMAGED),
    "unknown verdict": (REPORT | {"verdicts": [VERDICT | {"verdict": "well"}]}, DAMAGED),
}


@pytest.mark.parametrize("report", [REPORT, few()], ids=["small", "few"])
def test_a_report_is_read(tmp_path, report):
    path = tmp_path / "report.json"
    path.write_text(json.dumps(report))
    assert earlier_report(str(path)) == report


def keys(schema):
    """Return the required keys of a JSON schema, and of what they contain, as a shape has them."""
    for one in [schema, *schema.get("allOf", ())]:
        if name := one.get("$ref", "").rpartition("/")[2]:
            return keys(SCHEMA["definitions"][name])
    if "items" in schema:
        return [keys(schema["items"])]
    return {key: keys(one) for key, one in schema.get("properties", {}).items()} or None


def keys_in(shape):
    if isinstance(shape, list):
        return [keys_in(shape[0])]
    return {key: keys_in(one) for key, one in shape.items()} if isinstance(shape, dict) else None


def test_each_key_of_the_schema_is_expected_in_a_report():
    assert keys_in(stored.SHAPE) == keys(SCHEMA)


@pytest.mark.parametrize(("content", "why"), NO_REPORTS.values(), ids=NO_REPORTS)
def test_a_file_that_is_not_a_report_is_refused(tmp_path, content, why):
    path = tmp_path / "report.json"
    text = content if isinstance(content, str) else json.dumps(content)
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(AnsibleError) as raised:
        earlier_report(str(path))
    error = f"Precheck cannot compare with {path}, so nothing was checked: {why}"
    assert raised.value.message == error


def test_a_path_that_is_missing_or_not_a_file_is_refused(tmp_path):
    with pytest.raises(AnsibleError, match="there is no such file"):
        earlier_report(str(tmp_path / "nothing"))
    with pytest.raises(AnsibleError, match="it is not a file"):
        earlier_report(os.devnull)
