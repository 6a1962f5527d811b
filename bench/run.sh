#!/bin/bash
# Times swrunc against the peers on this machine and prints the report, in Markdown, on stdout.
#
# usage: bench/run.sh [--rounds N] [--many N] [--idle MS] [--warm-up N]
#
#   --many N       also `state`, `exec` and `create` beside N live containers (500 for the budget)
#   RUNTIMES       names to run instead of all: "swrunc crun runc"
#   PEERS          more of them: "crun-1.27=/opt/crun/bin/crun runc-1.5=/opt/runc"
#   DOCKER_CONFIG  the captured Docker config to adapt
#
# Does its own set-up: Debian packages where missing, bin/swrunc where missing or older than its
# sources, the C programs. crun refuses a hybrid cgroup layout, so everything runs in a mount
# namespace of its own in which the hybrid cgroup2 mount is not there; the machine's own mounts are
# not touched.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
project=$(dirname "$here")
build=$project/.build/bench
: "${RUNTIMES=swrunc crun runc}" "${PEERS=}"
: "${DOCKER_CONFIG=$project/conformance/fixtures/docker-default.json}"

say() { printf 'bench: %s\n' "$*" >&2; }

as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)

wanted() { case " $RUNTIMES " in *" $1 "*) ;; *) false ;; esac; }

# The C programs are static, so that none of them pays for a dynamic linker.
compile() {
    local flags=(-std=gnu11 -O2 -static -Wall -Wextra -Werror)
    mkdir -p "$build"
    gcc "${flags[@]}" -o "$build/floor" "$here/floor.c"
    gcc "${flags[@]}" -DTIMELINE -o "$build/floor-timeline" "$here/floor.c"
    gcc "${flags[@]}" -o "$build/probe" "$here/probe.c"
    gcc "${flags[@]}" -o "$build/bench" "$here"/driver/*.c -lm
}

install_packages() {
    local missing=()
    command -v gcc >/dev/null || missing+=(gcc libc6-dev)
    command -v jq >/dev/null || missing+=(jq)
    if wanted crun && ! find_program crun >/dev/null; then missing+=(crun); fi
    if wanted runc && ! find_program runc >/dev/null; then missing+=(runc); fi
    dpkg-query -W -f '${Status}' busybox-static 2>/dev/null | grep -q 'ok installed' \
        || missing+=(busybox-static)
    [ ${#missing[@]} = 0 ] && return
    say "installing ${missing[*]}"
    "${as_root[@]}" apt-get update -qq >&2
    "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
        apt-get install -y -qq --no-install-recommends "${missing[@]}" >&2
}

find_program() { PATH=$PATH:/usr/sbin:/sbin command -v "$1"; }

build_swrunc() {
    if [ -x "$project/bin/swrunc" ] \
        && [ -z "$(find "$project/Sources" "$project/Package.swift" -newer "$project/bin/swrunc" \
            -type f -print -quit)" ]; then
        return
    fi
    say "building bin/swrunc"
    make -C "$project" build >&2
}

# NAME=PATH of everything to be timed, in `subjects`.
find_subjects() {
    subjects=()
    if wanted swrunc; then
        build_swrunc
        subjects+=("swrunc=$project/bin/swrunc")
    fi
    local name
    for name in crun runc; do
        if wanted $name; then subjects+=("$name=$(find_program $name)"); fi
    done
    for name in $PEERS; do subjects+=("$name"); done
}

# A bundle below $work: its name, and a jq filter on stdin's config.
bundle() {
    mkdir -p "$work/$1"
    jq --arg rootfs "$work/rootfs" ".root.path = \$rootfs | $2" >"$work/$1/${3-config.json}"
}

# Docker's config, without what belongs to the machine where it was captured: its hook, its binds
# of files that are not here, and its cgroup, which every container has to have for itself.
docker_filter='del(.hooks, .linux.cgroupsPath)
    | .mounts |= map(select(.type != "bind"))
    | .process.args = ["/bin/true"]'

prepare() {
    mkdir -p "$work"/rootfs/{bin,dev,etc,proc,sys,tmp}
    cp "$(find_program busybox)" "$work/rootfs/bin/busybox"
    ln -s busybox "$work/rootfs/bin/true"
    ln -s busybox "$work/rootfs/bin/sleep"
    cp "$build/probe" "$work/rootfs/bin/probe"
    cp "$build/floor" "$build/floor-timeline" "$work"
    bundle default . <"$here/default.json"
    bundle sleep '.process.args = ["/bin/sleep", "1000000"]' <"$here/default.json"
    bundle limit '.linux.resources.memory.limit = 987654321' template.json <"$here/default.json"
    bundle docker "$docker_filter" <"$DOCKER_CONFIG"
    bundle probe-docker "$docker_filter | .process.args = [\"/bin/probe\", \"filtered\"]" \
        <"$DOCKER_CONFIG"
    bundle probe-bare "$docker_filter | .process.args = [\"/bin/probe\"] | del(.linux.seccomp)" \
        <"$DOCKER_CONFIG"
}

# As root, in the private mount namespace: arguments are $work, the subjects, --, driver options.
inside() {
    work=$1
    shift
    local subjects=()
    while [ "$1" != -- ]; do
        subjects+=("$1")
        shift
    done
    shift
    # The cgroup2 mount of a hybrid layout, not the one of a pure v2 host.
    if mountpoint -q /sys/fs/cgroup/unified; then umount /sys/fs/cgroup/unified; fi
    mount -t tmpfs -o mode=755 swrunc-bench "$work"
    prepare
    exec "$build/bench" --work "$work" "$@" "${subjects[@]}"
}

if [ "${1-}" = --inside ]; then
    shift
    inside "$@"
fi

install_packages
compile
find_subjects
[ -r "$DOCKER_CONFIG" ] || { say "$DOCKER_CONFIG: not readable"; exit 1; }
work=$(mktemp -d /tmp/swrunc-bench.XXXXXX)
# Not before the bench has ended: it would take the tmpfs away from under it.
trap 'rmdir "$work"' EXIT
# In the background, so that a signal reaches the bench at once and its clean-up is waited for.
"${as_root[@]}" env DOCKER_CONFIG="$DOCKER_CONFIG" \
    unshare --mount --propagation private "$here/run.sh" --inside "$work" "${subjects[@]}" -- \
    --timeline --command-line "make bench${*:+ ARGUMENTS='$*'}" "$@" &
driver=$!
trap 'kill -TERM $driver' INT TERM HUP
status=0
wait $driver || status=$?
while kill -0 $driver 2>/dev/null; do
    status=0
    wait $driver || status=$?
done
exit $status
