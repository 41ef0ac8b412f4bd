# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every policy file gives rules or a PolicyError, and all rules can be enforced."""

from __future__ import annotations

import copy
import json
import os
import subprocess
import tempfile
from pathlib import Path
from types import SimpleNamespace

import jsonschema
import pytest
import yaml
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play import Play
from ansible.plugins import loader as plugin_loader
from ansible.vars.manager import VariableManager
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.tasks import check_play
from ansible_collections.precheck.guard.plugins.plugin_utils.ansible_core.tasks.time_limit import (
    TimeLimit,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.checks import host
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.context import HostContext
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.kinds import KINDS
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.script import scripts
from ansible_collections.precheck.guard.plugins.plugin_utils.errors import PolicyError
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.extending import read
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.matching import (
    PlayIdentity,
    covering,
    describe,
)
from ansible_collections.precheck.guard.plugins.plugin_utils.policy.model import Rule, Selector
from ansible_collections.precheck.guard.plugins.plugin_utils.verdict import Verdict
from hypothesis import HealthCheck, configuration, example, given, settings
from hypothesis import strategies as st

from support.corpus import GOOD, know_modules

pytestmark = pytest.mark.one_release

# The same examples each time, and no directory beside the tests that stores the last ones.
configuration.set_hypothesis_home_dir(Path(tempfile.gettempdir()) / f"hypothesis-{os.getuid()}")
settings.register_profile(
    "policies",
    derandomize=True,
    database=None,
    deadline=None,
    max_examples=50,
    suppress_health_check=list(HealthCheck),
)
BOUNDED = settings.get_profile("policies")
SCHEMA = json.loads((Path(__file__).parents[2] / "docs/policy.schema.json").read_text())
EDITOR = jsonschema.Draft7Validator(SCHEMA)

[EVERY_KEY] = [yaml.safe_load(path.read_text()) for path in GOOD if path.stem == "every_key"]
for rule in EVERY_KEY["rules"]:
    for check in rule["checks"]:
        check.pop("same_as", None)  # there is no such file beside the policies here


@pytest.fixture(scope="module", autouse=True)
def modules_are_known():
    know_modules(plugin_loader)
    with pytest.MonkeyPatch.context() as patch:
        # ansible-core does not find the collection here.
        patch.setattr(check_play, "ACTION", "ansible.builtin.ping")
        yield


@pytest.fixture(scope="module")
def policy(tmp_path_factory):
    return tmp_path_factory.mktemp("policy") / "policy.yml"


def rules_of(path, content):
    """Return the rules of a file with this content, or None if it is refused.

    Any other exception fails the test.
    """
    path.write_bytes(content)
    try:
        return read(str(path), DataLoader(), "/nowhere", KINDS)
    except PolicyError as ex:
        assert ex.problems
        return None


scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=8),
    st.binary(max_size=4),
    st.dates(),
    st.datetimes(),
)
keys = st.one_of(
    st.sampled_from(
        [
            "rules",
            "name",
            "plays",
            "checks",
            "when",
            "not",
            "playbook",
            "role",
            "waiver",
            "timeout",
            *KINDS,
        ]
    ),
    scalars,
)
structures = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)
yaml_marks = st.lists(
    st.sampled_from([
        "rules:", "\n", "  ", "- ", "name: r", "&a ", "*a", "<<: ", "{", "}", "[", "]", "!vault ",
        "!!set ", "!!int ", "!!timestamp ", "!!bool ", "0x_", "2026-02-31", "|", ">", "'", '"',
        "\\x00", "? ", ": ", "---", "%YAML 9", "{{ ", " }}", "\t",
    ]),
    max_size=25,
).map("".join)  # fmt: skip


@example(b"!!int")
@example(b"!!bool a")
@example(b"rules: 0x_")
@given(
    st.one_of(
        st.binary(max_size=100), st.text(max_size=100).map(str.encode), yaml_marks.map(str.encode)
    )
)
@settings(BOUNDED, max_examples=120)
def test_any_bytes_give_rules_or_an_error(policy, content):
    rules_of(policy, content)


