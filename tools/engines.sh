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
if [ ! -x "$folder/otel-collector" ]; then
  command -v go >/dev/null || { echo "engines: go is needed to build the OpenTelemetry Collector; install it (https://go.dev/dl, 1.26)" >&2; exit 1; }
  echo "engines: building the OpenTelemetry Collector (once, some minutes)" >&2
  (cd "$(dirname "$0")/../test/engines/otel-collector" && go build -trimpath -o "$folder/otel-collector" .)
fi
