#!/bin/bash
# Builds or fetches the servers that test/engines needs into a cache folder outside the clone, LINTEL_ENGINES or ~/.cache/lintel-engines.
# What is there already is kept.
set -e
kafka=4.1.1
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
if [ ! -e "$folder/kafka/kafka_2.13-$kafka.jar" ]; then
  command -v mvn >/dev/null || { echo "engines: mvn and java 17 are needed for Kafka; install them (Debian: maven)" >&2; exit 1; }
  echo "engines: fetching Kafka $kafka (once, 43 MB)" >&2
  jars=$(mktemp -d)
  cat > "$jars/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>lintel</groupId><artifactId>kafka</artifactId><version>1</version>
<dependencies><dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>$kafka</version></dependency></dependencies></project>
END
  mvn -q -B -f "$jars/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars/kafka"
  rm -rf "$folder/kafka" && mv "$jars/kafka" "$folder/kafka" && rm -r "$jars"
fi
