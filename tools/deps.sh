# deps.sh - installs what ./dev needs: Debian packages, DuckDB (npm), Python packages (pip), Kafka (Maven).  Sourced by ./dev.
# One function for each group, deps_*.  Every step first looks whether its result is there, so that a second call takes no
# time and asks no network.  Packages are asked for by name from the clients as this machine has them configured.
# shellcheck shell=bash

# libduckdb.so comes in the bindings of DuckDB's Node client (their version is DuckDB's own); the header of its C API is in
# the older client's package.  The C API is only ever added to, so the older header goes with the newer library.
readonly DUCKDB_VERSION=1.5.6-r.1 DUCKDB_HEADER_VERSION=1.4.4
# Kafka's version is in tests/kafka/pom.xml, the Python packages' are in tests/requirements.txt.

readonly CACHE=${CITYLAKE_CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/citylake}
mkdir -p "$CACHE"

readonly APT_BUILD=(ca-certificates gcc libc6-dev meson ninja-build pkg-config libzstd-dev zlib1g-dev libfyaml-dev libjansson-dev
    librdkafka-dev libjpeg62-turbo-dev libsnappy-dev libmicrohttpd-dev libssl-dev libcmocka-dev)
readonly APT_FUZZ=(clang libclang-rt-dev)
readonly APT_LINT=(clang clang-format clang-tidy)
readonly APT_PYTHON=(ca-certificates python3 python3-venv)

say() {
    echo "dev: $*" >&2
}

die() {
    say "$@"
    exit 1
}

# Runs a command; shows what it printed only when it fails.
quietly() {
    local log status=0
    log=$(mktemp)
    "$@" >"$log" 2>&1 </dev/null || status=$?
    [ $status -eq 0 ] || { cat "$log" >&2; say "failed ($status): $*"; }
    rm -f "$log"
    return $status
}

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        env DEBIAN_FRONTEND=noninteractive "$@"
    elif command -v sudo >/dev/null; then
        sudo env DEBIAN_FRONTEND=noninteractive "$@"
    else
        die "needs root or sudo to run: $*"
    fi
}

# Installs the Debian packages that are missing.
apt_install() {
    local have missing=() package
    command -v dpkg-query >/dev/null || { say "not a Debian system: these packages are taken to be there: $*"; return; }
    have=$(dpkg-query -W -f='${Package} ${db:Status-Status}\n' "$@" 2>/dev/null || true)
    for package in "$@"; do
        grep -qxF "$package installed" <<<"$have" || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    quietly as_root apt-get -q update || say "apt-get update failed; going on with the lists that are here"
    # A slim image has no folder for manual pages, and a JRE's alternatives fail without it.
    as_root mkdir -p /usr/share/man/man1
    quietly as_root apt-get -q -y --no-install-recommends install "${missing[@]}" || die "could not install ${missing[*]}"
}

# Runs "$@" unless the stamp file $1 is there; one process at a time.  "$@" must leave the stamp as its last act.
once() {
    local stamp=$1
    shift
    [ ! -e "$stamp" ] || return 0
    (
        flock 9
        [ -e "$stamp" ] || "$@"
    ) 9>"$CACHE/lock"
}

deps_build() {
    apt_install "${APT_BUILD[@]}"
    [ -z "$(duckdb_dir)" ] || once "$(duckdb_dir)/complete" fetch_duckdb "$(duckdb_dir)"
}

deps_fuzz() {
    apt_install "${APT_FUZZ[@]}"
}

deps_lint() {
    apt_install "${APT_LINT[@]}"
}

deps_python() {
    apt_install "${APT_PYTHON[@]}"
    once "$(venv_dir)/complete" make_venv "$(venv_dir)"
}

deps_kafka() {
    apt_install python3 ca-certificates
    command -v java >/dev/null || apt_install openjdk-17-jre-headless
    once "$(kafka_jars)/complete" fetch_kafka "$(kafka_jars)"
}

# --- DuckDB ---

duckdb_installed() {
    echo '#include <duckdb.h>
          int main(void) { return duckdb_library_version() == 0; }' |
        gcc -x c - -o /dev/null -lduckdb 2>/dev/null
}

# Where the fetched DuckDB is (include/, lib/); nothing when the system has one.
duckdb_dir() {
    if ! duckdb_installed; then
        echo "$CACHE/duckdb-$DUCKDB_VERSION-$DUCKDB_HEADER_VERSION"
    fi
}

fetch_duckdb() {
    local dir=$1 tmp machine
    case "$(uname -m)" in
    x86_64) machine=x64 ;;
    aarch64) machine=arm64 ;;
    *) die "no libduckdb for $(uname -m) in npm: install libduckdb and duckdb.h, then run again" ;;
    esac
    command -v npm >/dev/null || apt_install npm
    say "fetching DuckDB $DUCKDB_VERSION"
    tmp=$(mktemp -d "$CACHE/tmp.XXXXXX")
    # An && chain: the shell would not stop at a failure inside a list that || follows.
    (
        cd "$tmp" && mkdir lib include &&
            quietly npm pack --silent "@duckdb/node-bindings-linux-$machine@$DUCKDB_VERSION" &&
            quietly npm pack --silent "duckdb@$DUCKDB_HEADER_VERSION" &&
            tar -xzf duckdb-node-bindings-*.tgz --strip-components=1 -C lib package/libduckdb.so &&
            tar -xzf "duckdb-$DUCKDB_HEADER_VERSION.tgz" --strip-components=5 -C include package/src/duckdb/src/include/duckdb.h &&
            rm -f ./*.tgz && chmod 755 . && touch complete
    ) || die "could not fetch DuckDB"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}

# --- Python ---

# Debian's own interpreter where there is one: another first in PATH may lack venv.
system_python() {
    if [ -x /usr/bin/python3 ]; then echo /usr/bin/python3; else command -v python3; fi
}

venv_dir() {
    echo "$CACHE/venv-$({ "$(system_python)" --version; cat tests/requirements.txt; } | sha256sum | cut -c1-16)"
}

venv_python() {
    echo "$(venv_dir)/bin/python"
}

make_venv() {
    local dir=$1
    say "installing Python packages"
    rm -rf "$dir"
    quietly "$(system_python)" -m venv "$dir" || die "could not make a Python venv"
    quietly "$dir/bin/python" -m pip install --disable-pip-version-check -r tests/requirements.txt ||
        die "could not install tests/requirements.txt"
    touch "$dir/complete"
}

# --- Kafka ---

kafka_jars() {
    echo "$CACHE/kafka-$(sha256sum <tests/kafka/pom.xml | cut -c1-16)"
}

fetch_kafka() {
    local dir=$1 tmp
    command -v mvn >/dev/null || apt_install maven
    say "fetching Kafka"
    tmp=$(mktemp -d "$CACHE/tmp.XXXXXX")
    quietly mvn -q -B -f tests/kafka/pom.xml dependency:copy-dependencies "-DoutputDirectory=$tmp" ||
        die "could not fetch Kafka"
    touch "$tmp/complete"
    chmod 755 "$tmp"
    rm -rf "$dir"
    mv "$tmp" "$dir"
}
