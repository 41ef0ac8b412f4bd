# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What axe-core objects to on a page. A package has it; nothing else of the package is used."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from support.chromium import Browser
from support.requirements import lacking

PACKAGE, FILE = "axe_core_python", "axe.min.js"


def violations(browser: Browser) -> list[str]:
    """Return the rules of axe-core that the page in the browser violates, and where it does."""
    package = find_spec(PACKAGE)
    if not package or not package.origin:
        lacking(f"axe-core checks the page, and {PACKAGE} is not installed")
    assert package and package.origin
    browser.evaluate((Path(package.origin).parent / FILE).read_text() + "; 0")
    found: list[str] = browser.evaluate(
        "axe.run().then((result) => result.violations.flatMap((one) =>"
        " one.nodes.map((node) => `${one.id}: ${node.target}`)))"
    )
    return found
