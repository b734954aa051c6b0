#!/usr/bin/env bash
# The HTML report in a real browser: filter, sort, links, print, accessibility, hostile names, 100,000 findings. Installs chromium where
# there is none, and playwright-core and axe-core into a temporary folder, or into FOLDER, where pictures are then left. Needs node and
# npm; apt-get only for the browser. Usage: .ci/browser/check.sh GRANTWARDEN [FOLDER]
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
program=$(realpath "$1")
if [ $# -ge 2 ]; then
  mkdir -p "$2"
  work=$(cd "$2" && pwd)
else
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
fi

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome || true)
if [ -z "$browser" ]; then
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends chromium fonts-dejavu-core > "$work/apt.log"
  browser=$(command -v chromium)
fi
cd "$work"
[ -f package.json ] || echo '{"private": true}' > package.json
npm install --silent --no-audit --no-fund playwright-core@1.65.1 axe-core@4.14.1

# Findings (1) and what is missing (3) are expected.
report() {
  local status=0
  "$program" "$@" > /dev/null || status=$?
  case $status in 0 | 1 | 3) ;; *) echo "grantwarden $* ended with $status"; exit 1 ;; esac
}
report demo --export demo.jsonl
node "$here/inventories.mjs" "$work"
for name in demo hostile large; do
  report scan --offline --inventory "$name.jsonl" --policy policy.toml --output "$name.html"
done
node "$here/check.mjs" "$work" "$browser"
