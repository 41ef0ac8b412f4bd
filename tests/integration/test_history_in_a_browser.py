# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The page of a history in a headless Chromium: the timeline, filters, and isolation."""

from __future__ import annotations

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.history.observed import observe
from ansible_collections.precheck.guard.plugins.plugin_utils.history.page import page
from ansible_collections.precheck.guard.plugins.plugin_utils.history.summary import summarize

from support.axe import violations
from support.chromium import CONTRAST, DRAWN, FILL, ROWS
from support.report_documents import HOSTILE, document, few, hostile, many, rule, verdict

pytestmark = [pytest.mark.browser, pytest.mark.one_release]

STATES = {"n": "not_ready", "u": "unverified", "r": "ready"}


def on_day(number, report):
    moment = f"2026-11-{number:02}T06:00:00Z"
    return report | {"started": moment, "finished": moment}


def days(**letters):
    """Return an audit for each letter of these texts, which are by host and rule."""
    rules = [rule("a"), rule("b", severity="warn")]
    length = max(map(len, letters.values()))
    reports = []
    for number in range(length):
        verdicts = [
            verdict(*name.split("_"), STATES[text[number]], "why")
            for name, text in letters.items()
            if text[number] in STATES
        ]
        reports.append(on_day(number + 1, document(rules, verdicts)))
    return reports


DAYS = days(h1_a="rrnn", h1_b="nrrr", h2_a="nnr-", h10_a="rrru", h10_b="r--n", h3_b="--nn")


@pytest.fixture
def show(browser, tmp_path):
    """A function that opens the page of the history of documents."""

    def show(documents):
        history = summarize(observe(f"{number}.json", one) for number, one in enumerate(documents))
        (tmp_path / "page.html").write_bytes(page(history).encode())
        browser.open(tmp_path / "page.html")

    return show


HOSTILE_REPORT = hostile() | {key: few()[key] for key in ("started", "finished")}


@pytest.mark.claims(
    "The page runs only its own script and makes no network requests.",
    "The page shows all text as text, whatever it contains.",
)
@pytest.mark.parametrize("documents", [DAYS, [HOSTILE_REPORT]], ids=["days", "hostile"])
def test_the_page_loads_without_an_error_and_without_requests(browser, show, tmp_path, documents):
    show(documents)
    assert browser.complaints() == []
    assert browser.requests() == [(tmp_path / "page.html").as_uri()]
    assert browser.evaluate("document.title").startswith("Precheck history, 2026-11-")
    dangerous = "document.querySelectorAll('script, style, img, [onfocus], [onerror]')"
    assert browser.evaluate(f"{dangerous}.length") == 3  # one script is data
    assert len(browser.evaluate(ROWS)) == len(
        {one["host"] for one in documents[-1]["verdicts"]}
        | {one["host"] for one in documents[0]["verdicts"]}
    )


def test_hostile_names_are_shown_as_they_are(browser, show):
    show([HOSTILE_REPORT])
    assert set(HOSTILE[:7]) <= {row[0] for row in browser.evaluate(ROWS)}
    rules = browser.evaluate("Array.from(document.forms[0].elements.rule, (one) => one.text)")
    assert f"{HOSTILE[0]} 0" in rules


def test_the_timeline_has_a_row_for_each_host_with_its_last_problems_first(browser, show):
    show(DAYS)
    assert browser.evaluate(ROWS) == [
        ["h1", "warning 1", "ready 1", "not_ready 2"],
        ["h10", "ready 3", "unverified 1"],
        ["h3", "not_checked 2", "warning 2"],
        ["h2", "not_ready 2", "ready 1", "not_checked 1"],
    ]
    cells = "Array.from(document.querySelectorAll('#timeline tbody tr:first-child td'), %s)"
    assert browser.evaluate(cells % "(cell) => cell.textContent") == [
        "! warning",
        "✓ ready",
        "✗ not ready",
    ]
    assert browser.evaluate(cells % "(cell) => cell.title")[1:] == [
        "2026-11-02 06:00:00 UTC: ready",
        "2026-11-03 06:00:00 UTC to 2026-11-04 06:00:00 UTC: not ready",
    ]
    headings = "Array.from(document.querySelectorAll('#timeline thead th'), (one) => one.innerText)"
    assert browser.evaluate(headings) == [
        "Host",
        *(f"2026-11-{day:02} 06:00" for day in (1, 2, 3, 4)),
    ]


