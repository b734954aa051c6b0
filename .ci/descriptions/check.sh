#!/usr/bin/env bash
# Scans the lab through Prism, which holds every call against the vendors' own descriptions: the connectors' requests and the lab's
# replies. What it objects to must be in known.json, with the reason. The descriptions are no part of this repository: their folder is
# the argument. Needs cargo, node, npm. Usage: .ci/descriptions/check.sh FOLDER
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
specs=$(cd "$1" && pwd)
work=$(mktemp -d)
children=()
trap 'kill "${children[@]}" 2> /dev/null || true; rm -rf "$work"' EXIT

(cd "$work" && npm install --silent --no-audit --no-fund @stoplight/prism-cli@5.16.0 2> /dev/null)
cargo build --quiet --manifest-path "$root/Cargo.toml" -p grantwarden
cargo build --quiet --manifest-path "$root/Cargo.toml" -p grantwarden-lab --features cli
target=${CARGO_TARGET_DIR:-$root/target}/debug

# Proofs of possession name the address that they were made for, and the router stands at another one.
sed 's/dpop = "required"/dpop = "off"/' "$root/fixtures/worlds/demo.toml" > "$work/demo.toml"
"$target/grantwarden-lab" serve --world "$work/demo.toml" --write-config "$work/config" > "$work/lab.json" &
children+=($!)
until [ -s "$work/lab.json" ]; do sleep 0.1; done

node "$here/settings.mjs" "$work" "$specs" > "$work/prisms"
while read -r port description upstream; do
  "$work/node_modules/.bin/prism" proxy --host 127.0.0.1 --port "$port" "$description" "$upstream" > "$work/prism-$port.log" 2>&1 &
  children+=($!)
done < "$work/prisms"
while read -r port _; do
  until grep -q 'listening on' "$work/prism-$port.log"; do sleep 0.2; done
done < "$work/prisms"

node "$here/router.mjs" "$work/settings.json" > "$work/router.log" &
router=$!
children+=("$router")
until grep -q ready "$work/router.log"; do sleep 0.1; done

# Findings are expected (1); anything not read is not.
status=0
"$target/grantwarden" scan --config "$work/grantwarden.toml" > "$work/scan.txt" || status=$?
if [ "$status" -gt 1 ]; then
  sed -n '/^Coverage/,$p' "$work/scan.txt"
  echo "the scan through the descriptions ended with $status"
  exit 1
fi
"$target/grantwarden" doctor --config "$work/grantwarden.toml" > "$work/doctor.txt"

node "$here/control.mjs" "$work/settings.json"
kill -TERM "$router"
wait "$router" || true
node "$here/verdict.mjs" "$work/result.json" "$here/known.json"
