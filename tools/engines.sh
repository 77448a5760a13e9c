#!/bin/bash
# Builds the servers that test/engines needs into a cache folder outside the clone, LINTEL_ENGINES or ~/.cache/lintel-engines.
# What is there already is kept.
set -e
folder=${LINTEL_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/lintel-engines}
mkdir -p "$folder"
if [ ! -x "$folder/victoria-logs" ]; then
  command -v go >/dev/null || { echo "engines: go is needed to build VictoriaLogs; install it (Debian: golang-go)" >&2; exit 1; }
  echo "engines: building VictoriaLogs (once, some minutes)" >&2
  GOBIN="$folder" GOFLAGS=-mod=mod go install github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1
fi
# Of the sources of test/engines/receivers, again when these are newer.
receivers=$(dirname "$0")/../test/engines/receivers
for name in fluent lumber; do
  [ "$folder/$name-receiver" -nt "$receivers/$name/main.go" ] && [ "$folder/$name-receiver" -nt "$receivers/go.mod" ] && continue
  command -v go >/dev/null || { echo "engines: go is needed to build $name-receiver; install it (Debian: golang-go)" >&2; exit 1; }
  echo "engines: building $name-receiver" >&2
  (cd "$receivers" && GOFLAGS=-mod=readonly go build -o "$folder/$name-receiver" "./$name")
done
