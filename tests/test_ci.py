"""What a repository with an export is given: the hooks, the action, the workflow. Each is run, or names only what there is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import Result
from conftest import ROOT

from compliance.cli import main

Cli = Callable[..., Result]
RULES = ROOT / "rules"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository with an export of one unsigned supervision."""
    export = tmp_path / "export 2026"
    export.mkdir()
    (export / "staff.csv").write_text("staff_id,started_on,left_on\nS1,2015-01-01,\n", encoding="utf-8")
    rows = "supervision_id,staff_id,held_on,signed\nV1,S1,2021-03-01,no\n"
    (export / "supervision.csv").write_text(rows, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def read(text: str) -> Any:
    return yaml.load(text, yaml.BaseLoader)


def program(folder: Path) -> Path:
    """A folder with a `compliance` and a `pip`, as an installed one would have them."""
    folder.mkdir(parents=True)
    run = f'#!/bin/sh\nPYTHONPATH={shlex.quote(str(ROOT))} exec {shlex.quote(sys.executable)} -m compliance "$@"\n'
    for name, text in (("compliance", run), ("pip", "#!/bin/sh\n")):
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


# --- hooks ----------------------------------------------------------------------------------------------------------

HOOKS = {h["id"]: h for h in read((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))}


@pytest.mark.parametrize("id_", sorted(HOOKS))
def test_a_hook_calls_a_command_that_there_is_with_options_that_it_has(id_: str) -> None:
    hook = HOOKS[id_]
    assert {"id", "name", "description", "entry", "language", "pass_filenames"} <= set(hook)
    program_, *words = shlex.split(hook["entry"])
    assert program_ == "compliance"
    command: click.Command = main
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
    given = {"export-audit": ["x", "--as-at", "2021-09-20"], "export-check": ["x"], "rules-lint": ["a.yaml", "b.yaml"]}
    command.make_context("hook", [*words, *given.get(id_, [])])


def test_the_hook_for_rule_files_takes_the_files_that_changed(cli: Cli, tmp_path: Path) -> None:
    shutil.copytree(RULES / "instruments", tmp_path / "rules" / "instruments")
    pack = tmp_path / "rules" / "safer-recruitment"
    pack.mkdir()
    rule, other = "supervision-unsigned", "supervision-missing"
    for name in ("pack", rule):
        shutil.copy(RULES / "safer-recruitment" / f"{name}.yaml", pack)
    text = (pack / f"{rule}.yaml").read_text(encoding="utf-8")
    (pack / f"{other}.yaml").write_text(text.partition("cases:")[0].replace(rule, other), encoding="utf-8")
    asked = ("rules", "lint", "--rules", tmp_path / "rules")
    whole = cli(*asked, pack / f"{rule}.yaml")
    assert (whole.exit_code, whole.stdout) == (0, "1 rules, 0 remarks.\n")
    lacking = cli(*asked, pack / f"{other}.yaml", pack / f"{rule}.yaml")
    assert lacking.exit_code == 1
    assert f"{other}.yaml: " in lacking.stdout
    assert "2 rules, " in cli(*asked, pack / "pack.yaml").stdout
    assert cli(*asked, tmp_path / "rules" / "instruments" / "grouping.yaml").stdout == "0 rules, 0 remarks.\n"
    outside = cli(*asked, RULES / "safer-recruitment" / f"{rule}.yaml")
    assert outside.exit_code == 2
    assert "is not in the folder of rules that was read" in outside.stderr


# --- the action -----------------------------------------------------------------------------------------------------

ACTION = read((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = {s["id"]: s for s in ACTION["runs"]["steps"] if "id" in s}


def act(here: Path, **inputs: str) -> tuple[subprocess.CompletedProcess[str], str, str]:
    """Runs the step that audits as a runner does; gives also the step's outputs and the job's summary."""
    temporary = here / "runner"
    if not temporary.exists():
        program(temporary / "compliance" / "bin")
    for name in ("output", "summary"):
        (temporary / name).write_text("before\n" if name == "summary" else "", encoding="utf-8")
    values = {name: given.get("default", "") for name, given in ACTION["inputs"].items()}
    values |= {name.replace("_", "-"): value for name, value in inputs.items()}
    env = {name: values[text[len("${{ inputs.") : -len(" }}")]] for name, text in STEPS["audit"]["env"].items()}
    env |= {"RUNNER_TEMP": str(temporary), "GITHUB_OUTPUT": str(temporary / "output"), "PATH": os.environ["PATH"]}
    env |= {"GITHUB_STEP_SUMMARY": str(temporary / "summary"), "XDG_CACHE_HOME": os.environ["XDG_CACHE_HOME"]}
    script = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS["audit"]["run"]]
    done = subprocess.run(script, cwd=here, env=env, capture_output=True, text=True, check=False)
    output, summary = ((temporary / name).read_text(encoding="utf-8") for name in ("output", "summary"))
    return done, output, summary


def test_the_action_ends_as_the_audit_does_and_says_so(here: Path) -> None:
    asked = {"data": "export 2026", "as_at": "2021-09-20"}
    done, output, summary = act(here, **asked)
    assert (done.returncode, output, summary) == (0, "exit-code=0\n", "before\n"), done.stderr
    assert "::warning file=export 2026/supervision.csv,line=2,endLine=2," in done.stdout
    also = {"summary": "true", "upload_sarif": "true", "also": "json=all.json\ncsv=all.csv", "fail_on": "advice"}
    done, output, summary = act(here, **asked, **also)
    assert (done.returncode, output) == (1, "exit-code=1\n"), done.stderr
    assert summary.startswith("before\n## Compliance of export 2026 as at 20 September 2021\n")
    assert (here / "runner" / "compliance.sarif").is_file()
    assert (here / "all.csv").is_file()
    done, _, _ = act(here, **asked, baseline="all.json", fail_on="advice")
    assert done.returncode == 0, done.stderr
    done, output, _ = act(here, **asked, require_complete="true")
    assert (done.returncode, output) == (3, "exit-code=3\n")


def test_the_action_takes_inputs_for_values_and_looks_from_today_unless_told(here: Path) -> None:
    done, output, _ = act(here, data='--help"; touch "$HOME/x"; $(touch y)', as_at="2021-09-20")
    assert (done.returncode, output) == (2, "exit-code=2\n")
    assert not (here / "y").exists()
    done, _, _ = act(here, data="export 2026", format="json")
    today = subprocess.run(["date", "+%F"], capture_output=True, text=True, check=True).stdout.strip()
    assert f'{{"as_at":"{today}"' in done.stdout
    assert all("${{" not in s.get("run", "") for s in STEPS.values())


def test_every_option_that_the_action_passes_on_is_one_of_the_audit() -> None:
    options = {o for p in main.commands["audit"].params for o in p.opts}
    passed = {f"--{n}" for n in ("mapping", "parameters", "waivers", "rules", "baseline", "strict", "require-complete")}
    assert passed <= options
    used = {text[len("${{ inputs.") : -len(" }}")] for text in STEPS["audit"]["env"].values()}
    assert used == set(ACTION["inputs"]) - {"python-version"}


# --- compliance ci init ---------------------------------------------------------------------------------------------


def test_ci_init_writes_a_workflow_that_uses_the_action(cli: Cli, here: Path) -> None:
    result = cli("ci", "init", "--source", "owner/compliance@v1", "--data", 'a "b" # c: d')
    assert result.exit_code == 0, result.output
    flow = read((here / ".github" / "workflows" / "compliance.yml").read_text(encoding="utf-8"))
    steps = flow["jobs"]["audit"]["steps"]
    assert steps[-1]["uses"] == "owner/compliance@v1"
    assert set(steps[-1]["with"]) <= set(ACTION["inputs"])
    assert steps[-1]["with"]["data"] == 'a "b" # c: d'
    assert flow["permissions"] == {"contents": "read"}


def test_ci_init_for_gitlab_writes_a_job_that_runs(cli: Cli, here: Path) -> None:
    given = ("--provider", "gitlab", "--source", "git+https://gitlab.example/a/b.git@v1", "--data", "export 2026")
    assert cli("ci", "init", *given).exit_code == 0
    job = read((here / ".gitlab-ci.yml").read_text(encoding="utf-8"))["compliance"]
    path = f"{program(here / 'bin')}{os.pathsep}{os.environ['PATH']}"
    for line in job["script"]:
        env = {**os.environ, **job["variables"], "PATH": path}
        subprocess.run(["bash", "-eo", "pipefail", "-c", line], cwd=here, env=env, capture_output=True, check=True)
    for file in job["artifacts"]["reports"].values():
        assert (here / file).stat().st_size > 100
    assert job["artifacts"]["public"] == "false"


def test_ci_init_doubles_what_gitlab_would_take_for_a_variable(cli: Cli, here: Path) -> None:
    given = ("--provider", "gitlab", "--source", "compliance", "--data", "a$b")
    assert cli("ci", "init", *given).exit_code == 0
    job = read((here / ".gitlab-ci.yml").read_text(encoding="utf-8"))["compliance"]
    assert job["variables"]["COMPLIANCE_DATA"] == "a$$b"


def test_ci_init_never_overwrites(cli: Cli, here: Path) -> None:
    there = here / "mine.yml"
    there.write_text("mine", encoding="utf-8")
    result = cli("ci", "init", "--source", "owner/compliance", "--out", there)
    assert (result.exit_code, there.read_text(encoding="utf-8")) == (2, "mine")
    assert "is there already" in result.stderr


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (("--source", "https://github.com/a/b"), "is no repository on GitHub"),
        (("--source", "a/b@v1\n      - run: x"), "is no repository on GitHub"),
        (("--source", "a b", "--provider", "gitlab"), "is nothing that pip installs"),
        (("--source", "a/b", "--data", "/home/x"), "is no path in a repository"),
        (("--source", "a/b", "--data", "../x"), "is no path in a repository"),
        (("--source", "a/b", "--data", "x\ny"), "is no path in a repository"),
        (("--source", "a/b", "--data", "${{ github.token }}"), "is no path in a repository"),
    ],
)
def test_ci_init_refuses_what_cannot_stand_in_a_workflow(
    cli: Cli, here: Path, given: tuple[str, ...], said: str
) -> None:
    result = cli("ci", "init", *given)
    assert result.exit_code == 2
    assert said in result.stderr
    assert not (here / ".github").exists()
    assert not (here / ".gitlab-ci.yml").exists()


def test_the_document_names_hooks_and_inputs_that_there_are() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    action, hooks = (read(block) for block in re.findall(r"```yaml\n(.*?)```", text, re.DOTALL))
    assert set(action[0]["with"]) <= set(ACTION["inputs"])
    assert {h["id"] for h in hooks["repos"][0]["hooks"]} == set(HOOKS)
