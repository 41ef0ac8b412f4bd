# Copyright: (c) 2026, The Precheck developers
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The script for a node's shell and its answers, tried in each shell of this machine."""

from __future__ import annotations

import getpass
import grp
import hashlib
import os
import shlex
import shutil
import subprocess
import time
from itertools import chain

import pytest
from ansible_collections.precheck.guard.plugins.plugin_utils.checks.script import (
    SCRIPT_LENGTH,
    YES,
    CommandQuestion,
    PathQuestion,
    Script,
    forbidden_bits,
    scripts,
)

pytestmark = pytest.mark.one_release

SHELLS = {
    "dash": ["dash"],
    "bash": ["bash"],
    "bash --posix": ["bash", "--posix"],
    "busybox": ["busybox", "sh"],
    "ksh": ["ksh"],
    "mksh": ["mksh"],
    "zsh": ["zsh", "--emulate", "sh"],
}
# With CI set in the environment, a shell that is missing fails the tests.
TRIED = [
    name for name, command in SHELLS.items() if shutil.which(command[0]) or os.environ.get("CI")
]
# They are no POSIX shells. ansible-core has them run one.
LOGIN_SHELLS = [
    name for name in ("tcsh", "bsd-csh", "fish") if shutil.which(name) or os.environ.get("CI")
]
TEXT = "a certificate\n"
DIGEST = hashlib.sha256(TEXT.encode()).hexdigest()


@pytest.fixture(params=TRIED)
def shell(request, tmp_path_factory):
    """A shell and its environment. That of busybox has only its own tools."""
    command = SHELLS[request.param]
    if command[0] != "busybox":
        return command, dict(os.environ)
    tools = tmp_path_factory.mktemp("tools")
    subprocess.run(["busybox", "--install", "-s", tools], check=True)
    return [str(tools / "sh")], {"PATH": str(tools)}


