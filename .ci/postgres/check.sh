#!/usr/bin/env bash
# The store on a real PostgreSQL server: installs one if there is none, starts it on loopback in a scratch folder, runs the tests that need it.
set -euo pipefail
cd "$(dirname "$0")/../.."

if ! ls /usr/lib/postgresql/*/bin/initdb > /dev/null 2>&1; then
  apt-get update -qq
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql > /dev/null
fi
programs=$(dirname "$(ls /usr/lib/postgresql/*/bin/initdb | tail -1)")
scratch=$(mktemp -d)
# The server refuses to run as root.
owner=()
if [ "$(id -u)" = 0 ]; then
  chown postgres "$scratch"
  owner=(runuser -u postgres --)
fi
# From the scratch folder: the server's user may not be allowed to see this one.
serve() { (cd "$scratch" && "${owner[@]}" "$programs/$1" "${@:2}"); }
trap 'serve pg_ctl -D "$scratch/data" -m immediate stop > /dev/null 2>&1 || true; rm -rf "$scratch"' EXIT

serve initdb -D "$scratch/data" -U grantwarden --auth=trust --encoding=UTF8 > /dev/null
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
serve pg_ctl -D "$scratch/data" -w -l "$scratch/server.log" -o "-p $port -c listen_addresses=127.0.0.1 -k $scratch" start > /dev/null
GRANTWARDEN_TEST_POSTGRES="postgres://grantwarden@127.0.0.1:$port/postgres" cargo test --test it postgres -- --ignored
