#!/usr/bin/env bash
# Reports against other people's validators: SARIF by Microsoft's multitool (the official JSON schema, the rules of the form, and what
# GitHub's code scanning wants), OCSF by the models of py-ocsf-models (OCSF 1.5.0), JUnit by a parser of XML.
# Argument: a build of grantwarden. Needs npm, python3 with venv, and their registries.
set -euo pipefail
program=$(realpath "$1")
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$scratch"

npm install --silent --no-save --no-audit --no-fund --prefix tools "@microsoft/sarif-multitool-linux@5.7.0" > npm.log 2>&1 || { cat npm.log; exit 1; }
python3 -m venv python
python/bin/pip install --quiet "py-ocsf-models==0.10.0"

"$program" demo --export demo.jsonl > /dev/null
# A tenant that cannot be reached, so that an incomplete scan is looked at, too.
cat > grantwarden.toml <<'TOML'
[[tenant]]
name = "nowhere <&> \"]]>"
platform = "salesforce"
base_url = "http://127.0.0.1:9"
auth = { method = "static", token = { env = "NO_SUCH_TOKEN" } }
TOML
# Twice, so that the reports say since when findings are there.
for _ in 1 2; do
  status=0
  "$program" scan --store store.db --export nowhere.jsonl --output nowhere.sarif --output nowhere.ocsf.jsonl --output nowhere.xml > /dev/null || status=$?
  [ "$status" = 3 ]
done
grep -q '"baselineState":"unchanged"' nowhere.sarif
grep -q '"first_seen_time":' nowhere.ocsf.jsonl
status=0
"$program" scan --config /dev/null --offline --inventory demo.jsonl \
  --output demo.sarif --output demo.ocsf.jsonl --output demo.xml > /dev/null || status=$?
[ "$status" = 1 ]
# What of the demo is gone and new, and what could not be compared.
status=0
"$program" diff demo.jsonl nowhere.jsonl --output changes.sarif --output changes.ocsf.jsonl --output changes.xml > /dev/null || status=$?
[ "$status" = 3 ]
python3 "$here/edited.py" demo.jsonl later.jsonl
"$program" diff demo.jsonl later.jsonl --output later.sarif --output later.ocsf.jsonl --output later.xml > /dev/null

# The program itself: the package around it hands arguments to a shell. It is .NET, and needs no locale data.
multitool=tools/node_modules/@microsoft/sarif-multitool-linux/Sarif.Multitool
chmod +x "$multitool"
export DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1
for report in demo nowhere changes later; do
  "$multitool" validate "$report.sarif" --rule-kind "Sarif;Ghas" --output "$report.checked" > tool.log 2>&1 || { cat tool.log; exit 1; }
done
# A validator that refuses nothing proves nothing.
python3 -c 'import json; log = json.load(open("demo.sarif")); del log["runs"][0]["results"][0]["message"]; json.dump(log, open("broken.sarif", "w"))'
"$multitool" validate broken.sarif --rule-kind "Sarif;Ghas" --output broken.checked > /dev/null 2>&1 || true

python/bin/python "$here/verdict.py"