def test_filters_show_the_hosts_that_match_all_of_them(browser, show):
    show(DAYS)
    shown = "document.forms[0].elements.shown.value"
    assert browser.evaluate(shown) == "4 of 4 hosts"
    browser.evaluate(FILL % ("host", "H1", "host"))
    assert [row[0] for row in browser.evaluate(ROWS)] == ["h1", "h10"]
    browser.evaluate(FILL % ("state", "u", "state"))
    assert [row[0] for row in browser.evaluate(ROWS)] == ["h10"]
    assert browser.evaluate(shown) == "1 of 4 hosts"
    browser.evaluate("document.querySelector('button').click()")
    browser.evaluate("new Promise((done) => setTimeout(done))")
    assert len(browser.evaluate(ROWS)) == 4
    browser.evaluate(FILL % ("rule", "1", "rule"))
    assert browser.evaluate(ROWS) == [
        ["h1", "warning 1", "ready 3"],
        ["h10", "ready 1", "not_checked 2", "warning 1"],
        ["h3", "not_checked 2", "warning 2"],
    ]
    assert browser.complaints() == []


def test_a_slash_leads_to_the_search_and_escape_clears_it(browser, show):
    show(DAYS)
    focused = "document.activeElement.name ?? ''"
    assert browser.evaluate(focused) == ""
    browser.press("/", 191, "/")
    assert browser.evaluate(focused) == "host"
    for letter in "h2":
        browser.press(letter, ord(letter.upper()), letter)
    assert [row[0] for row in browser.evaluate(ROWS)] == ["h2"]
    browser.press("/", 191, "/")  # now it is a letter
    assert browser.evaluate("document.activeElement.value") == "h2/"
    browser.press("Escape", 27)
    browser.evaluate("new Promise((done) => setTimeout(done))")
    assert browser.evaluate("document.activeElement.value") == ""
    assert len(browser.evaluate(ROWS)) == 4


def test_all_rows_of_many_hosts_are_drawn_and_filters_apply_meanwhile(browser, show):
    show([on_day(day, many(1000, 2)) for day in (1, 2, 3)])
    assert browser.evaluate(DRAWN) == 1000
    browser.evaluate(FILL % ("host", "db", "host"))
    browser.evaluate(FILL % ("state", "u", "state"))
    assert browser.evaluate(DRAWN) == 20
    browser.evaluate("new Promise((done) => setTimeout(done, 50))")
    assert len(browser.evaluate(ROWS)) == 20


def test_all_rows_are_drawn_before_the_page_is_printed(browser, show):
    show([on_day(1, many(1000, 2))])
    browser.evaluate(DRAWN)
    rows = "document.querySelectorAll('#timeline tbody tr').length"
    printed = f"dispatchEvent(new Event('beforeprint')), {rows}"
    assert browser.evaluate(f"{FILL % ('host', '', 'host')}; [{rows}, ({printed})]") == [100, 1000]


def test_without_scripts_the_tables_are_there(browser, show):
    browser.send("Emulation.setScriptExecutionDisabled", value=True)
    try:
        show(DAYS)
        assert browser.evaluate("document.querySelector('form').checkVisibility()") is False
        unready = "document.querySelectorAll('[aria-labelledby=unready] tbody tr').length"
        assert browser.evaluate(unready) == 4
    finally:
        browser.send("Emulation.setScriptExecutionDisabled", value=False)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("documents", [DAYS, [HOSTILE_REPORT]], ids=["days", "hostile"])
def test_axe_objects_to_nothing(browser, show, scheme, documents):
    browser.look(scheme=scheme)
    show(documents)
    assert violations(browser) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_enough_contrast(browser, show, scheme):
    browser.look(scheme=scheme)
    show([*DAYS, on_day(5, few())])
    ratio, text = browser.evaluate(CONTRAST)
    assert ratio >= 4.5, text


@pytest.mark.parametrize(
    "documents", [DAYS, [HOSTILE_REPORT], DAYS * 12], ids=["days", "hostile", "many"]
)
def test_a_narrow_window_scrolls_the_tables_and_not_the_page(browser, show, documents):
    browser.look(400, 800)
    show(documents)
    assert browser.evaluate("document.documentElement.scrollWidth") == 400


def test_on_paper_there_is_no_form_and_nothing_scrolls(browser, show):
    show(DAYS)
    browser.look(700, 900, media="print")
    assert browser.evaluate("document.querySelector('form').checkVisibility()") is False
    frame = "document.getElementById('timeline')"
    assert browser.evaluate(f"{frame}.scrollWidth <= {frame}.clientWidth") is True
