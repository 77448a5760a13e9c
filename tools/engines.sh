#!/bin/bash
# Builds, or fetches, the servers that test/engines needs into a cache folder outside the clone, LINTEL_ENGINES or ~/.cache/lintel-engines.
# What is there already is kept. What does not come is asked for again, twice; then its name and where it should come from are told.
set -euo pipefail
kafka=4.1.1
opensearch=2.19.6
chdb=3.4.0
folder=${LINTEL_ENGINES:-${XDG_CACHE_HOME:-$HOME/.cache}/lintel-engines}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)
sources=$(cd "$(dirname "$0")/../test/engines" && pwd)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
say() { echo "engines: $*" >&2; }
# Where Go's own archive puts it; Go 1.21 and later fetch the one that a module asks for by themselves; that of Debian 12 is older.
PATH=/usr/local/go/bin:$PATH
command -v go >/dev/null && [ "$(printf '%s\n' go1.21 "$(go env GOVERSION)" | sort -V | head -n 1)" = go1.21 ] || {
  say "Go 1.21 or later is needed to build the servers; install it (https://go.dev/dl)"
  exit 1
}

bring() { # bring WHAT FROM COMMAND...
  local what=$1 from=$2 began=$SECONDS pause
  shift 2
  say "bringing $what, from $from (once)"
  for pause in 5 20 0; do
    "$@" && { say "$what is there after $((SECONDS - began)) s"; return; }
    [ "$pause" = 0 ] || { say "$what did not come from $from; again in $pause s"; sleep "$pause"; }
  done
  say "cannot bring $what: $from did not give it in three tries, for the reasons above; see whether it can be reached from here, then run make test-engines again"
  exit 1
}

build() { # build PROGRAM MODULE@VERSION
  [ -x "$folder/$1" ] || bring "$1" "$(go env GOPROXY)" env GOBIN="$folder" GOFLAGS=-mod=mod go install "$2"
}
# Of sources here, again when they are newer.
build_own() { # build_own PROGRAM MODULE PACKAGE
  local program=$folder/$1 module=$sources/$2
  [ "$program" -nt "$module/$3/main.go" ] && [ "$program" -nt "$module/go.mod" ] ||
    bring "$1" "$(go env GOPROXY)" env GOFLAGS=-mod=readonly go build -C "$module" -trimpath -o "$program" "./$3"
}
# A hundred MB with its pages: only the server, and nothing of it installed.
unpack_prometheus() {
  # As root, apt would go to a user that may not write there, and says so.
  (cd "$scratch" && { apt-get download -qq -o APT::Sandbox::User=root prometheus >/dev/null || { apt-get update -qq && false; }; }) &&
    dpkg-deb -x "$scratch"/prometheus_*.deb "$scratch/prometheus" && mv "$scratch/prometheus/usr/bin/prometheus" "$folder/prometheus"
}
# What Maven has of a server and all that it needs, without installing anything of it.
fetch_jars() { # fetch_jars NAME JAR-THAT-TELLS-THE-VERSION GROUP:ARTIFACT:VERSION...
  local name=$1 told=$2 needed="" jars=$scratch/$1 group artifact version one
  shift 2
  [ -e "$folder/$name/$told" ] && return
  command -v mvn >/dev/null || { say "mvn and java 17 are needed for $name; install them (Debian: maven)"; exit 1; }
  for one in "$@"; do
    IFS=: read -r group artifact version <<< "$one"
    needed+="<dependency><groupId>$group</groupId><artifactId>$artifact</artifactId><version>$version</version></dependency>"
  done
  mkdir "$jars"
  cat > "$jars/pom.xml" <<POM
<project xmlns="http://maven.apache.org/POM/4.0.0"><modelVersion>4.0.0</modelVersion><groupId>lintel</groupId><artifactId>$name</artifactId><version>1</version>
<dependencies>$needed</dependencies></project>
POM
  bring "$name" "Maven Central" mvn -q -B -Dstyle.color=never -f "$jars/pom.xml" dependency:copy-dependencies -DincludeScope=runtime -DoutputDirectory="$jars/all"
  rm -rf "${folder:?}/$name" && mv "$jars/all" "$folder/$name"
}
# ClickHouse as a library, with its current engine; Debian's server is of 2018 and has none of the types that records need.
fetch_chdb() {
  [ "$(cat "$folder/chdb/version" 2>/dev/null)" = "$chdb" ] && return
  rm -rf "$folder/chdb" && mkdir "$folder/chdb"
  bring "chdb $chdb, 546 MB" "npm's registry" npm install --loglevel=error --ignore-scripts --no-audit --no-fund --prefix "$folder/chdb" "chdb@$chdb"
  echo "$chdb" > "$folder/chdb/version"
}

builds() {
  build victoria-logs github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1
  build influxd github.com/influxdata/influxdb/cmd/influxd@v1.8.3
  build_own otel-collector otel-collector .
  build_own fluent-receiver receivers fluent
  build_own lumber-receiver receivers lumber
}
fetches() {
  [ -x "$folder/prometheus" ] || bring prometheus "Debian's packages" unpack_prometheus
  fetch_jars kafka "kafka_2.13-$kafka.jar" "org.apache.kafka:kafka_2.13:$kafka"
  # The newest for Java 17.
  fetch_jars opensearch "opensearch-$opensearch.jar" "org.opensearch:opensearch:$opensearch" \
    "org.opensearch.plugin:transport-netty4-client:$opensearch" org.apache.logging.log4j:log4j-core:2.25.4
  fetch_chdb
}
# What waits for the network leaves the processors to what is built.
builds & building=$!
fetches & fetching=$!
status=0
wait "$building" || status=1
wait "$fetching" || status=1
exit "$status"
