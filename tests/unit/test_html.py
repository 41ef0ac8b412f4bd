# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page of HTML as text: its content, and that no text escapes from its place."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.html import page

from support.report_documents import (
    HOSTILE,
    LONG,
    MISSING,
    document,
    few,
    hostile,
    many,
    rule,
    verdict,
)

ALLOWED = set(
    "html head meta title style script body header main section h1 h2 h3 p pre strong ul li dl"
    " dt dd span b small code time table"
    " thead tbody colgroup col tr th td details summary form label input select option button"
    " output div".split()
)


class Reader(HTMLParser):
    """``tags`` are all elements with their attributes, ``rows`` the texts of the matrix by row."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.rows: list[list[str]] = []
        self._in_matrix = False
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        self._in_matrix = (self._in_matrix or dict(attrs).get("id") == "matrix") and tag != "script"
        if self._in_matrix and tag == "tr":
            self.rows.append([])
        elif self._in_matrix and tag in ("th", "td"):
            self.rows[-1].append("")
        else:
            self.handle_data(" ")

    def handle_data(self, data):
        if self._in_matrix and self.rows and self.rows[-1]:
            self.rows[-1][-1] += data

    def matrix(self):
        return [[" ".join(cell.split()) for cell in row] for row in self.rows]


def test_hosts_with_problems_come_first_and_numbers_count_as_numbers():
    matrix = Reader(page(few())).matrix()
    assert matrix[0] == ["Host", "pigsty-node", "free-space", "replication"]
    assert [row[0].split()[0] for row in matrix[1:]] == ["db2", "db10", "db11", "web1", "db1"]
    assert matrix[2] == [
        "db10 pg-main, pgsql",
        f"✗ not ready {MISSING}",
        "! warning no answer",
        "– not checked",
    ]
    assert matrix[5] == ["db1 pg-main, pgsql", "✓ ready", "✓ ready", "– not checked"]


def test_a_rule_that_only_warns_gives_warnings():
    text = page(few())
    assert Reader(text).matrix()[4] == [
        "web1 new web",
        "– not checked",
        "! warning /var is 93 % full",
        "– not checked",
    ]
    assert "only warns" in text


def test_a_cell_has_all_its_reasons_and_the_beginning_of_long_ones():
    matrix = Reader(page(few())).matrix()
    assert matrix[1][3] == "✗ not ready slot a lags slot a lags slot b lags slot c"
    beginning, _, whole = matrix[3][1].partition("…")
    assert LONG.startswith(beginning.removeprefix("? unverified "))
    assert whole.strip() == LONG.strip()


def test_totals_count_each_host_once_and_rules_each_of_their_hosts():
    text = " ".join(re.sub("<[^>]*>", " ", page(few())).split())
    assert "✗ 2 not ready ? 1 unverified ! 1 warning ✓ 1 ready of 5 hosts." in text
    assert (
        "pigsty-node /srv/pigsty/precheck.yml:2 ✗ 2 not ready ? 1 unverified ✓ 1 ready"
        " cannot be waived" in text
    )


def test_ready_hosts_of_a_rule_are_counted_if_each_host_has_a_problem_with_another_rule():
    states = {"a": ("ready", "not_ready"), "b": ("not_ready", "ready")}
    verdicts = [
        verdict(f"db{number}", name, state)
        for name in states
        for number, state in enumerate(states[name])
    ]
    text = " ".join(
        re.sub("<[^>]*>", " ", page(document(list(map(rule, states)), verdicts))).split()
    )
    counts = "/srv/pigsty/precheck.yml:2 ✗ 1 not ready ✓ 1 ready"
    assert f"Rules a {counts} b {counts} Hosts" in text
    assert "✓ 0 ready of 2 hosts." in text


def test_the_page_shows_when_where_and_how_the_report_was_made():
    text = " ".join(re.sub("<[^>]*>", " ", page(few())).split())
    assert "Precheck audit: ✗ not ready" in text
    assert "When 2026-11-23 16:53:10 UTC to 2026-11-23 16:53:52 UTC" in text
    assert "By operator on control" in text
    assert "ansible-playbook precheck.guard.audit -e &#39;token=***&#39;" in text
    assert "Policy /srv/pigsty/precheck.yml" in text
    assert "Precheck 0.1.0, ansible-core 2.21.5, Python 3.12.4" in text


def test_the_page_shows_remedies_plays_waivers_and_changes():
    text = " ".join(re.sub("<[^>]*>", " ", page(few() | {"kind": "run"})).split())
    assert "./node.yml -l db2,db10,db11" in text
    assert "only warns Remove old logs. Then try again. replication" in text
    assert "Not audited, as they check plays and not hosts: change-freeze, large-run Hosts" in text
    assert "Set up" not in page(few())  # the play of an audit is the audit
    assert "Set up /srv/pigsty/pgsql.yml:4 pigsty-node, free-space 4 stopped" in text
    [play] = few()["plays"]
    went_on = play | {"stopped": False, "left_out": ["db10", "db2"]}
    went_on = page(few() | {"kind": "run", "plays": [went_on]})
    assert "<td>went on without db10, db2\n" in went_on
    assert "<span>leaves hosts out</span>" in page(document([rule("a", severity="exclude")], []))
    assert "✗ not ready pigsty-node, by the play as a whole: no window is open" in text
    assert "! warning free-space, by the play as a whole: archive is undefined" in text
    assert (
        "Remove /srv/pigsty/pgsql-rm.yml:1 replication 2 the play has the tag no_precheck"
        " CHG-123: a spare node operator" in text
    )
    assert (
        "Changes since 2026-11-22 16:53:10 UTC Newly not ready: 1 db2 , pigsty-node:"
        " /etc/pki/ca.crt is missing"
    ) in text
    assert "Newly ready: 1 db1 , pigsty-node New hosts: 1 web1 Gone hosts: 2 db7 db8" in text


def test_the_page_omits_what_a_document_does_not_have():
    text = page(document([rule("pigsty-node")], [verdict("db1", "pigsty-node")]))
    for absent in ("Changes", "Waived", "Plays", "Remedy", "! ", "cannot be waived", "audited"):
        assert absent not in text.partition("<body>")[2], absent
    assert "Precheck audit:\n<span" in text and ">✓ ready</span></h1>" in text


def test_a_document_without_verdicts_says_so():
    text = page(document([], [], result="error"))
    assert "No host was checked." in text
    assert "could not be decided" in text
    assert "<script" not in text


@pytest.mark.claims("The page shows all text as text, whatever it contains.")
def test_no_text_breaks_out_of_its_place():
    reader = Reader(page(hostile()))
    assert {tag for tag, _attributes in reader.tags} <= ALLOWED
    assert (
        [tag for tag, _ in reader.tags].count("script")
        == [tag for tag, _ in reader.tags].count("style")
        == 1
    )
    assert not {
        name
        for _tag, attributes in reader.tags
        for name in attributes
        if name.startswith("on") or name == "autofocus"
    }
    assert len(reader.rows) == len(HOSTILE) + 1
    assert {len(row) for row in reader.rows} == {len(HOSTILE) + 1}
    assert "{{ 7 * 7 }}{% raw %}{# a comment #}" in " ".join(row[0] for row in reader.rows)


def test_the_page_has_no_hidden_characters():
    text = page(hostile())
    assert not re.search(
        "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u202a-\u202e\u2066-\u2069\ud800-\udfff]",
        text,
    )
    assert "עברית and 汉字 and 🐘" in text


@pytest.mark.claims("The page runs only its own script and makes no network requests.")
@pytest.mark.parametrize("made", [few, hostile], ids=["few", "hostile"])
def test_style_and_script_are_the_same_on_every_page_and_the_only_ones_allowed(made):
    def sources(text):
        return [
            re.search(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)[1] for tag in ("style", "script")
        ]

    text = page(made())
    assert sources(text) == sources(page(document([rule("r")], [verdict("h", "r")])))
    [policy] = re.findall('<meta http-equiv="Content-Security-Policy" content="([^"]*)">', text)
    style, script = (
        base64.b64encode(hashlib.sha256(source.encode()).digest()).decode()
        for source in sources(text)
    )
    assert policy == (
        f"default-src 'none';\n style-src 'sha256-{style}';\n script-src 'sha256-{script}';"
        " base-uri 'none'; form-action 'none'"
    )
    assert text.index("Content-Security-Policy") < text.index("<style>")


@pytest.mark.claims("The page runs only its own script and makes no network requests.")
def test_the_page_refers_to_nothing_elsewhere():
    text = page(few())
    assert not re.search(
        r"https?:|//[a-z]|url\(|@import|@font-face|\b(src|href|action|style)=", text
    )


def test_a_page_of_a_thousand_hosts_is_small():
    text = page(many())
    assert len(Reader(text).rows) == 1001
    assert len(text.encode()) < 500_000
