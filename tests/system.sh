#!/bin/sh
# Installs what the tests need from the system; where it cannot, it says so in one line and goes on:
# the tests that need it then skip with the same words.
set -u

need() { # need COMMAND PACKAGE
    command -v "$1" >/dev/null 2>&1 && return 0
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        [ -n "${updated:-}" ] || apt-get update -qq >/dev/null 2>&1
        updated=1
        echo "installing $2"
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1 && return 0
    fi
    echo "not found: $1 (Debian package $2); the tests that use it will be skipped"
}

need chromium chromium
need prometheus prometheus
need amtool prometheus-alertmanager
need java openjdk-17-jre-headless
need mvn maven
if command -v java >/dev/null 2>&1 && command -v mvn >/dev/null 2>&1; then
    .venv/bin/python tests/kafka/broker.py # Apache Kafka's jars, once, so that the tests' time is their own
fi
