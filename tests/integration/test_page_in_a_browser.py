# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page of HTML in a headless Chromium: loading, filters, accessibility, and isolation."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.report.html import page

from support.axe import violations
from support.chromium import CONTRAST, FILL, Browser
from support.report_documents import HOSTILE, LONG, MISSING, few, hostile, many

pytestmark = [pytest.mark.browser, pytest.mark.one_release]

# The visible hosts of the matrix.
SHOWN = """Array.from(document.querySelectorAll("#matrix tbody tr"))
  .filter((row) => row.offsetParent)
  .map((row) => row.cells[0].firstChild.data.trim())"""


@pytest.fixture
def show(browser: Browser, tmp_path: Path) -> Callable[[dict[str, Any]], None]:
    """A function that opens the page of a document."""

    def show(report: dict[str, Any]) -> None:
        (tmp_path / "page.html").write_bytes(page(report).encode())
        browser.open(tmp_path / "page.html")

    return show


@pytest.mark.claims("The page runs only its own script and makes no network requests.")
@pytest.mark.parametrize("made", [few, hostile], ids=["few", "hostile"])
def test_the_page_loads_without_an_error_and_without_requests(browser, show, tmp_path, made):
    show(made())
    assert browser.complaints() == []
    assert browser.requests() == [(tmp_path / "page.html").as_uri()]
    assert browser.evaluate("document.title").startswith("Precheck ")


@pytest.mark.claims("The page shows all text as text, whatever it contains.")
def test_hostile_texts_are_shown_as_they_are(browser, show):
    show(hostile())
    hosts = browser.evaluate(SHOWN)
    assert len(hosts) == len(HOSTILE)
    assert set(HOSTILE[:7]) <= set(hosts)
    dangerous = "document.querySelectorAll('script, style, img, [onfocus], [onerror]')"
    assert browser.evaluate(f"{dangerous}.length") == 2


@pytest.mark.claims("The page runs only its own script and makes no network requests.")
def test_the_policy_of_the_page_forbids_other_scripts_styles_and_requests(browser, show):
    show(few())
    browser.evaluate(
        "document.body.insertAdjacentHTML('beforeend',"
        " '<p id=p style=\"display:none\">' + '<img src=x onerror=boom()>')"
    )
    browser.evaluate(
        "(e => { e.textContent = 'document.title = \"broken\"'; document.body.append(e) })"
        "(document.createElement('script'))"
    )
    assert (
        browser.evaluate("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused')")
        == "refused"
    )
    assert browser.evaluate("document.title").startswith("Precheck ")
    assert browser.evaluate("getComputedStyle(document.getElementById('p')).display") == "block"
    assert len([one for one in browser.complaints() if "Content Security Policy" in str(one)]) >= 4


def test_filters_show_the_hosts_that_match_all_of_them(browser, show):
    show(few())
    assert browser.evaluate(SHOWN) == ["db2", "db10", "db11", "web1", "db1"]
    assert browser.evaluate("document.forms[0].elements.shown.value") == "5 of 5 hosts"
    browser.evaluate(FILL % ("text", "DB1", "text"))
    assert browser.evaluate(SHOWN) == ["db10", "db11", "db1"]
    groups = browser.evaluate("Array.from(document.forms[0].elements.group, (one) => one.text)")
    assert groups == ["all", "pg-main", "pg-test", "pgsql", "web"]
    browser.evaluate(FILL % ("group", str(groups.index("pg-main") - 1), "group"))
    assert browser.evaluate(SHOWN) == ["db10", "db1"]
    browser.evaluate(FILL % ("state", "ready", "state"))
    assert browser.evaluate(SHOWN) == ["db1"]
    assert browser.evaluate("document.forms[0].elements.shown.value") == "1 of 5 hosts"
    browser.evaluate("document.querySelector('#filter button').click()")
    browser.evaluate("new Promise((done) => setTimeout(done))")
    assert len(browser.evaluate(SHOWN)) == 5
    for state, hosts in {
        "not_ready": ["db2", "db10"],
        "unverified": ["db11"],
        "warning": ["db10", "web1"],
    }.items():
        browser.evaluate(FILL % ("state", state, "state"))
        assert browser.evaluate(SHOWN) == hosts
    assert browser.complaints() == []


def test_of_a_rule_that_is_chosen_only_its_own_verdicts_and_reasons_count(browser, show):
    show(few())
    rules = browser.evaluate("Array.from(document.forms[0].elements.rule, (one) => one.text)")
    assert rules == ["all", "pigsty-node", "free-space", "replication"]
    for rule, state, text, hosts in (
        ("", "", "93 %", ["web1"]),
        ("", "", "CA.CRT", ["db2", "db10"]),
        ("", "", "kex_exchange", ["db11"]),
        ("2", "", "", ["db2", "db10", "web1", "db1"]),
        ("2", "ready", "", ["db2", "db1"]),
        ("2", "", "ca.crt", []),
        ("1", "", "ca.crt", ["db2", "db10"]),
        ("1", "not_ready", "db10", ["db10"]),
        ("3", "", "slot b", ["db2"]),
    ):
        for name, value in {"rule": rule, "state": state, "text": text}.items():
            browser.evaluate(FILL % (name, value, name))
        assert set(browser.evaluate(SHOWN)) == set(hosts), (rule, state, text)
    assert browser.complaints() == []


def test_a_slash_leads_to_the_search_and_escape_shows_all(browser, show):
    show(few())
    browser.press("/", 191, "/")
    assert browser.evaluate("document.activeElement.name") == "text"
    for letter in "db11":
        browser.press(letter, ord(letter.upper()), letter)
    assert browser.evaluate(SHOWN) == ["db11"]
    browser.press("Escape", 27)
    browser.evaluate("new Promise((done) => setTimeout(done))")
    assert len(browser.evaluate(SHOWN)) == 5


