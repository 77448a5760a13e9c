#!/bin/sh
# Installs what this machine lacks, by Debian package name. Usage: tools/setup.sh run|test|engines|bench
# Without root it installs nothing and says which command to run.
set -eu

need="$1"
missing=""

want() { # want COMMAND-OR-FILE PACKAGE
	case "$1" in
	/*) [ -e "$1" ] && return ;;
	*) command -v "$1" >/dev/null 2>&1 && return ;;
	esac
	missing="$missing $2"
}

PATH="$PATH:/usr/sbin:/sbin"
want npm npm
want clang-19 clang-19
want /usr/include/bpf/bpf_helpers.h libbpf-dev
want bpftool bpftool
[ -n "$(ls /usr/lib/*/libbpf.so.1 2>/dev/null || true)" ] || missing="$missing libbpf1"
if [ "$need" != run ]; then
	want ip iproute2
	want curl curl
	want python3 python3
	want nginx nginx-light
	want wrk wrk
	want tshark tshark
	want tcpdump tcpdump
	want mount mount
	want setpriv util-linux
	want nsenter util-linux
	want zstd zstd
	want openssl openssl
	want haproxy haproxy
	want rsyslogd rsyslog
	want influxd influxdb
	want chromium chromium
	want wget wget
	want go golang-go
	want /usr/share/gocode/src/golang.org/x/net golang-golang-x-net-dev
	want tc iproute2
	want h2load nghttp2-client
	want nghttpd nghttp2-server
	want /usr/lib/python3/dist-packages/h2 python3-h2
fi
if [ "$need" = engines ]; then
	want mvn maven
	want javac default-jdk-headless
	want cc gcc
fi
if [ "$need" = bench ]; then
	want httpry httpry
	want h2load nghttp2-client
	want openssl openssl
	want ngrep ngrep
	want tcpflow tcpflow
	want softflowd softflowd
	want nfcapd nfdump
fi

if [ -n "$missing" ]; then
	command="apt-get install -y --no-install-recommends$missing"
	if [ "$(id -u)" != 0 ]; then
		echo "lintel: these Debian packages are missing; run: sudo apt-get update && sudo $command" >&2
		exit 1
	fi
	echo "lintel: installing$missing" >&2
	export DEBIAN_FRONTEND=noninteractive
	[ -n "$(ls /var/lib/apt/lists/*_Packages* 2>/dev/null || true)" ] && $command >/dev/null 2>&1 || {
		apt-get update -qq && $command >/dev/null
	}
fi
