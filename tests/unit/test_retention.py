# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Old reports are removed, and nothing else."""

from __future__ import annotations

import json
import os

import pytest
from ansible.errors import AnsibleError
from ansible_collections.precheck.guard.plugins.plugin_utils.history.merge import merged
from ansible_collections.precheck.guard.plugins.plugin_utils.report.beginning import HEAD
from ansible_collections.precheck.guard.plugins.plugin_utils.report.files import as_json
from ansible_collections.precheck.guard.plugins.plugin_utils.report.retention import (
    remove_old_reports,
)

from support.report_documents import document, few

pytestmark = pytest.mark.one_release


def report(day, **more):
    return document([], [], **{"started": f"2026-11-{day:02}T06:00:00Z", **more})


@pytest.fixture
def directory(tmp_path):
    """A directory with the reports of six days, each named by its day."""
    for day in range(1, 7):
        (tmp_path / f"2026-11-{day:02}.json").write_text(as_json(report(day)))
    return tmp_path


def days(directory):
    return [int(path.name[8:10]) for path in sorted(directory.glob("2026-11-*.json"))]


def remove(directory, keep, pattern="%Y-%m-%d.json", new="2026-11-06.json"):
    remove_old_reports(f"{directory}/{pattern}", f"{directory}/{new}", keep)


@pytest.mark.parametrize(
    ("keep", "expected"), [(1, [6]), (2, [5, 6]), (6, [1, 2, 3, 4, 5, 6]), (9, [1, 2, 3, 4, 5, 6])]
)
def test_the_newest_are_kept(directory, keep, expected):
    """Their own times count, not those of their files."""
    os.utime(directory / "2026-11-01.json")
    remove(directory, keep)
    assert days(directory) == expected


def test_the_new_report_is_kept_whatever_the_clock_says(directory):
    remove(directory, 2, new="2026-11-01.json")
    assert days(directory) == [1, 6]


def spoilt(text):
    return text.replace('"format"', '"Format"', 1)


DAY = as_json(report(1))
# Files that stay, by why: a name and what is in it.
STAYS = {
    "another name": ("report-2026-11-01.json", DAY),
    "another ending": ("2026-11-01.json~", DAY),
    "the name of another day": ("2026-11-02.json", DAY),
    "no report": ("2026-11-01.json", "{}\n"),
    "empty": ("2026-11-01.json", ""),
    "not even text": ("2026-11-01.json", "\x00\udcff"),
    "no format": ("2026-11-01.json", spoilt(DAY)),
    "written by something else": ("2026-11-01.json", json.dumps(report(1), indent=2)),
    "no time": ("2026-11-01.json", DAY.replace("2026-11-01T", "2026-11-41T")),
    "its time in a word only":
        ("2026-11-01.json", as_json(report(1, command=['\n "started": "2026-11-01T06:00:00Z",\n']))
            .replace(' "started": "2026-11-01', ' "started": "2026-11-02')),
    "its time too far back": ("2026-11-01.json", as_json(report(1, command=["x" * HEAD]))),
}  # fmt: skip


@pytest.mark.parametrize(("name", "content"), STAYS.values(), ids=STAYS)
def test_everything_else_stays(directory, name, content):
    (directory / name).write_bytes(content.encode("utf-8", "surrogateescape"))
    remove(directory, 1)
    assert {path.name for path in directory.iterdir()} == {name, "2026-11-06.json"}


def test_links_directories_and_pipes_stay(directory):
    elsewhere = directory / "elsewhere"
    elsewhere.write_text(DAY)
    for day in (1, 2, 3):
        (directory / f"2026-11-{day:02}.json").unlink()
    (directory / "2026-11-01.json").symlink_to(elsewhere)
    (directory / "2026-11-02.json").mkdir()
    os.mkfifo(directory / "2026-11-03.json")
    remove(directory, 1)
    assert days(directory) == [1, 2, 3, 6]
    assert elsewhere.read_text() == DAY


@pytest.mark.parametrize(
    "content",
    {
        "of an older format": DAY.replace(": 1,", ": 0,", 1),
        "with all that a report can have": as_json({**few(), "started": "2026-11-01T06:00:00Z"}),
        "of several": as_json(merged([report(1), report(1, precheck="0.0.9")])),
        "with a strange command": as_json(report(1, command=["\n\udcff", '"started"'])),
    }.values(),
)
def test_whatever_is_in_a_report_it_is_removed(directory, content):
    (directory / "2026-11-01.json").write_bytes(content.encode(errors="backslashreplace"))
    remove(directory, 5)
    assert days(directory) == [2, 3, 4, 5, 6]


def test_without_a_time_in_the_name_nothing_is_removed(directory):
    (directory / "report.json").write_text(DAY)
    remove(directory, 1, "report.json", "report.json")
    assert days(directory) == [1, 2, 3, 4, 5, 6]


def test_a_time_may_be_in_the_name_of_the_directory(directory):
    """Of directories only that of the new report is looked at."""
    november = directory / "2026-11"
    november.mkdir()
    for day in (1, 2):
        (november / f"{day:02}.json").write_text(as_json(report(day)))
    remove(directory, 1, "%Y-%m/%d.json", "2026-11/02.json")
    assert [path.name for path in november.iterdir()] == ["02.json"]
    assert days(directory) == [1, 2, 3, 4, 5, 6]


def test_a_failure_names_the_file_and_what_is_gone_is_none(directory, mocker):
    mocker.patch("os.unlink", side_effect=FileNotFoundError)
    remove(directory, 1)
    mocker.patch("os.unlink", side_effect=PermissionError(1, "not permitted"))
    with pytest.raises(AnsibleError, match=r"/2026-11-05\.json: not permitted$"):
        remove(directory, 1)
