#!/bin/bash
# Builds, or fetches, the servers that test/engines needs into a cache folder outside the clone, LINTEL_ENGINES or ~/.cache/lintel-engines.
# What is there already is kept.
set -e
kafka=4.1.1
opensearch=2.19.6
chdb=3.4.0
folder=${LINTEL_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/lintel-engines}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
# Go 1.21 and later fetch the one that a module asks for by themselves; that of Debian 12 is older.
command -v go >/dev/null && [ "$(printf '%s\n' go1.21 "$(go env GOVERSION)" | sort -V | head -n 1)" = go1.21 ] || {
  echo "engines: Go 1.21 or later is needed to build the servers; install it (https://go.dev/dl)" >&2
  exit 1
}
build() { # build PROGRAM MODULE@VERSION
  [ -x "$folder/$1" ] && return
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
  # As root, apt would go to a user that may not write there, and says so.
  get() { apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null; }
  (cd "$fetched" && { get || { apt-get update -qq && get; }; } && dpkg-deb -x prometheus_*.deb .)
  cp "$fetched/usr/bin/prometheus" "$folder/prometheus"
fi
# Of the source of test/engines/otel-collector, again when it is newer.
collector=$(dirname "$0")/../test/engines/otel-collector
if [ ! "$folder/otel-collector" -nt "$collector/main.go" ] || [ ! "$folder/otel-collector" -nt "$collector/go.mod" ]; then
  echo "engines: building the OpenTelemetry Collector (once, some minutes)" >&2
  (cd "$collector" && go build -trimpath -o "$folder/otel-collector" .)
fi
# What Maven has of a server and all that it needs, without installing anything of it.
fetch_jars() { # fetch_jars NAME JAR-THAT-TELLS-THE-VERSION GROUP:ARTIFACT:VERSION...
  local name=$1 told=$2 needed="" jars group artifact version one
  shift 2
  [ -e "$folder/$name/$told" ] && return
  command -v mvn >/dev/null || { echo "engines: mvn and java 17 are needed for $name; install them (Debian: maven)" >&2; exit 1; }
  echo "engines: fetching $name (once, some 45 MB)" >&2
  jars=$(mktemp -d)
  for one in "$@"; do
    IFS=: read -r group artifact version <<< "$one"
    needed+="<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>"
  done
  cat > "$jars/pom.xml" <<END
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>lintel</groupId><artifactId>$name</artifactId><version>1</version>
<dependencies>$needed</dependencies></project>
END
  mvn -q -B -f "$jars/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars/all"
  rm -rf "$folder/$name" && mv "$jars/all" "$folder/$name" && rm -r "$jars"
}
fetch_jars kafka "kafka_2.13-$kafka.jar" "org.apache.kafka:kafka_2.13:$kafka"
# The newest for Java 17.
fetch_jars opensearch "opensearch-$opensearch.jar" "org.opensearch:opensearch:$opensearch" \
  "org.opensearch.plugin:transport-netty4-client:$opensearch" org.apache.logging.log4j:log4j-core:2.25.4
# ClickHouse as a library, with its current engine; Debian's server is of 2018 and has none of the types that records need.
if [ "$(cat "$folder/chdb/version" 2>/dev/null)" != "$chdb" ]; then
  echo "engines: fetching ClickHouse's engine, chdb $chdb (once, 546 MB)" >&2
  rm -rf "$folder/chdb" && mkdir "$folder/chdb"
  npm install --silent --ignore-scripts --no-audit --no-fund --prefix "$folder/chdb" "chdb@$chdb"
  echo "$chdb" > "$folder/chdb/version"
fi
# Of the sources of test/engines/receivers, again when these are newer.
receivers=$(dirname "$0")/../test/engines/receivers
for name in fluent lumber; do
  [ "$folder/$name-receiver" -nt "$receivers/$name/main.go" ] && [ "$folder/$name-receiver" -nt "$receivers/go.mod" ] && continue
  echo "engines: building $name-receiver" >&2
  (cd "$receivers" && GOFLAGS=-mod=readonly go build -o "$folder/$name-receiver" "./$name")
done