@pytest.fixture
def directory(tmp_path, monkeypatch):
    """The directory in which the shells run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def output_of(script, shell=(("sh",), None), before="", limit=60, **more):
    """Return the output of a shell that runs ``before``, like a profile, and then the script."""
    command, environment = shell
    # It also ends what the shell started.
    ended = [
        shutil.which("timeout"),
        "-s",
        "KILL",
        str(limit),
        shutil.which(command[0]),
        *command[1:],
    ]
    more = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT} | more
    done = subprocess.run(
        [*ended, "-c", f"{before}\n{script.text}"], env=environment, check=False, **more
    )
    return done.stdout.decode(errors="surrogateescape")


def answers_to(questions, *arguments, **more):
    """Return the answers of a shell to these questions: a word, and what was printed."""
    script = Script(questions)
    return script.answers(output_of(script, *arguments, **more))


def words(questions, *arguments, **more):
    """Return the words of the answers alone."""
    return [answer and answer[0] for answer in answers_to(questions, *arguments, **more)]


def tools_without(directory, *left_out):
    """Return an environment whose PATH has a few tools, and not those ``left_out``."""
    directory.mkdir(exist_ok=True)
    for name in {
        "sh",
        "find",
        "tail",
        "sha256sum",
        "timeout",
        "sleep",
        "true",
        "openssl",
        "cat",
    } - set(left_out):
        if not (directory / name).is_symlink():
            (directory / name).symlink_to(shutil.which(name) or "/bin/false")
    return {"PATH": str(directory)}


def test_answers_about_paths(shell, directory):
    (directory / "file").write_text(TEXT)
    (directory / "file").chmod(0o640)
    (directory / "special").write_text(TEXT)
    (directory / "special").chmod(0o4640)
    (directory / "directory").mkdir(mode=0o755)
    (directory / "link").symlink_to("file")
    (directory / "dangling").symlink_to("gone")
    (directory / "loop").symlink_to("loop")
    user, group = getpass.getuser(), grp.getgrgid(os.getgid()).gr_name
    there = {"type": "file", "mode": "0640", "owner": user, "group": group, "digest": DIGEST}
    expected = {
        PathQuestion("file"): YES,
        PathQuestion(str(directory / "file")): YES,
        PathQuestion("directory"): YES,
        PathQuestion("link"): YES,
        PathQuestion("gone"): "missing",
        PathQuestion("dangling"): "missing",
        PathQuestion("loop"): "missing",
        PathQuestion("file/within"): "missing",
        PathQuestion("x" * 300): "missing",
        PathQuestion("file", type="file"): YES,
        PathQuestion("link", type="file"): YES,
        PathQuestion("file", type="directory"): "type",
        PathQuestion("directory", type="directory"): YES,
        PathQuestion("directory", type="file"): "type",
        PathQuestion("file", mode="0640"): YES,
        PathQuestion("file", mode="640"): YES,
        PathQuestion("file", mode="0777"): YES,
        PathQuestion("link", mode="0640"): YES,  # not the mode of the link itself, which is 0777
        PathQuestion("special", mode="4640"): YES,
        PathQuestion("special", mode="0777"): "mode",
        PathQuestion("file", mode="0600"): "mode",
        PathQuestion("file", mode="0440"): "mode",
        PathQuestion("file", mode="0137"): "mode",
        PathQuestion("directory", mode="0755"): YES,
        PathQuestion("directory", mode="0754"): "mode",
        PathQuestion("directory", mode="7777"): YES,
        PathQuestion("file", owner=user): YES,
        PathQuestion("file", owner=str(os.getuid())): YES,
        PathQuestion("file", owner="daemon"): "owner",
        PathQuestion("file", owner="1"): "owner",
        PathQuestion("file", owner="no such user"): "owner",
        PathQuestion("file", owner=f"{user} -o -true"): "owner",
        PathQuestion("file", group=group): YES,
        PathQuestion("file", group=str(os.getgid())): YES,
        PathQuestion("file", group="daemon"): "group",
        PathQuestion("file", group="no such group"): "group",
        PathQuestion("file", digest=DIGEST): YES,
        PathQuestion("link", digest=DIGEST): YES,
        PathQuestion("file", digest="0" * 64): "content",
        PathQuestion("directory", digest=DIGEST): "content",
        PathQuestion("directory", digest=hashlib.sha256(b"").hexdigest()): "content",
        PathQuestion("file", **there): YES,
        PathQuestion("gone", **there): "missing",
        PathQuestion("file", **there | {"type": "directory", "mode": "0000"}): "type",
        PathQuestion("file", **there | {"mode": "0000", "owner": "daemon"}): "mode",
        PathQuestion("file", **there | {"owner": "daemon", "group": "daemon"}): "owner",
        PathQuestion("file", **there | {"group": "daemon", "digest": "0" * 64}): "group",
        PathQuestion("file", **there | {"digest": "0" * 64}): "content",
    }
    assert dict(zip(expected, words(list(expected), shell))) == expected


def test_an_empty_file_is_there_and_has_a_digest(shell, directory):
    (directory / "empty").touch()
    digest = hashlib.sha256(b"").hexdigest()
    questions = [
        PathQuestion("empty"),
        PathQuestion("empty", digest=digest),
        PathQuestion("empty", digest=DIGEST),
    ]
    assert words(questions, shell) == [YES, YES, "content"]


def test_pipes_and_endless_devices_are_not_read(shell, directory):
    os.mkfifo(directory / "pipe")
    assert words([PathQuestion("pipe", digest=DIGEST)], shell, limit=3) == ["content"]
    assert words([PathQuestion("/dev/zero", digest=DIGEST)], shell, limit=3) == ["content"]


def test_answers_about_commands(shell, directory):
    expected = {
        "true": (YES, ""),
        ":": (YES, ""),
        "false": ("1", ""),
        "exit 3": ("3", ""),
        "exit 255": ("255", ""),
        "no-such-program": ("127", None),
        "if": (None, None),  # not valid
        "'": (None, None),
        "echo one; echo two; exit 1": ("1", "two"),
        "echo one": (YES, "one"),
        "printf 'no line end'; exit 1": ("1", "no line end"),
        "echo one; echo; echo ' '; exit 1": ("1", "one"),
        "printf 'a\\r\\nb\\r\\n'; exit 1": ("1", "b"),
        "echo oops >&2; exit 1": ("1", "oops"),
        'echo "it\'s \\"so\\""; exit 1': ("1", 'it\'s "so"'),
        "echo one # exit 1": (YES, "one"),
        "echo one\necho two\nexit 4": ("4", "two"),
        "cat; echo end; exit 1": ("1", "end"),  # there is nothing to read
        "read line; exit $?": ("1", ""),
        "set -e; false; echo after": ("1", ""),
        "set -eu; echo $unset_variable": (None, None),
        "exec true": (YES, ""),
        "exec >&- 2>&-; exit 5": ("5", ""),
        "(exit 6)": ("6", ""),
        "echo yes; exit 1": ("1", "yes"),
        "echo 0; exit 1": ("1", "0"),
        "exit 0; }; exit 0": (None, None),
        "kill -9 $$": ("137", None),
        "kill -15 $$": ("143", None),
        "trap 'echo bye' EXIT; exit 7": ("7", "bye"),
        "sleep 1 & echo begun; exit 8": ("8", "begun"),
        "echo kept > file; exit 1": ("1", ""),
        "true; ": (YES, ""),
    }
    answers = answers_to([CommandQuestion(command) for command in expected], shell)
    for (command, (word, printed)), answer in zip(expected.items(), answers):
        # None where the message or the status differs between shells.
        assert answer is not None, command
        assert answer[0] == word or (word is None and answer[0] != YES), (command, answer)
        assert printed in (None, answer[1]), (command, answer)
    assert (directory / "file").read_text() == "kept\n"


def test_a_command_does_not_change_the_answers_after_it(shell, directory):
    """Neither what it prints nor what it does."""
    (directory / "file").touch()
    questions = [
        PathQuestion("file"),
        CommandQuestion("echo yes; cd /; exit 1"),
        PathQuestion("gone"),
        CommandQuestion("exit 0"),
        CommandQuestion("w=no; n=1; say() { exit 1; }; printf '1 2 yes 1\\n1 4 0 1'; exit 9"),
        PathQuestion("file", type="directory"),
        PathQuestion("file"),
    ]
    assert words(questions, shell) == [YES, "1", "missing", YES, "9", "type", YES]


@pytest.mark.claims("Only the last 1000 bytes of a command's output leave the node.")
def test_much_output_stays_on_the_node(shell):
    script = Script(
        [
            CommandQuestion("yes a long line | head -c 10000000; echo; echo end; exit 1"),
            CommandQuestion("true"),
        ]
    )
    output = output_of(script, shell)
    assert len(output) < 2000
    assert script.answers(output) == [("1", "end"), (YES, "")]
    one_line = Script([CommandQuestion("head -c 10000000 /dev/zero | tr '\\0' x; exit 1")])
    [(word, printed)] = one_line.answers(output_of(one_line, shell))
    assert word == "1"
    assert set(printed) == {"x"}
    assert len(printed) <= 1000


def test_output_that_is_not_text_is_kept(shell):
    [(word, printed), after] = answers_to(
        [CommandQuestion(r"printf '\377\376\000\033[31m'; exit 1"), CommandQuestion("true")], shell
    )
    assert word == "1"
    assert printed.startswith("\udcff\udcfe")
    assert after == (YES, "")


def test_a_command_is_killed_after_its_timeout(shell):
    begin = time.monotonic()
    questions = [
        CommandQuestion("sleep 20", 1),
        CommandQuestion("echo quick; exit 3", 20),
        CommandQuestion("true", 20),
    ]
    [(killed, _printed), *others] = answers_to(questions, shell)
    assert [killed, *others] == ["137", ("3", "quick"), (YES, "")]
    assert time.monotonic() - begin < 10


def test_without_the_program_timeout_commands_run_to_their_end(directory):
    environment = tools_without(directory / "tools", "timeout")
    questions = [
        CommandQuestion("echo quick; exit 3", 20),
        CommandQuestion("exit 4", 20),
        CommandQuestion("sleep 2", 1),
    ]
    answers = answers_to(questions, (("sh",), environment))
    assert [word for word, _printed in answers] == ["3", "4", YES]
    assert [printed for _word, printed in answers[:2]] == ["quick", ""]


def test_without_tools_no_answer_is_yes(directory):
    (directory / "file").write_text(TEXT)
    digest, mode, owner = (
        PathQuestion("file", digest=DIGEST),
        PathQuestion("file", mode="0777"),
        PathQuestion("file", owner="root"),
    )
    all_digests = ("sha256sum", "shasum", "openssl")
    assert words([digest], (("sh",), tools_without(directory / "a", *all_digests))) == ["unknown"]
    assert words([mode, owner], (("sh",), tools_without(directory / "b", "find"))) == [
        "mode",
        "owner",
    ]
    word, after = words(
        [CommandQuestion("echo one; exit 3"), PathQuestion("file")],
        (("sh",), tools_without(directory / "c", "tail")),
    )
    assert word != YES
    assert after == YES


@pytest.mark.parametrize("tool", ["sha256sum", "shasum", "openssl"])
def test_any_one_tool_for_digests_is_enough(directory, tool):
    (directory / "file").write_text(TEXT)
    environment = tools_without(directory / "tools", "sha256sum", "shasum", "openssl")
    real = shutil.which(tool)
    if not real:
        pytest.skip(f"{tool} is not installed")
    # A script, as shasum is one too, which requires its interpreter on the PATH.
    (directory / "tools" / tool).write_text(f'#!/bin/sh\nPATH=/usr/bin:/bin exec {real} "$@"\n')
    (directory / "tools" / tool).chmod(0o755)
    assert words(
        [PathQuestion("file", digest=DIGEST), PathQuestion("file", digest="0" * 64)],
        (("sh",), environment),
    ) == [
        YES,
        "content",
    ]


PROFILES = {
    "banner": "echo Welcome; echo yes; echo 0; echo; echo '0 yes'",
    "banner without an end": "printf 'Welcome to 0 yes '",
    "set -eu": "set -eu",
    "set -x": "set -x",
    "set -v": "set -v",
    "set -a": "set -a",
    "set -f": "set -f",
    "set -C": "set -C",
    "its own variables": "n=1; w=yes; r=0; d=; unset PWD",
    "a trap": "trap 'echo bye yes' EXIT",
    "Turkish": "export LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 LANGUAGE=tr",
    "no locale": "export LC_ALL=xx_XX.nowhere",
    "umask": "umask 777",
    "no stdin": "exec <&-",
    "something on file descriptors 3 and 4": "exec 3>&2 4>&2",
    "chatter on stderr": (
        "(while :; do echo 0 yes >&2; done) & chatter=$!; trap 'kill $chatter' EXIT"
    ),
}


@pytest.mark.claims(
    "Banners, profiles, echoes and answers to other commands do not count, and a truncated answer"
    " never counts as a yes."
)
@pytest.mark.parametrize("profile", PROFILES.values(), ids=PROFILES)
def test_the_answers_do_not_depend_on_what_a_profile_prints_or_sets(shell, directory, profile):
    (directory / "file").write_text(TEXT)
    questions = [
        PathQuestion("file", mode="0777", digest=DIGEST),
        PathQuestion("gone"),
        CommandQuestion("echo one; exit 1"),
        CommandQuestion("false"),
        CommandQuestion("true"),
        PathQuestion("file", type="directory"),
    ]
    expected = [(YES, ""), ("missing", ""), ("1", "one"), ("1", ""), (YES, ""), ("type", "")]
    answers = answers_to(questions, shell, profile)
    if "chatter" not in profile:
        assert answers == expected
    # Where another process writes to the same stream, an answer may be lost. The others are right.
    for answer, right in zip(answers, expected):
        assert answer is None or answer[0] == right[0]


@pytest.mark.claims(
    "Banners, profiles, echoes and answers to other commands do not count, and a truncated answer"
    " never counts as a yes."
)
def test_line_ends_and_echoes_of_a_terminal_do_not_change_the_answers(shell, directory):
    (directory / "file").touch()
    script = Script(
        [
            PathQuestion("file"),
            PathQuestion("gone"),
            CommandQuestion("echo one; exit 1"),
            CommandQuestion("true"),
        ]
    )
    expected = [(YES, ""), ("missing", ""), ("1", "one"), (YES, "")]
    output = output_of(script, shell)
    assert script.answers(output) == expected
    assert script.answers(output.replace("\n", "\r\n")) == expected
    assert script.answers(output.replace("\n", "\r\r\n")) == expected
    assert script.answers(f"# {script.text}\r\n{output}") == expected
    assert script.answers(script.text) == [None] * 4


@pytest.mark.claims(
    "Banners, profiles, echoes and answers to other commands do not count, and a truncated answer"
    " never counts as a yes."
)
def test_a_truncated_answer_is_never_a_yes(directory):
    (directory / "file").touch()
    script = Script(
        [
            PathQuestion("file"),
            CommandQuestion("echo 0 yes; true"),
            CommandQuestion("true", 5),
            PathQuestion("file"),
        ]
    )
    output = output_of(script)
    whole = script.answers(output)
    assert [word for word, _printed in whole] == [YES] * 4
    # Where the last line of each answer has its last character.
    number = script._factors[0] * script._factors[1]
    ends = [
        output.index(last) + len(last)
        for last in (f"{number} {i} {w} {number}" for i, w in enumerate(["yes", "0", "0", "yes"]))
    ]
    for cut in range(len(output) + 1):
        answers = script.answers(output[:cut])
        assert answers == [answer if cut >= end else None for answer, end in zip(whole, ends)], (
            output[:cut]
        )
        # The beginning or a part in the middle may be lost. No new answer results from it.
        for one, right in chain(
            zip(script.answers(output[cut:]), whole),
            zip(script.answers(output[:cut] + output[cut + 9 :]), whole),
        ):
            assert one is None or one[0] == right[0]


NOISE = {
    "text": "warning: yes",
    "line end": "\n",
    "line": "warning: yes\n",
    "line of its own": "\nwarning\n",
    "answer": "\r\n0 yes\r\n",
    "NUL": "\x00",
    "accented letter": "é",
    "space": " ",
}


@pytest.mark.parametrize("noise", NOISE.values(), ids=NOISE)
def test_text_of_stderr_in_an_answer_never_makes_it_a_yes(directory, noise):
    script = Script(
        [
            PathQuestion("gone"),
            CommandQuestion("exit 1"),
            CommandQuestion("echo yes; exit 10"),
            PathQuestion("x/y"),
        ]
    )
    output = output_of(script)
    for position in range(len(output) + 1):
        answers = script.answers(output[:position] + noise + output[position:])
        assert not any(answer and answer[0] == YES for answer in answers)


@pytest.mark.claims(
    "An answer counts only if it is framed by a number that is new for each command sent to the"
    " node.",
    "Banners, profiles, echoes and answers to other commands do not count, and a truncated answer"
    " never counts as a yes.",
)
def test_an_answer_to_another_script_does_not_count():
    questions = [PathQuestion("/"), CommandQuestion("true")]
    first, second = Script(questions), Script(questions)
    assert first.text != second.text
    assert second.answers(output_of(first)) == [None, None]
    assert (
        first.answers("")
        == first.answers("0 yes")
        == first.answers("0 0 yes 0\n0 1 0 0")
        == [None, None]
    )


NAMES = [
    "with space",
    " ",
    "'",
    '"',
    'it\'s "so"',
    "a\nb",
    "\n",
    "trailing\n",
    "-n",
    "--help",
    "-delete",
    "!",
    "(",
    ")",
    ",",
    "$(touch pwned)",
    "`touch pwned`",
    "; touch pwned",
    "$HOME",
    "${HOME}",
    "~",
    "~root",
    "back\\slash",
    "\\n",
    "*",
    "?[a]",
    "{a,b}",
    "#",
    "&",
    "|",
    "<x>",
    "tab\there",
    "cr\rhere",
    "%s",
    "grüße",
    "日本",
    b"not \xff\xfe utf-8".decode(errors="surrogateescape"),
    "\x1b[31m",
    "x" * 255,
]


@pytest.mark.claims("A path is quoted: `$(...)` in it is part of the name and is not executed.")
def test_odd_names_are_taken_literally(shell, directory):
    (directory / "there").mkdir()
    (directory / "empty").mkdir()
    for name in NAMES:
        (directory / "there" / name).write_text(TEXT)
    # Files that a pattern, a removed line end or a substituted variable would find.
    for name in ("ab", "xa", "a", "b", "trailing", "-", "x"):
        (directory / "empty" / name).touch()
    options = {"type": "file", "mode": "0777", "owner": str(os.getuid()), "digest": DIGEST}
    for prefix in (f"{directory}/there/", ""):
        assert words(
            [PathQuestion(prefix + name, **options) for name in NAMES],
            shell,
            cwd=directory / "there",
        ) == [YES] * len(NAMES)
    for prefix in (f"{directory}/empty/", ""):
        missing = words(
            [PathQuestion(prefix + name, **options) for name in NAMES],
            shell,
            cwd=directory / "empty",
        )
        assert missing == ["missing"] * len(NAMES)
    assert sorted(os.listdir(directory / "empty")) == sorted(
        ["ab", "xa", "a", "b", "trailing", "-", "x"]
    )
    assert sorted(os.listdir(directory / "there")) == sorted(NAMES)


COMMANDS = {
    "echo one!two; exit 1": "one!two",
    "echo 'one!'; exit 1": "one!",
    "echo one\\!; exit 1": "one!",
    "! echo one!": "one!",
    "test ! -e /nowhere && echo one; exit 1": "one",
    "echo one\nif true\nthen echo two # !\nfi\nexit 1\n": "two",
    "echo one \\\n two; exit 1": "one two",
    "printf '%s' 'a\\b'; exit 1": "a\\b",
    "printf '%s' 'a\\\\'; exit 1": "a\\\\",
    "printf '%s' 'a\\'; exit 1": "a\\",
    "echo \\'; exit 1": "'",
    "printf %s '\\041!\\0041'; exit 1": "\\041!\\0041",
    "printf %s '!7%b'; exit 1": "!7%b",
    "echo grüße 日本!; exit 1": "grüße 日本!",
}


@pytest.mark.parametrize("login_shell", LOGIN_SHELLS)
@pytest.mark.parametrize("nesting", [1, 2], ids=["plain", "with sudo"])
def test_login_shells_do_not_distort_the_script(directory, login_shell, nesting):
    for name in NAMES:
        (directory / name).write_text(TEXT)
    questions = [
        *[PathQuestion(name, mode="0777", digest=DIGEST) for name in NAMES],
        *map(CommandQuestion, COMMANDS),
    ]
    answers = []
    for script in scripts(questions):
        command = script.text
        for _level in range(nesting):
            command = f"/bin/sh -c {shlex.quote(command)}"
        limited = ["timeout", "60", login_shell, "-c", command]
        output = subprocess.run(limited, check=False, capture_output=True).stdout
        answers += script.answers(output.decode(errors="surrogateescape"))
    assert dict(zip(NAMES, answers)) == dict.fromkeys(NAMES, (YES, ""))
    printed = dict(zip(COMMANDS, answers[len(NAMES) :]))
    assert printed == {command: ("1", line) for command, line in COMMANDS.items()}


def test_only_what_login_shells_would_distort_is_encoded(shell):
    """Encoded or not, it asks the same."""
    plain = CommandQuestion("test ! -e /nowhere && printf '%s\\n' one; exit 1")
    assert f"sh -c {shlex.quote(plain.command)}" in Script([plain]).text
    for command, printed in COMMANDS.items():
        assert answers_to([CommandQuestion(command)], shell) == [("1", printed)]


def test_odd_owners_are_taken_literally(shell, directory):
    (directory / "file").touch()
    for name in ("$(touch pwned)", "root' -o -name '*", "-newer", "root -o", "!", "", "*"):
        for key in ("owner", "group"):
            expected = key if name else YES  # empty requires nothing
            assert words([PathQuestion("file", **{key: name})], shell) == [expected]
    assert os.listdir(directory) == ["file"]


def test_questions_that_are_too_long_for_one_command_are_split(directory):
    assert scripts([]) == []
    few = [PathQuestion("a"), CommandQuestion("b")]
    assert [script.questions for script in scripts(few)] == [few]

    questions = [PathQuestion(f"{'long' * 40}/../{number}", mode="0777") for number in range(100)]
    too_long_alone = CommandQuestion(f": {'x' * SCRIPT_LENGTH}; exit 50")
    questions.insert(50, too_long_alone)
    (directory / ("long" * 40)).mkdir()
    for number in range(0, 100, 3):
        (directory / str(number)).touch()
    parts = scripts(questions)
    assert [question for script in parts for question in script.questions] == questions
    too_long = [script for script in parts if len(script.text) > SCRIPT_LENGTH]
    assert [script.questions for script in too_long] == [[too_long_alone]]
    assert len(parts) < 10
    answers = [answer[0] for script in parts for answer in script.answers(output_of(script))]
    assert answers.pop(50) == "50"
    assert answers == ["missing" if number % 3 else YES for number in range(100)]


def test_forbidden_bits_are_those_that_a_mode_lacks():
    assert forbidden_bits("7777") == []
    assert forbidden_bits("0640") == [0o1, 0o2, 0o4, 0o10, 0o20, 0o100, 0o1000, 0o2000, 0o4000]
    assert len(forbidden_bits("000")) == 12


def test_the_output_without_answers_has_no_frame_of_one():
    """What came instead of the answer to one question is not the answer to another."""
    script = Script([PathQuestion("/a"), CommandQuestion("true")])
    number = script._factors[0] * script._factors[1]
    output = f"banner\r\n{number} 1 begin {number}\n\n{number} 1 0 {number}\nsh: not found\n \n"
    assert script.answers(output)[0] is None
    assert script.without_answers(output) == ["banner", "sh: not found"]