@given(st.one_of(structures, structures.map(lambda value: {"rules": [value]})))
@BOUNDED
def test_any_structure_gives_rules_or_an_error(policy, data):
    rules_of(policy, yaml.safe_dump(data).encode())


def places(value):
    """Return every mapping and list within ``value``."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    own = [value] if isinstance(value, (dict, list)) else []
    return own + [place for item in inner for place in places(item)]


@given(st.data())
@settings(BOUNDED, max_examples=40)
def test_changed_good_policies_give_rules_or_an_error(policy, data):
    """The schema accepts what the validator accepts."""
    changed = copy.deepcopy(EVERY_KEY)
    for _time in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(changed)))
        known = list(place) if isinstance(place, dict) else list(range(len(place)))
        how = data.draw(st.sampled_from(["delete", "replace", "add"]))
        if how == "add" and isinstance(place, dict):
            place[data.draw(keys)] = data.draw(structures)
        elif how == "add":
            place.append(data.draw(structures))
        elif known and how == "delete":
            del place[data.draw(st.sampled_from(known))]
        elif known:
            place[data.draw(st.sampled_from(known))] = data.draw(structures)
    if rules := rules_of(policy, yaml.safe_dump(changed).encode()):
        EDITOR.validate(changed)
        enforce(rules)


# No file can have NUL in its name.
words = st.text(st.characters(blacklist_categories=("Cs", "Cc")), max_size=12)
names = st.frozensets(words, max_size=3)
plays = st.builds(
    PlayIdentity,
    words,
    st.one_of(st.just(""), words.map("/some/where/{}".format), words),
    st.integers(0),
    names,
    names,
)
globs = st.lists(st.one_of(words, st.text("[]!-*?/\\^a", max_size=8)), max_size=3).map(tuple)
exemptions = st.lists(st.builds(Selector, globs, globs, globs, globs), max_size=2).map(tuple)
selectors = st.builds(Selector, globs, globs, globs, globs, exemptions)


@given(plays, st.lists(selectors, max_size=3))
@settings(BOUNDED, max_examples=75)
def test_any_play_can_be_matched(play, chosen):
    rule = Rule("r", tuple(chosen), ())
    describe(play, covering(play, [rule]))


@given(words.filter(lambda word: "/" not in word and word))
@BOUNDED
def test_every_name_matches_itself(word):
    quoted = "".join(f"[{letter}]" if letter in "*?[" else letter for letter in word)
    play = PlayIdentity(word, f"/some/{word}", 1, frozenset([word]), frozenset([word]))
    rule = Rule("r", (Selector(*[(quoted,)] * 4),), ())
    assert covering(play, [rule]), quoted


def one_or_more(one):
    return one | st.lists(one, min_size=1, max_size=3)


texts = st.text(
    st.characters(blacklist_categories=("Cs",), blacklist_characters="\0{"), min_size=1, max_size=20
).filter(str.strip)
lines = texts.filter(str.isprintable)
known_globs = lines.filter(
    lambda line: not {".", "..", ""} & set(line.split("/")) and not set(",$~") & set(line)
)
templates = texts | st.sampled_from(
    ["{{ inventory_hostname }}", "a {% if b %}c{% endif %}", "{# a #} 'b' $c `d`"]
)
conditions = st.booleans() | st.sampled_from(
    ["a is defined", "a | default(1) > 0", "'x' in [1, 2]", "not (b is defined)"]
)
common = {
    "name": lines,
    "message": templates,
    "timeout": st.integers(1, 86400),
    "become": st.booleans(),
}
absolute_paths = templates.filter(lambda text: not set("*?[$") & set(text)).map("/{}".format)
modes = st.from_regex(r"\A0?[0-7]{3,4}\Z")
paths = {
    "type": st.sampled_from(["file", "directory"]),
    "mode": modes,
    "owner": templates,
    "group": templates,
}
tasks = st.fixed_dictionaries(
    {},
    optional={
        "failed_when": one_or_more(conditions),
        "changed_when": one_or_more(conditions),
        "until": one_or_more(conditions),
        "retries": st.integers(0, 5),
        "delegate_to": templates,
        "connection": st.just("local"),
        "loop": st.lists(texts, max_size=2),
        "vars": st.dictionaries(st.sampled_from(["a", "b"]), texts),
        "no_log": st.booleans(),
        "become_user": templates,
    },
).flatmap(
    lambda task: st.sampled_from(
        [
            {"ansible.builtin.ping": None},
            {"command": "df /"},
            {"ansible.builtin.wait_for": {"port": 22, "timeout": 1}},
        ]
    ).map(lambda module: task | module)
)
checks = st.one_of(
    st.fixed_dictionaries({"path": absolute_paths}, optional=common | paths),
    st.fixed_dictionaries(
        {"command": templates | st.lists(templates, min_size=1, max_size=3)}, optional=common
    ),
    st.fixed_dictionaries(
        {"that": one_or_more(conditions)}, optional=common | {"once": st.booleans()}
    ),
    st.fixed_dictionaries({"task": tasks}, optional=common),
)
exempt_entries = st.dictionaries(
    st.sampled_from(["playbook", "play", "role", "tag"]), one_or_more(known_globs), min_size=1
)
selector_entries = exempt_entries | st.builds(
    lambda entry, exempt: {**entry, "not": exempt}, exempt_entries, one_or_more(exempt_entries)
)
valid_rules = st.fixed_dictionaries(
    {
        "name": lines,
        "plays": st.lists(selector_entries, min_size=1, max_size=2),
        "checks": st.lists(checks, min_size=1, max_size=4),
    },
    optional={
        "when": one_or_more(conditions),
        "message": templates,
        "remedy": templates,
        "severity": st.sampled_from(["error", "warn"]),
        "waiver": st.sampled_from(["allowed", "reason", "forbidden"]),
    },
)
valid_policies = st.lists(valid_rules, min_size=1, max_size=3, unique_by=lambda rule: rule["name"])


def enforce(rules):
    """Use the rules as the guard does, as far as that requires no node."""
    identity = PlayIdentity(
        "a play", "/some/where/site.yml", 1, frozenset(["role"]), frozenset(["tag"])
    )
    describe(identity, covering(identity, rules))
    loader = DataLoader()
    play = Play.load(
        {"name": "a play", "hosts": "all"}, variable_manager=VariableManager(loader), loader=loader
    )
    # Replaces a play that ansible-core runs, which requires hosts and a strategy.
    run = SimpleNamespace(
        play=play, variable_manager=VariableManager(loader), loader=loader, is_later=False
    )
    limit = TimeLimit(30, "the default")
    steps = check_play.CheckPlay(run, rules, limit, quietly=False).steps
    assert len(steps) == sum(step_count(rule) for rule in rules)

    node = SimpleNamespace(has_shell=True, transport="ssh")
    context = HostContext({}, loader, [], {}, is_local=False, literal=True, node=node)
    probes = [
        host._probe(check, context)
        for rule in rules
        for check in rule.host_checks
        if check.kind != "task"
    ]
    for script in scripts([probe for probe in probes if not isinstance(probe, Verdict)]):
        syntax = subprocess.run(
            ["sh", "-n"], input=script.text.encode(), capture_output=True, check=False
        )
        assert syntax.returncode == 0, (script.text, syntax.stderr)
        assert script.answers("") == [None] * len(script.questions)
    assert all(check.label for rule in rules for check in rule.checks)


def step_count(rule):
    """Return how many tasks a rule takes: one for each check that is a task, one for all others."""
    kinds = [check.kind for check in rule.host_checks]
    return kinds.count("task") + any(kind != "task" for kind in kinds)


@given(valid_policies)
@BOUNDED
def test_what_is_valid_can_be_enforced(policy, rules):
    data = {"rules": rules}
    EDITOR.validate(data)
    rules_in_file = rules_of(policy, yaml.safe_dump(data).encode())
    assert rules_in_file, read(str(policy), DataLoader(), "/nowhere", KINDS)
    enforce(rules_in_file)
