#!/bin/bash
# Runs the validation programs of opencontainers/runtime-tools, built by you in DIR, against
# bin/swrunc, crun and runc, and prints what came out. docs/conformance.md says how to build them, and
# why some lines are not ok. Must be run as root.
#
# usage: conformance/runtime-tools.sh DIR [PROGRAM...]
#   RUNTIME="bin/swrunc /opt/runc"  other runtimes, separated by spaces
#   TIMEOUT=60                      seconds for each program
set -euo pipefail
project=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

fail() {
    echo "runtime-tools.sh: $*" >&2
    exit 2
}

[ $# -ge 1 ] || fail "usage: conformance/runtime-tools.sh DIR [PROGRAM...]"
exam=$(cd "$1" && pwd)
shift
[ "$(id -u)" = 0 ] || fail "the programs make cgroups and mounts, and must be run as root"
[ -x "$exam/runtimetest" ] || fail "there is no $exam/runtimetest: see docs/conformance.md"
programs=("$@")
if [ $# = 0 ]; then
    for program in "$exam"/validation/*/*.t; do programs+=("$(basename "$program" .t)"); done
    [ -x "$program" ] || fail "there are no $exam/validation/*/*.t: see docs/conformance.md"
fi

cd "$project"
runtimes=()
for runtime in ${RUNTIME-bin/swrunc crun runc}; do
    if ! path=$(command -v "$runtime"); then
        [ -z "${RUNTIME-}" ] || fail "there is no runtime $runtime"
        echo "# without $runtime, which is not there" >&2
        continue
    fi
    runtimes+=("$(realpath -s "$path")")
done
[ ${#runtimes[@]} != 0 ] || fail "there is no runtime to run; make build"

logs=.build/runtime-tools
mkdir -p "$logs"
work=$(mktemp -d)
trap 'rmdir "$work"' EXIT

# What a program does stays in a mount and a pid namespace of its own: the host's file systems are
# read-only there, bundles and state lie in memory, and no process outlives it. The cgroups do, and so
# containers that are left over are deleted; the rest are the programs' own cgroups.
#
# arguments: EXAM WORK PROGRAM RUNTIME
inside='
    set -eu
    exam=$1 work=$2 program=$3 runtime=$4
    name=$(basename "$runtime")
    mount --make-rprivate /
    # Programs and crun know either v1 or v2, not the two side by side.
    ! mountpoint -q /sys/fs/cgroup/unified || umount /sys/fs/cgroup/unified
    mount -t tmpfs -o mode=755 tmpfs /run
    mount -t tmpfs -o mode=711 tmpfs "$work"
    mount -o remount,bind,ro /
    export TMPDIR=$work RUNTIME=$runtime
    if [ "$name" = crun ]; then
        # crun 1.8 refuses a config of a spec newer than 1.0.
        RUNTIME=$work/crun
        cat >"$RUNTIME" <<-END
	#!/bin/sh
	before=
	for argument; do
	    if [ "\$before" = --bundle ] && [ -e "\$argument/config.json" ]; then
	        sed -i "s/\"ociVersion\": *\"1\.[^\"]*\"/\"ociVersion\": \"1.0.2\"/" "\$argument/config.json"
	    fi
	    before=\$argument
	done
	exec $runtime "\$@"
	END
        chmod 755 "$RUNTIME"
    fi
    cd "$exam"
    status=0
    timeout -k 5 "$TIMEOUT" "validation/$program/$program.t" || status=$?
    for state in /run/"$name"/*/; do
        [ ! -d "$state" ] || "$runtime" delete --force "$(basename "$state")" >/dev/null 2>&1 || true
    done
    exit "$status"
'

# A group that a program made for itself would be found by the next one.
remove_groups() {
    local group
    for group in /sys/fs/cgroup/*/cgrouptest /sys/fs/cgroup/*/testdir/cgrouptest/container \
        /sys/fs/cgroup/*/testdir/cgrouptest /sys/fs/cgroup/*/testdir; do
        [ ! -d "$group" ] || rmdir "$group" || true
    done
}

# verdict LOG STATUS: "ok", or what is wrong. A program that checks nothing in TAP's words says an
# "error" where something failed.
verdict() {
    case $2 in
    124 | 137) echo "timeout" ;;
    *)
        if grep -qE '^ *not ok' "$1"; then
            echo "not ok"
        elif [ "$2" != 0 ]; then
            echo "failed"
        elif grep -qE '^ok [0-9]+ - ' "$1"; then
            echo ok
        elif grep -qE '^ok [0-9]+ # SKIP' "$1"; then
            echo skipped
        elif grep -qE '^ *"?error"?:' "$1"; then
            echo "not ok"
        else
            echo ok
        fi
        ;;
    esac
}

# reason LOG: the line of a log that says most.
reason() {
    local line
    for pattern in '^ *not ok' '# SKIP' '^ *"?error"?:' '^panic' '[Ee]rror|fail|:'; do
        line=$(grep -m1 -aE -e "$pattern" "$1" | sed -E 's/^ *(not )?ok [0-9]+ (- |# )?//; s/^ +//') || continue
        printf '%.160s' "$line"
        return
    done
}

printf '%-32s' program
for runtime in "${runtimes[@]}"; do printf ' %-8s' "$(basename "$runtime")"; done
printf ' reason\n'
declare -A passed
for program in "${programs[@]}"; do
    printf '%-32s' "$program"
    reasons=
    for runtime in "${runtimes[@]}"; do
        name=$(basename "$runtime")
        log=$logs/$program.$name.log
        status=0
        remove_groups
        TIMEOUT=${TIMEOUT-60} unshare --mount --pid --fork --kill-child --mount-proc \
            sh -c "$inside" exam "$exam" "$work" "$program" "$runtime" \
            >"$log" 2>&1 </dev/null || status=$?
        remove_groups
        outcome=$(verdict "$log" "$status")
        printf ' %-8s' "$outcome"
        if [ "$outcome" = ok ]; then
            passed[$runtime]=$((${passed[$runtime]-0} + 1))
        else
            reasons="$reasons${reasons:+; }$name: $(reason "$log")"
        fi
    done
    printf ' %s\n' "$reasons"
done
printf '%-32s' "passed of ${#programs[@]}"
for runtime in "${runtimes[@]}"; do printf ' %-8s' "${passed[$runtime]-0}"; done
printf '\nlogs: %s\n' "$logs"
