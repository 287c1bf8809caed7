#!/bin/sh
# Proves the Dockerfile where no Docker engine is: does its steps, in order, in clean Debian roots made with
# debootstrap, one a stage, then runs the image's entry point as its user and asks its own health check.
# usage: tests/docker_rootfs.sh [FOLDER]      about 2 GB in FOLDER (build/rootfs), deleted at the end; root only
set -eu

if [ -z "${FOREWARN_INSIDE:-}" ]; then # all that is mounted or started below ends with this process
    [ "$(id -u)" = 0 ] || { echo "docker_rootfs.sh: must be root: it makes roots and mounts"; exit 2; }
    FOREWARN_INSIDE=1 exec unshare --mount --mount-proc --pid --fork --kill-child sh "$0" "$@"
fi

repo=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "${1:-$repo/build/rootfs}"
work=$(cd "${1:-$repo/build/rootfs}" && pwd)
trap 'umount "$work"/*/proc 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT

say() { printf '%s %s\n' "$(date +%T)" "$*"; }

# What python:slim brings: Debian, Python, certificates. The mirror is the one this machine's apt uses.
base() {
    command -v debootstrap >/dev/null || apt-get install -y -qq --no-install-recommends debootstrap >/dev/null
    release=$(. /etc/os-release && echo "$VERSION_CODENAME")
    mirror=$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' |
        awk -v release="$release" '$2 == release { print $1; exit }')
    debootstrap --variant=minbase --include=python3,python3-venv,ca-certificates \
        "$release" "$work/base" "$mirror" >"$work/debootstrap.log"
    # The machine's own way to its package index, as files here and as PIP_ variables in `inside`.
    for file in /etc/pip.conf /etc/ssl/certs/ca-certificates.crt /etc/resolv.conf /etc/hosts; do
        [ ! -e "$file" ] || cp -L "$file" "$work/base$file"
    done
}

stage() { # stage NAME: begin a root of that name
    root=$work/$1 dir=/ user=root variables='export HOME=/root LANG=C.UTF-8'
    cp -a "$work/base" "$root"
    mount -t proc proc "$root/proc"
}

inside() { # inside COMMAND: run it as the Dockerfile's line would be
    env -u PYTHONPATH -u PYTHONHOME -u VIRTUAL_ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
        chroot --userspec="$user" "$root" /bin/sh -c "$variables; cd $dir && $1"
}

copy() { # copy [--from=STAGE] SOURCE... TARGET
    from=$repo
    case $1 in --from=*) from=$work/${1#--from=} && shift ;; esac
    while [ $# -gt 1 ]; do
        sources="${sources:-} $1" && shift
    done
    to=$root$(cd / && case $1 in /*) echo "$1" ;; *) echo "$dir/$1" ;; esac)
    for source in $sources; do
        if [ -d "$from/$source" ]; then
            mkdir -p "$to" && cp -a "$from/$source/." "$to"
        else
            cp -a "$from/$source" "$to"
        fi
    done
    sources=
}

argv() { python3 -c 'import json, shlex, sys; print(shlex.join(json.loads(sys.argv[1])))' "$1"; }

say "base: debootstrap"
base
# One instruction a line: comments out, continued lines joined.
awk '/^[[:space:]]*(#|$)/ { next } { sub(/^[[:space:]]+/, " ") } /\\$/ { sub(/\\$/, ""); printf "%s", $0; next } { print }' \
    "$repo/Dockerfile" >"$work/steps"
while IFS= read -r line <&3; do
    say "$line"
    rest=${line#* }
    case $line in
    FROM*" AS "*) stage "${line##* AS }" ;;
    FROM*) stage image ;;
    RUN*) inside "$rest" ;;
    COPY*) copy $rest ;;
    ENV*) variables="$variables; export $rest" ;;
    WORKDIR*) dir=$rest && mkdir -p "$root$dir" ;;
    USER*) user=$rest:$rest ;;
    HEALTHCHECK*) health=$(argv "${rest##*CMD }") ;;
    ENTRYPOINT*) entry=$(argv "$rest") ;;
    CMD*) command=$(argv "$rest") ;;
    ARG* | EXPOSE* | VOLUME*) ;;
    *) echo "docker_rootfs.sh: does not know how to do this line" && exit 1 ;;
    esac
done 3<"$work/steps"

say "$entry --version, $entry check"
inside "$entry --version && $entry check && id -un"
[ ! -e "$root/opt/build" ] && ! inside "python3 -c 'import pytest'" 2>/dev/null || { echo "build tools in the image"; exit 1; }
say "the image is $(du -sm --exclude=proc "$root" | cut -f1) MB, /opt/forewarn $(du -sm "$root/opt/forewarn" | cut -f1) MB of it"

# A network of its own: the image listens on every interface and on its real port, and nobody else is there.
export root dir user variables entry command health work
unshare --net sh -uc '
    ip link set lo up
    inside="env -i PATH=/usr/local/bin:/usr/bin:/bin:/usr/sbin chroot --userspec=$user $root /bin/sh -c"
    $inside "$variables; cd $dir && exec $entry $command" >"$work/out" 2>&1 &
    for _ in $(seq 60); do
        sleep 0.5
        $inside "$variables; $health" 2>/dev/null && healthy=yes && break
    done
    kill -TERM $! && wait $!
    ended=$?
    cat "$work/out"
    echo "docker_rootfs: healthy: ${healthy:-no}, as user ${user%:*}, exit code $ended after SIGTERM"
    [ "${healthy:-no} $ended" = "yes 0" ]
'
