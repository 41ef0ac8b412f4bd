# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Of a directory of reports, an audit is compared with the newest audit of all hosts and rules."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.earlier import earlier_report
from ansible_collections.precheck.guard.plugins.plugin_utils.report.files import as_json

from support.report_documents import document

pytestmark = pytest.mark.one_release


def report(hour, **more):
    """Return the text of a report."""
    moment = f"2026-11-20T{hour:02}:00:00Z"
    return as_json(document([], [], started=moment, finished=moment, **more))


AUDIT = report(6)
# Files of a directory, and the hour of the report that is found.
DIRECTORIES = {
    "nothing": ({}, None),
    "an audit": ({"a.json": AUDIT}, 6),
    "audits": ({"c.json": AUDIT, "b.json": report(8), "a.json": report(7)}, 8),
    "a run": ({"a.json": AUDIT, "b.json": report(7, kind="run")}, 6),
    "only runs": ({"a.json": report(7, kind="run")}, None),
    "with --limit": ({"a.json": AUDIT, "b.json": report(7, limit="pg-1")}, 6),
    "with chosen rules": ({"a.json": AUDIT, "b.json": report(7, selected_rules=["backup"])}, 6),
    "an error": ({"a.json": AUDIT, "b.json": report(7, result="error")}, 6),
    "another format": ({"a.json": AUDIT, "b.json": report(7).replace('": 1', '": 0', 1)}, 6),
    "damaged": ({"a.json": AUDIT, "b.json": report(7)[:-9]}, 6),
    "other files": ({"a.json": AUDIT, "b.json": "{}", "audit.html": "<html>"}, 6),
    "directories": ({"a.json": AUDIT, "below/b.json": report(7)}, 6),
}


@pytest.mark.parametrize(("contents", "hour"), DIRECTORIES.values(), ids=DIRECTORIES)
def test_the_newest_audit_of_a_directory_counts(tmp_path, contents, hour):
    for name, text in contents.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    found = earlier_report(str(tmp_path))
    assert (found and found["started"]) == (hour and f"2026-11-20T{hour:02}:00:00Z")
