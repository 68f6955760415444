"""The documents for people: every command in them exists with its options, and every link leads somewhere."""

import importlib.util
import re
import shlex
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
import typer.main
from running import ROOT

from llmflow.cli import app

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "data" / "sample").glob("*.md")])
NAMES = [path.relative_to(ROOT).as_posix() for path in PAGES]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
TARGETS = set(re.findall(r"^([a-z][a-z-]*):(?!=)", MAKEFILE, re.MULTILINE))
VARIABLES = set(re.findall(r"^([A-Z_]+)\s*[?:]?=", MAKEFILE, re.MULTILINE))
PROGRAM = re.compile(r"^(?:[A-Z_]+=\S+\s+)*(?:\S*/)?(llmflow|make|kedro)(?=\s|$)(.*)$")


def code_of(text: str) -> Iterator[tuple[str, bool]]:
    """Yield (line of code, whether it stands in a block) of fenced and indented blocks and of code in sentences."""
    fenced = re.compile(r"^(```|~~~).*?^\1\s*$", re.MULTILINE | re.DOTALL)
    for block in fenced.finditer(text):
        for line in re.sub(r"\\\n\s*", " ", block.group()).splitlines()[1:-1]:
            yield line.strip().removeprefix("$ "), True
    prose = fenced.sub("", text)
    for line in prose.splitlines():
        if re.match(r" {4,}\S", line) and not re.match(r" {4,}([-*]|\d+\.) ", line):
            yield line.strip().removeprefix("$ "), True
        else:
            for span in re.findall(r"`([^`]+)`", line):
                yield span, False


def commands_of(page: str) -> Iterator[tuple[str, list[str], bool]]:
    """Yield (program, arguments, whether it is complete) of every command on a page."""
    for code, in_block in code_of((ROOT / page).read_text(encoding="utf-8")):
        for part in re.split(r"\s+&&\s+|\s*;\s+", code):
            if found := PROGRAM.match(re.sub(r"\s+#\s.*$", "", part)):
                yield found[1], shlex.split(found[2]), in_block


def problem_of_make(arguments: list[str]) -> str | None:
    for argument in arguments:
        name, is_variable, _ = argument.partition("=")
        if is_variable and name not in VARIABLES:
            return f"the Makefile has no variable {name}"
        if not is_variable and not argument.startswith("-") and argument not in TARGETS:
            return f"the Makefile has no target {argument}"
    return None


def problem_of_llmflow(arguments: list[str], is_complete: bool) -> str | None:
    """Return what the command line would refuse; only complete commands need all of their arguments."""
    command, name, rest = typer.main.get_command(app), "llmflow", list(arguments)
    while hasattr(command, "commands") and rest and not rest[0].startswith("-"):
        name, word = f"{name} {rest[0]}", rest.pop(0)
        if word not in command.commands:
            return f"there is no command '{name}'"
        command = command.commands[word]
    options = {option for parameter in command.params for option in (*parameter.opts, *parameter.secondary_opts)} | {"--help"}
    unknown = [word for word in rest if word.startswith("-") and word.split("=")[0] not in options]
    if unknown:
        return f"'{name}' has no {unknown[0]}"
    if is_complete and not hasattr(command, "commands"):
        try:
            command.make_context(name, rest)
        except Exception as refused:
            return f"'{name}' refuses {rest}: {getattr(refused, 'message', refused)}"
    return None


def problem_of_kedro(arguments: list[str]) -> str | None:
    from kedro.framework.cli.project import run

    from llmflow.pipeline_registry import register_pipelines

    if arguments[:1] != ["run"]:
        return None if arguments[:1] in (["viz"], ["registry"], ["catalog"]) or not arguments else f"kedro has no {arguments[0]}"
    options = {option for parameter in run.params for option in parameter.opts}
    words = [part for argument in arguments[1:] for part in argument.split("=", 1)]
    for word, value in pairwise([*words, ""]):
        if word.startswith("-") and word not in options:
            return f"kedro run has no {word}"
        if word in ("--pipelines", "--pipeline", "-p") and not set(value.split(",")) <= set(register_pipelines()):
            return f"there is no pipeline {value}"
        if word in ("--env", "-e") and not (ROOT / "conf" / value).is_dir():
            return f"there is no environment {value}"
    return None


