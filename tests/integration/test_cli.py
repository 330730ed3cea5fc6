"""The command line: documented exit codes, data on stdout alone, and words for every mistake."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from tests.integration.loopback_hospital import HOSPITAL, environment, make_hospital, wardround
from tests.integration.small_project import ROOT
from wardround.cli.main import app, run
from wardround.load.catalogue import explanations
from wardround.model.design import DESIGN_SCHEMA_VERSION

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

ESCAPE = re.compile(r"\x1b")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Give a project of one hospital on the loopback."""
    return make_hospital(tmp_path)


@pytest.fixture
def at_home(project: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in the project, in this process."""
    for name, value in environment(project).items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    monkeypatch.chdir(project)
    return project


def manifest_of(project: Path) -> Path:
    return project / "inventories" / HOSPITAL / "hospital.yml"


def damage(project: Path) -> None:
    """Make five mistakes."""
    path = manifest_of(project)
    text = path.read_text()
    for old, new in (
        ("127.5.1.12", "127.5.1.11"),
        ("subnet: 127.5.2.0/24", "subnet: 127.5.1.0/25"),
        ("timezone: Europe/Berlin", "timezone: Europe/Berln"),
        ("window: night\n    restart: in_window\n  srv02", "window: nigth\n    restart: in_window\n  srv02"),
        ("hospital: st-test\n", "hospital: st-test\nparameters: {ward: {title: no}}\n"),
    ):
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text)


def commands() -> list[list[str]]:
    """Give every command of the application, sub-commands included."""
    found: list[list[str]] = [[]]
    group = typer.main.get_command(app)
    for name, command in group.commands.items():  # type: ignore[attr-defined]
        found.append([name])
        found += [[name, each] for each in getattr(command, "commands", {})]
    return found


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_explains_itself(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert run([*command, "--help"]) == 0
    said = capsys.readouterr()
    assert "Usage: wardround" in said.out
    assert said.err == ""


def test_no_command_is_a_call_for_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "Commands:" in capsys.readouterr().out


@pytest.mark.parametrize("code", sorted(explanations()))
def test_every_code_is_explained(code: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["explain", code]) == 0
    assert len(capsys.readouterr().out.split()) > 8


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        (["bogus"], "bogus"),
        (["validate", "--bogus"], "--bogus"),
        (["plan"], "HOSPITAL"),
        (["plan", HOSPITAL, "--forks", "many"], "--forks"),
        (["validate", "st-tset"], f'did you mean "{HOSPITAL}"?'),
        (["design", "st-tset"], f'did you mean "{HOSPITAL}"?'),
        (["design", HOSPITAL, "--svg", "--html"], "--svg and --html are different documents"),
        (["design", HOSPITAL, "--output", "design.svg"], "--output needs a document to write"),
        (["findings", "st-tset"], f'did you mean "{HOSPITAL}"?'),
        (["plan", HOSPITAL, "--limit", "srv1"], 'did you mean "srv0'),
        (["drift", HOSPITAL, "--limit", "srv1"], 'did you mean "srv0'),
        (["drift", HOSPITAL, "--twin"], "has no twin on this machine"),
        (["apply", HOSPITAL, "--plan", "0123456789ab"], 'there is no plan "0123456789ab"'),
        (["apply", HOSPITAL, "--plan", "../../etc/passwd"], "there is no plan"),
        (["apply", HOSPITAL, "--plan", "last"], "no plan was made yet"),
        (["explain", "WR-10"], "did you mean"),
        (["architecture", "show", "wrad"], 'architecture "wrad" does not exist'),
        (["--project", "/nowhere", "validate"], "is not a project"),
    ],
)
def test_a_mistake_in_the_call_is_code_4_with_a_hint(
    at_home: Path, arguments: list[str], hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_home.is_dir()
    assert run(arguments) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert "WR-002" in said.err
    assert hint in said.err
    assert run([*arguments, "--json"]) == 4
    said = capsys.readouterr()
    [problem] = json.loads(said.out)["errors"]
    assert problem["code"] == "WR-002"
    assert hint in problem["message"]


def test_five_mistakes_are_five_problems_with_places(project: Path) -> None:
    damage(project)
    done = wardround(project, "--json", "validate", HOSPITAL)
    assert done.returncode == 4
    data = json.loads(done.stdout)
    assert data["schema_version"] == 1
    errors = data["errors"]
    assert sorted(error["code"] for error in errors) == ["WR-131", "WR-133", "WR-137", "WR-142", "WR-147"]
    lines = manifest_of(project).read_text().splitlines()
    for error in errors:
        assert error["file"] == f"inventories/{HOSPITAL}/hospital.yml"
        assert error["line"] >= 1
        assert 1 <= error["column"] <= len(lines[error["line"] - 1])
        assert error["remedy"]
    assert [error["line"] for error in errors] == sorted(error["line"] for error in errors)


def test_mistakes_are_words_on_stderr(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    damage(at_home)
    assert run(["validate"]) == 4
    said = capsys.readouterr()
    assert said.out == ""
    assert len(re.findall(rf"^inventories/{HOSPITAL}/hospital\.yml:\d+:\d+ WR-1\d\d ", said.err, re.MULTILINE)) == 5


def test_mistakes_are_annotations_for_github(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    damage(at_home)
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    assert run(["validate"]) == 4
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 5
    form = rf"::error file=inventories/{HOSPITAL}/hospital\.yml,line=\d+,col=\d+,title=WR-1\d\d::.+"
    assert all(re.fullmatch(form, line) for line in lines), lines


@pytest.mark.parametrize(
    "arguments",
    [
        ["validate"],
        ["design", HOSPITAL],
        ["findings", HOSPITAL],
        ["explain", "WR-104"],
        ["doctor"],
        ["ledger", "verify"],
        ["ledger", "runs"],
        ["architecture", "list"],
        ["architecture", "show", "ward"],
    ],
    ids=" ".join,
)
def test_json_is_all_of_stdout_wherever_it_is_asked_for(
    at_home: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert at_home.is_dir()
    said = []
    for given in (["--json", *arguments], [*arguments, "--json"]):
        code = run(given)
        data = json.loads(capsys.readouterr().out)
        assert code in {0, 1}
        assert isinstance(data, dict)
        said.append(data.keys())
        if arguments[:2] != ["architecture", "show"]:
            assert data["schema_version"] == (DESIGN_SCHEMA_VERSION if arguments[0] == "design" else 1)
    assert said[0] == said[1]


def test_a_hospital_is_named_by_name_folder_or_manifest(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    texts = set()
    for given in (HOSPITAL, f"inventories/{HOSPITAL}", f"inventories/{HOSPITAL}/", str(manifest_of(at_home))):
        assert run(["design", given]) == 0, given
        texts.add(capsys.readouterr().out)
        assert run(["findings", given]) == 0, given
        assert capsys.readouterr().out == f"{HOSPITAL}: nothing open\n"
        assert run(["validate", given]) == 0, given
        capsys.readouterr()
    assert len(texts) == 1


def test_the_design_has_the_same_bytes_in_every_process_and_order(project: Path) -> None:
    first = wardround(project, "--json", "design", HOSPITAL, PYTHONHASHSEED="0").stdout
    assert json.loads(first)["hospital"] == HOSPITAL
    assert wardround(project, "--json", "design", HOSPITAL, PYTHONHASHSEED="4242").stdout == first
    path = manifest_of(project)
    blocks = re.split(r"^(?=\S)", path.read_text(), flags=re.MULTILINE)
    path.write_text("".join(reversed(blocks)))
    assert wardround(project, "--json", "design", HOSPITAL, PYTHONHASHSEED="7").stdout == first


@pytest.mark.parametrize(
    ("form", "beginning"), [("--svg", "<?xml "), ("--html", "<!DOCTYPE html>"), ("--markdown", "# St. Test")]
)
def test_a_design_is_a_document_on_stdout_or_in_a_file(
    at_home: Path, form: str, beginning: str, capsysbinary: pytest.CaptureFixture[bytes]
) -> None:
    assert run(["design", HOSPITAL, form]) == 0
    said = capsysbinary.readouterr()
    assert said.out.decode().startswith(beginning)
    assert said.err == b""
    kept = at_home / "document"
    assert run(["design", HOSPITAL, form, "--output", str(kept)]) == 0
    assert capsysbinary.readouterr().out == b""
    assert kept.read_bytes() == said.out


def test_a_document_is_not_json(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert at_home.is_dir()
    assert run(["design", HOSPITAL, "--svg", "--json"]) == 4
    [problem] = json.loads(capsys.readouterr().out)["errors"]
    assert problem["message"] == "--json and --svg are different documents"


def test_a_document_that_cannot_be_written_is_code_1(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["design", HOSPITAL, "--svg", "--output", str(at_home / "nowhere" / "design.svg")]) == 1
    said = capsys.readouterr()
    assert said.out == ""
    assert "cannot write the document: No such file or directory" in said.err


def test_hosts_that_nobody_reaches_are_unknown(project: Path) -> None:
    done = wardround(project, "drift", HOSPITAL, "--json")
    assert done.returncode == 3, done.stderr
    data = json.loads(done.stdout)
    assert data["coverage"] == {"hosts": 2, "hosts_seen": 0, "checks": 4, "unknown": 4}
    assert {(each["host"], each["verdict"], each["cause"]) for each in data["findings"]} == {
        ("srv01", "unknown", "could_not_check"),
        ("srv02", "unknown", "could_not_check"),
    }
    keys = {"fingerprint", "host", "role", "task", "resource", "verdict", "cause", "first_seen", "last_seen", "diff"}
    assert all(keys <= set(each) for each in data["findings"])
    assert f"drift {HOSPITAL} begins" in done.stderr
    again = wardround(project, "findings", f"inventories/{HOSPITAL}", "--json")
    assert again.returncode == 0
    assert {each["fingerprint"] for each in json.loads(again.stdout)["findings"]} == {
        each["fingerprint"] for each in data["findings"]
    }
    verified = wardround(project, "ledger", "verify", "--json")
    assert json.loads(verified.stdout)["events"] > 0


def test_a_plan_of_hosts_that_nobody_reaches_changes_nothing(project: Path) -> None:
    done = wardround(project, "plan", HOSPITAL, "--json")
    assert done.returncode == 3, done.stderr
    data = json.loads(done.stdout)
    assert data["summary"] == {"changes": 0, "hosts": 2, "hosts_unknown": 2, "undecided": 4}
    kept = project.parent / "state" / HOSPITAL / "plans" / f"{data['plan']}.json"
    assert kept.stat().st_mode & 0o777 == 0o600
    kept.write_text(kept.read_text().replace('"srv01"', '"srv09"'))
    edited = wardround(project, "apply", HOSPITAL, "--plan", data["plan"])
    assert edited.returncode == 4
    assert "was edited after it was made" in edited.stderr


def shown_on_a_terminal(project: Path, *arguments: str, **more: str) -> str:
    """Give what a command shows to somebody at a terminal."""
    ours, theirs = pty.openpty()
    environment_there = {**environment(project), "TERM": "xterm-256color", **more}
    with subprocess.Popen(
        [sys.executable, "-m", "wardround.cli.main", *arguments],
        cwd=project,
        env=environment_there,
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=theirs,
    ) as process:
        os.close(theirs)
        said = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            said += part
        process.wait(60)
    os.close(ours)
    return said.decode()


def test_colour_is_for_people_who_want_it(project: Path) -> None:
    assert ESCAPE.search(shown_on_a_terminal(project, "design", HOSPITAL))
    assert not ESCAPE.search(shown_on_a_terminal(project, "design", HOSPITAL, NO_COLOR="1"))
    done = wardround(project, "design", HOSPITAL)
    assert not ESCAPE.search(done.stdout + done.stderr)


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_shells_get_a_completion_script(project: Path, shell: str) -> None:
    # Asked for by name: `--show-completion` looks for a shell among the caller's parents, and a service has none.
    done = subprocess.run(
        [Path(sys.executable).with_name("wardround")],
        cwd=project,
        env=environment(project, _WARDROUND_COMPLETE=f"source_{shell}"),
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert f"_WARDROUND_COMPLETE=complete_{shell}" in done.stdout


def test_a_shell_is_offered_commands_and_hospitals(project: Path) -> None:
    def offered(words: str) -> list[str]:
        done = subprocess.run(
            [Path(sys.executable).with_name("wardround")],
            cwd=project,
            env=environment(
                project,
                _WARDROUND_COMPLETE="complete_bash",
                COMP_WORDS=words,
                COMP_CWORD=str(len(words.split(" ")) - 1),
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
        return done.stdout.split()

    assert offered("wardround valid") == ["validate"]
    assert offered("wardround design st-") == [HOSPITAL]


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert re.fullmatch(r"wardround \d+\.\d+\.\d+\n", capsys.readouterr().out)


def test_a_released_architecture_that_changed_is_code_6(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["architecture", "release", "ward", "1.0.0"]) == 0
    path = at_home / "reference_architectures" / "ward" / "1.0.0" / "architecture.yml"
    path.write_text(path.read_text() + "\n")
    capsys.readouterr()
    assert run(["validate"]) == 6
    assert "architecture.yml" in capsys.readouterr().err


def test_the_example_hospital_is_valid(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WARDROUND_STATE", str(tmp_path))
    assert run(["--project", str(ROOT), "validate"]) == 0
    assert "st-elsewhere" in capsys.readouterr().out
