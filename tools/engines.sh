#!/bin/bash
# Builds, or fetches, the servers that test/engines needs into a cache folder outside the clone, LINTEL_ENGINES or ~/.cache/lintel-engines.
# What is there already is kept.
set -e
folder=${LINTEL_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/lintel-engines}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
build() { # build PROGRAM MODULE@VERSION
  [ -x "$folder/$1" ] && return
  command -v go >/dev/null || { echo "engines: go is needed to build $1; install it (Debian: golang-go)" >&2; exit 1; }
  echo "engines: building $1 (once, some minutes)" >&2
  GOBIN="$folder" GOFLAGS=-mod=mod go install "$2"
}
build victoria-logs github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1
build influxd github.com/influxdata/influxdb/cmd/influxd@v1.8.3
# A hundred MB with its pages: only the server, and nothing of it installed.
if [ ! -x "$folder/prometheus" ]; then
  echo "engines: fetching Debian's prometheus" >&2
  fetched=$(mktemp -d)
  trap 'rm -rf "$fetched"' EXIT
  cd "$fetched"
  # As root, apt would go to a user that may not write there, and says so.
  get() { apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null; }
  get || { apt-get update -qq && get; }
  dpkg-deb -x prometheus_*.deb .
  cp "$fetched/usr/bin/prometheus" "$folder/prometheus"
fi
