"""Takes the examples out of documents and deployment files.

    examples.py yaml DOCUMENT FOLDER     writes each ```yaml block whose first line is `# FILE` to FOLDER/FILE
    examples.py commands ROOT JOBS       prints every command line of grantwarden as JSON: where it stands, and its arguments
"""

import json
import pathlib
import re
import shlex
import sys

import yaml

FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
OPERATORS = {">", ">>", "|", ";", "&&"}


def blocks(document, language):
    return [text for kind, text in FENCE.findall(document.read_text()) if kind == language]


def write_yaml(document, folder):
    found = 0
    for text in blocks(document, "yaml"):
        name = re.match(r"# (\S+\.yml)\n", text)
        if name is None:
            sys.exit(f"{document}: a YAML block does not begin with `# FILE`:\n{text[:200]}")
        path = folder / name.group(1)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        found += 1
    if found < 3:
        sys.exit(f"{document}: only {found} YAML blocks")


def in_shell(script):
    """The arguments of each call of grantwarden in a script."""
    for line in script.replace("\\\n", " ").splitlines():
        if "grantwarden" not in line:
            continue
        # As shells do, operators end a word; those of the examples stand outside quotes.
        words = shlex.split(re.sub(r"(>>?|\||;|&&)", r" \1 ", line), comments=True)
        before = ";"
        while words:
            word = words.pop(0)
            # Where a command begins: first, after an operator, after a variable. Or the name of the container's image.
            begins = before in OPERATORS or re.match(r"\w+=", before)
            before = word
            if not (word == "grantwarden" and begins) and not re.match(r"grantwarden:\d", word):
                continue
            arguments = []
            while words and words[0] not in OPERATORS:
                arguments.append(words.pop(0))
            # The name of the image where it is built.
            if arguments != ["-"]:
                yield arguments


def scripts(value):
    """Every script in a job, whichever way GitHub or GitLab call it."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key in {"run", "script", "before_script"}:
                yield from inner if isinstance(inner, list) else [inner]
            else:
                yield from scripts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from scripts(inner)


def commands(root, jobs):
    docs = root / "docs"
    for name in ["ci.md", "schedules.md"]:
        for script in blocks(docs / name, "sh"):
            yield from ((name, arguments) for arguments in in_shell(script))
    for path in sorted(jobs.rglob("*.yml")):
        for script in scripts(yaml.safe_load(path.read_text())):
            yield from ((path.name, arguments) for arguments in in_shell(script))
    unit = (docs / "deploy/grantwarden.service").read_text().replace("\\\n", " ")
    start = re.search(r"^ExecStart=/usr/local/bin/grantwarden (.*)$", unit, re.MULTILINE).group(1)
    yield "grantwarden.service", shlex.split(start)
    for line in (docs / "deploy/grantwarden.cron").read_text().splitlines():
        job = re.match(r"(?:[\d*/,-]+ ){5}grantwarden (.*)$", line)
        if job:
            yield from (("grantwarden.cron", arguments) for arguments in in_shell(job.group(1)))
    for resource in yaml.safe_load_all((docs / "deploy/cronjob.yaml").read_text()):
        if resource["kind"] == "CronJob":
            [container] = resource["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"]
            yield "cronjob.yaml", container["args"]


def main():
    what, first, second = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
    if what == "yaml":
        return write_yaml(first, second)
    found = list(commands(first, second))
    sources = {source for source, _ in found}
    expected = {"ci.md", "policy.yml", ".gitlab-ci.yml", "grantwarden.service", "grantwarden.cron", "cronjob.yaml"}
    if not expected <= sources:
        sys.exit(f"no command in {sorted(expected - sources)}")
    for source, arguments in found:
        print(json.dumps({"from": source, "arguments": arguments}))


main()