def problem_of(program: str, arguments: list[str], is_complete: bool) -> str | None:
    if program == "make":
        return problem_of_make(arguments)
    return problem_of_kedro(arguments) if program == "kedro" else problem_of_llmflow(arguments, is_complete)


@pytest.mark.parametrize("page", NAMES)
def test_every_command_exists(page):
    problems = [f"{program} {' '.join(rest)}: {problem}" for program, rest, whole in commands_of(page)
                if (problem := problem_of(program, rest, whole))]  # fmt: skip
    assert problems == []


def test_the_readmes_show_the_same_commands():
    english, korean = ([(p, rest[:1]) for p, rest, whole in commands_of(page) if whole] for page in ("README.md", "README.ko.md"))
    assert len(english) >= 6
    assert english == korean


@pytest.mark.parametrize("page", NAMES)
def test_every_link_leads_somewhere(page):
    path = ROOT / page
    text = re.sub(r"^(```|~~~).*?^\1\s*$", "", path.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    text = re.sub(r"`[^`\n]*`", "", text)
    targets = re.findall(r"\]\(([^)\s]+)[^)]*\)", text) + re.findall(r"(?:src|href)=\"([^\"]+)\"", text)
    local = [target for target in targets if not re.match(r"[a-z]+:", target)]
    broken = []
    for target in local:
        place, _, anchor = target.partition("#")
        file = (path.parent / place).resolve() if place else path
        is_there = file.exists() and file.is_relative_to(ROOT)
        if not is_there or (anchor and file.suffix == ".md" and anchor not in anchors_of(file)):
            broken.append(target)
    assert broken == []


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that GitHub gives to the headings of a page."""
    headings = re.findall(r"^#{1,6} +(.+?) *$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", NAMES)
def test_every_variable_is_read_by_something(page):
    named = set(re.findall(r"\bLLMFLOW_[A-Z0-9_]+\b", (ROOT / page).read_text(encoding="utf-8")))
    sources = [*(ROOT / "src").rglob("*.py"), *(ROOT / "apps").rglob("*.py"), *(ROOT / "conf").rglob("*.yml"), ROOT / "Makefile"]
    known = set(re.findall(r"\bLLMFLOW_[A-Z0-9_]+\b", "\n".join(path.read_text(encoding="utf-8") for path in sources)))
    assert named <= known


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("make dmo", "no target dmo"),
        ("make demo PROT=1", "no variable PROT"),
        ("llmflow serve", "no command 'llmflow serve'"),
        ("llmflow documents remove x", "no command 'llmflow documents remove'"),
        (".venv/bin/llmflow ask question --lang ko", "no --lang"),
        ("llmflow ingest", "refuses"),
        ("llmflow chat --port many", "refuses"),
        ("kedro run --environment test", "no --environment"),
        ("kedro run --pipelines training", "no pipeline training"),
        ("kedro run --env staging", "no environment staging"),
        ("LLMFLOW_HOME=/tmp/x kedro run --env test", None),
        ("llmflow ask question --tenant acme -g hr --json", None),
        ("llmflow eval DIR --no-latency", None),
    ],
)
def test_a_wrong_command_is_noticed(line, problem):
    found = PROGRAM.match(line)
    assert found is not None
    said = problem_of(found[1], shlex.split(found[2]), True)
    assert said is None if problem is None else problem in (said or "")


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="not a checkout: git says which files there are")
def test_the_tree_names_every_file_as_it_names_itself():
    spec = importlib.util.spec_from_file_location("make_tree", ROOT / "docs" / "make_tree.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    written = (ROOT / "docs" / "tree.md").read_text(encoding="utf-8")
    assert written == module.page().rstrip() + "\n", "run: make tree"
