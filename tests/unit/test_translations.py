# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Chinese pages say the same as the English ones, as far as that can be compared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
ZH = REPOSITORY / "docs/zh"
PAGES = {path: REPOSITORY / ("docs" * (path.stem != "README")) / path.name for path in ZH.iterdir()}
BOTH = pytest.mark.parametrize(("zh", "en"), PAGES.items(), ids=[path.name for path in PAGES])


def blocks(text: str) -> list[str]:
    return re.findall(r"^```.*?^```$", text, re.MULTILINE | re.DOTALL)


def outline(text: str) -> list[str]:
    """Return the marks of headings, lists and rows of tables, in order."""
    text = re.sub(r"^```.*?^```$", "", text, flags=re.MULTILINE | re.DOTALL)
    text = re.split(r"\n## (?:Read on|更多文档)\n", text)[0]  # a list of pages, with other notes
    return re.findall(r"^(#+ |- \*|\|)", text, re.MULTILINE)


def code(text: str) -> set[str]:
    return {span.replace("*", "") for span in re.findall(r"`([^`\n]+)`", text)}


def links(path: Path) -> set[Path]:
    """Return the files that a page links, those in Chinese as the English ones."""
    names = re.findall(r"\]\((?!http)([^)#]+)", path.read_text())
    targets = {(path.parent / name).resolve() for name in names}
    return {PAGES.get(target, target) for target in targets} - {REPOSITORY / "README.md"}


@BOTH
def test_both_have_the_same_outline(zh, en):
    assert outline(zh.read_text()) == outline(en.read_text())


@BOTH
def test_both_have_the_same_examples(zh, en):
    """Only lines with a text for the operator differ."""
    of_zh, of_en = ("\n".join(blocks(page.read_text())).splitlines() for page in (zh, en))
    assert len(of_zh) == len(of_en)
    assert [pair for pair in zip(of_zh, of_en) if pair[0] != pair[1] and pair[0].isascii()] == []


@BOTH
def test_both_have_the_same_names_and_links(zh, en):
    assert code(zh.read_text()) == code(en.read_text())
    assert links(zh) == links(en)


@BOTH
def test_strategy_and_policy_are_never_the_same_word(zh, en):
    text = zh.read_text()
    english = re.sub(r"`[^`]*`|\]\(.*?\)", "", en.read_text())
    assert not re.search("(?<!执行)策略", text)
    assert not re.search("(?<!检查)规则文件", text)
    assert ("执行策略" in text) == ("strateg" in english)
    assert ("检查规则文件" in text) == ("polic" in english)


def test_the_glossary_has_these_words():
    text = (REPOSITORY / "docs/glossary.md").read_text()
    rows = dict(re.findall(r"^\| (.*?) \| .* \| (.*?) \|$", text, re.MULTILINE))
    assert rows["strategy"] == "执行策略"
    assert rows["policy"] == "检查规则文件"