def test_the_remedy_is_copied_by_keyboard(browser, show):
    """It is the button that comes after the remedy in the order of Tab."""
    show(few())
    browser.evaluate(
        "document.addEventListener('copy', () => { window.copied = String(getSelection()) })"
    )
    browser.evaluate("document.querySelector('.remedy pre').focus()")
    browser.press("Tab", 9)
    assert browser.evaluate("document.activeElement.textContent") == "Copy"
    browser.press("Enter", 13, "\r")
    assert browser.evaluate("window.copied") == "./node.yml -l db2,db10,db11"
    assert browser.evaluate("document.querySelector('.remedy output').value") == "copied"
    assert browser.complaints() == []


def test_the_changes_come_first(browser, show):
    show(few())
    headings = browser.evaluate(
        "Array.from(document.querySelectorAll('h2'), (one) => one.innerText)"
    )
    assert headings == ["Changes since 2026-11-22 16:53:10 UTC", "Waived", "Rules", "Hosts"]
    assert browser.evaluate(
        "document.querySelector('.changes').compareDocumentPosition(document.querySelector('dl'))"
    ) == browser.evaluate("Node.DOCUMENT_POSITION_FOLLOWING")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("made", [few, hostile], ids=["few", "hostile"])
def test_axe_objects_to_nothing(browser, show, scheme, made):
    browser.look(scheme=scheme)
    show(made())
    assert violations(browser) == []
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    assert violations(browser) == []


def test_without_scripts_the_page_is_a_table(browser, show):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show(few())
        assert browser.evaluate("document.querySelector('form').checkVisibility()") is False
        assert browser.evaluate("document.querySelector('.copy').checkVisibility()") is False
        assert len(browser.evaluate(SHOWN)) == 5
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


def test_a_long_reason_opens_by_keyboard_and_by_mouse(browser, show):
    show(few())
    reason = "document.querySelector('.unverified details p')"
    visible = f"{reason}.checkVisibility({{contentVisibilityAuto: true}})"
    assert browser.evaluate(visible) is False
    browser.evaluate("document.getElementById('matrix').focus()")
    browser.press("Tab", 9)  # to the first host's three reasons
    browser.press("Tab", 9)
    browser.press("Enter", 13, "\r")
    assert browser.evaluate(visible) is True
    assert browser.evaluate(f"{reason}.innerText") == " ".join(LONG.split())
    browser.evaluate("document.querySelector('.unverified summary').click()")
    assert browser.evaluate(visible) is False


def test_a_screen_reader_hears_a_table(browser, show):
    show(few())
    nodes = browser.send("Accessibility.getFullAXTree")["nodes"]
    heard = [
        (node["role"]["value"], node.get("name", {}).get("value", ""))
        for node in nodes
        if not node["ignored"]
    ]
    assert ("columnheader", "pigsty-node") in heard
    assert ("rowheader", "db10 pg-main, pgsql") in heard
    assert {(kind, f"✗ not ready {MISSING}") for kind in ("cell", "gridcell")} & set(heard)
    assert {("textbox", "Host or reason"), ("searchbox", "Host or reason")} & set(heard)
    assert ("status", "") in heard or "status" in dict(heard)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(browser, show, scheme):
    browser.look(scheme=scheme)
    show(few())
    browser.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    ratio, text = browser.evaluate(CONTRAST)
    assert ratio >= 4.5, text
    background = browser.evaluate("getComputedStyle(document.body).backgroundColor")
    assert background == ("rgb(255, 255, 255)" if scheme == "light" else "rgb(20, 24, 29)")


@pytest.mark.parametrize(
    "made", [few, hostile, lambda: many(30, 40)], ids=["few", "hostile", "forty rules"]
)
def test_a_narrow_window_scrolls_the_matrix_and_not_the_page(browser, show, made):
    browser.look(400, 800)
    show(made())
    assert browser.evaluate("document.documentElement.scrollWidth") == 400


def test_the_names_of_hosts_and_rules_stay_in_sight(browser, show):
    show(many(60, 20))
    browser.evaluate(
        "(e => { e.scrollIntoView(); e.scrollTo(3000, 3000) })(document.getElementById('matrix'))"
    )
    frame, top, left = (
        browser.evaluate(
            "(({left, top}) => [left,"
            f" top])(document.querySelector('{one}').getBoundingClientRect())"
        )
        for one in ("#matrix", "#matrix thead th:last-child", "#matrix tbody tr:last-child th")
    )
    assert abs(top[1] - frame[1]) < 2
    assert abs(left[0] - frame[0]) < 2


def test_on_paper_all_reasons_are_open(browser, show):
    browser.look(media="print", scheme="dark")
    show(few())
    assert browser.evaluate("document.querySelector('form').checkVisibility()") is False
    assert browser.evaluate("document.querySelector('.copy').checkVisibility()") is False
    assert (
        browser.evaluate(
            "document.querySelector('.unverified details p').getBoundingClientRect().height"
        )
        > 10
    )
    assert browser.evaluate("getComputedStyle(document.body).color") == "rgb(28, 33, 39)"


def test_a_thousand_hosts_open_at_once(browser, show):
    report = many()

    def cost() -> float:
        show(report)
        return browser.cost()

    assert min(cost() for _attempt in range(2)) < 1
    assert len(browser.evaluate(SHOWN)) == 1000
    before = browser.cost()
    browser.evaluate(FILL % ("state", "unverified", "state"))
    assert len(browser.evaluate(SHOWN)) == 20
    assert browser.cost() - before < 0.5
