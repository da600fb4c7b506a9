#!/usr/bin/env bash
# run.sh - proves that ./dev needs nothing but a bare Debian 12: makes one by debootstrap in a temporary folder, puts the
# committed tree (HEAD) in it, and runs commands there as root.
#
#   tests/bare/run.sh [--keep] [COMMAND...]     each COMMAND is one string for bash, run in the tree;
#                                               without any: './dev up --for 10s' and './dev test --quick'
#
# Needs root.  The base has Debian's minimal packages and no others.  Of this machine it gets only what says where packages
# come from: apt's, pip's, npm's and Maven's settings, certificate authorities, proxies.  It shares the kernel and the network.
# Mounts live in a mount namespace of this script's own and end with it; --keep leaves the folder, without them.
set -euo pipefail
cd "$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/../.."

if [ -z "${CITYLAKE_BARE_NAMESPACE:-}" ]; then
    [ "$(id -u)" -eq 0 ] || { echo "bare: needs root" >&2; exit 1; }
    CITYLAKE_BARE_NAMESPACE=1 exec unshare --mount --propagation private bash "$0" "$@"
fi

# The file of apt's that names Debian's own archive, in either of its two formats.
debian_sources() {
    local file
    for file in /etc/apt/sources.list.d/debian.sources /etc/apt/sources.list /etc/apt/sources.list.d/*; do
        if grep -qsE '^(URIs:|deb ).*debian' "$file"; then
            echo "$file"
            return
        fi
    done
    echo "bare: apt's sources name no Debian archive" >&2
    return 1
}

archive_url() {
    awk '/^URIs:/ { print $2; exit } /^deb / { for (i = 2; i <= NF; i++) if ($i ~ /:\/\//) { print $i; exit } }' "$1"
}

# Copies files and folders of this machine that exist to the same place in the base.
carry() {
    local path
    for path in "$@"; do
        [ -e "$path" ] || continue
        mkdir -p "$root$(dirname "$path")"
        cp -aL "$path" "$root$(dirname "$path")/"
    done
}

carry_settings() {
    local sources=$1
    rm -f "$root/etc/apt/sources.list"
    carry "$sources" /etc/apt/apt.conf /etc/apt/apt.conf.d /etc/apt/auth.conf /etc/apt/auth.conf.d /etc/apt/preferences.d
    carry /etc/resolv.conf /etc/hosts
    carry /etc/pip.conf /etc/npmrc /usr/etc/npmrc
    # The base's home is /root, whoever this machine's is.
    local file
    for file in .npmrc .config/pip/pip.conf .pip/pip.conf .m2/settings.xml .mavenrc; do
        [ ! -e "$HOME/$file" ] || install -D "$HOME/$file" "$root/root/$file"
    done
    # Not to /etc/maven: the package would ask whether to keep a file that it did not bring.
    [ -e "$root/root/.m2/settings.xml" ] || [ ! -e /etc/maven/settings.xml ] ||
        install -D /etc/maven/settings.xml "$root/root/.m2/settings.xml"
    carry_certificates
}

# Every authority that this machine trusts, one a file, for update-ca-certificates to find when its package is installed.
carry_certificates() {
    local bundle=/etc/ssl/certs/ca-certificates.crt
    [ -e "$bundle" ] || return 0
    mkdir -p "$root/usr/local/share/ca-certificates"
    awk -v "folder=$root/usr/local/share/ca-certificates" '
        /-----BEGIN CERTIFICATE-----/ { file = sprintf("%s/host-%03d.crt", folder, ++n) }
        file { print > file }
        /-----END CERTIFICATE-----/ { close(file); file = "" }' "$bundle"
}

# NAME=VALUE, one a line: what of this machine's environment tells package clients where to go.
carried_environment() {
    env | grep -iE '^((https?|ftp|all|no)_proxy|PIP_[A-Z_]*|npm_config_[a-z_]*|MAVEN_[A-Z_]*|JAVA_TOOL_OPTIONS|NODE_EXTRA_CA_CERTS|SSL_CERT_FILE|REQUESTS_CA_BUNDLE)=' || true
}

make_base() {
    local sources
    command -v debootstrap >/dev/null || (. tools/deps.sh && apt_install debootstrap)
    sources=$(debian_sources)
    echo "bare: debootstrap into $root" >&2
    debootstrap --variant=minbase bookworm "$root" "$(archive_url "$sources")" >"$root.log" 2>&1 ||
        { tail -n 20 "$root.log" >&2; exit 1; }
    carry_settings "$sources"
    mkdir -p "$root/root/citylake"
    git archive HEAD | tar -x -C "$root/root/citylake"
    mount -t proc proc "$root/proc"
    mount --rbind /dev "$root/dev"
}

run_inside() {
    local environment
    mapfile -t environment < <(carried_environment)
    env -i "${environment[@]}" HOME=/root PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin TERM=dumb \
        chroot "$root" bash -c "cd /root/citylake && $1" </dev/null
}

clean_up() {
    umount --recursive --lazy "$root/dev" "$root/proc" 2>/dev/null || true
    if [ -n "$keep" ]; then
        echo "bare: left in $root" >&2
    else
        # Never across a mount that would not go.
        rm -rf --one-file-system "$root" "$root.log"
    fi
}

keep=
if [ "${1:-}" = --keep ]; then
    keep=yes
    shift
fi
[ $# -gt 0 ] || set -- './dev up --for 10s' './dev test --quick'

root=$(mktemp -d /var/tmp/citylake-bare.XXXXXX)
chmod 755 "$root"
trap clean_up EXIT
make_base
failed=0
for command in "$@"; do
    echo "bare: $command" >&2
    start=$SECONDS status=0
    run_inside "$command" || status=$?
    echo "bare: status $status after $((SECONDS - start)) s: $command" >&2
    [ "$status" -eq 0 ] || failed=1
done
exit $failed
