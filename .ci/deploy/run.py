"""Runs the examples' command lines, and the steps of the composite action, against the lab.

    run.py PROGRAM COMMANDS ROOT WORK

WORK holds `lab/`, a configuration for a lab that is being served. Places of a real machine become folders in WORK.
"""

import json
import pathlib
import re
import subprocess
import sys

import yaml

PLACES = {"/etc/grantwarden/grantwarden.toml": "grantwarden.toml", "/var/lib/grantwarden": "state", "/var/cache/grantwarden": "cache"}
SECRET = "FAKE-5ecret-of-a-step"


def run(arguments, folder, **more):
    environment = {"PATH": "/usr/bin:/bin", "XDG_STATE_HOME": str(folder / "state"), "SALESFORCE_KEY": SECRET, **more}
    return subprocess.run(arguments, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)


def check(is_right, what, result):
    if not is_right:
        sys.exit(f"{what}: code {result.returncode}\n{result.stderr}\n{result.stdout[-2000:]}")


def here(argument, folder):
    for place, name in PLACES.items():
        argument = argument.replace(place, str(folder / name))
    return argument


def try_command(program, source, arguments, folder):
    what = f"{source}: grantwarden {' '.join(arguments)}"
    parsed = run([program, *arguments, "--help"], folder)
    check(parsed.returncode == 0, what, parsed)
    if arguments[0] == "scan":
        # Nobody waits half an hour for a check.
        quick = ["--jitter=0m" if word == "--jitter=30m" else word for word in arguments]
        quick = ["0m" if before == "--jitter" else word for before, word in zip(["", *quick], quick)]
        scanned = run([program, *(here(word, folder) for word in quick)], folder)
        check(scanned.returncode in {0, 1} and scanned.stderr == "", what, scanned)
    print(what)


def try_action(program, root, folder):
    """The steps as GitHub runs them: bash, ending at the first error, inputs in the environment, outputs in a file."""
    action = yaml.safe_load((root / ".github/actions/scan/action.yml").read_text())
    steps = {step.get("id", step["name"]): step for step in action["runs"]["steps"]}
    outputs, summary = folder / "outputs", folder / "summary"

    def step(name, **environment):
        outputs.write_text("")
        script = steps[name]["run"]
        shell = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
        files = {"GITHUB_OUTPUT": str(outputs), "GITHUB_STEP_SUMMARY": str(summary), "RUNNER_TEMP": str(folder)}
        result = run(shell, folder, **files, **environment)
        for text in [result.stdout, result.stderr, outputs.read_text()]:
            check(SECRET not in text, f"action, {name}: prints a secret", result)
        return result, dict(line.split("=", 1) for line in outputs.read_text().splitlines())

    found, told = step("program", BINARY=program)
    check(found.returncode == 0 and told == {"path": program}, "action, program", found)
    inputs = {"PROGRAM": program, "CONFIG": "grantwarden.toml", "INVENTORY": "", "POLICY": "", "BASELINE": "", "FAIL_ON": "",
              "ALLOW_INCOMPLETE": "false", "REPORTS": "reports of a job", "UPLOAD": "true"}
    # Nobody answers there.
    config = (folder / "grantwarden.toml").read_text()
    (folder / "nowhere.toml").write_text(re.sub(r"http://127\.0\.0\.1:[0-9]+", "http://127.0.0.1:1", config))
    for more, code, complete in [
        ({}, "1", "true"),
        ({"INVENTORY": "last/grants.jsonl", "BASELINE": "baseline.jsonl"}, "0", "true"),
        ({"FAIL_ON": "never", "ALLOW_INCOMPLETE": "true"}, "0", "true"),
        ({"CONFIG": "none.toml"}, "2", "false"),
        ({"CONFIG": "nowhere.toml"}, "3", "false"),
        ({"CONFIG": "nowhere.toml", "ALLOW_INCOMPLETE": "true"}, "0", "false"),
    ]:
        scanned, told = step("scan", **{**inputs, **more})
        check(scanned.returncode == 0 and told == {"exit-code": code, "complete": complete}, f"action, scan {more}: {told}", scanned)
        check(("::warning::" in scanned.stdout) == (complete == "false"), f"action, scan {more}: the warning", scanned)
        result, _ = step("Result", CODE=code, REPORTS=inputs["REPORTS"])
        check(result.returncode == int(code), f"action, result {code}", result)
        print(f"action.yml: {more or 'live'}: code {code}, complete {complete}")
    reports = {path.name for path in (folder / inputs["REPORTS"]).iterdir()}
    expected = {"grants.txt", "grants.json", "grants.md", "grants.sarif", "grants.jsonl"}
    check(reports == expected and summary.stat().st_size > 0, f"action: {sorted(reports)}", scanned)


def main():
    program, commands, root, work = sys.argv[1], *map(pathlib.Path, sys.argv[2:])
    folder = work / "run"
    for name in ["state", "cache", "last"]:
        (folder / name).mkdir(parents=True)
    (folder / "grantwarden.toml").write_text((work / "lab/grantwarden.toml").read_text())
    first = run([program, "scan", "--export", "last.jsonl", "--write-baseline", "baseline.jsonl"], folder)
    check(first.returncode == 1, "the first scan", first)
    (folder / "last/grants.jsonl").write_text((folder / "last.jsonl").read_text())
    for line in commands.read_text().splitlines():
        command = json.loads(line)
        try_command(program, command["from"], command["arguments"], folder)
    check((folder / "cache/grants.prom").stat().st_size > 0, "no metrics", first)
    try_action(program, root, folder)


main()
