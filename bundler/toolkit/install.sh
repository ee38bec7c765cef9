#!/bin/sh
# Installs harness-airgap from the folder of this file alone: no network, no index, no root.
#   sh install.sh --help
set -eu
umask 022

version='@VERSION@'
pythons='@PYTHONS@'
platforms='@PLATFORMS@'
machines='@MACHINES@'
glibc='@GLIBC@'
commands='airgap-mirror airgap-bundler'

unset CDPATH PYTHONHOME PYTHONPATH
new=''

usage() {
    cat <<TEXT
usage: sh install.sh [--python PYTHON] [PREFIX]

Installs harness-airgap $version from this folder alone: no network, no package index, no root.
It is for CPython $pythons on $platforms, with glibc $glibc or later.

  PREFIX            the commands go to PREFIX/bin, all else to PREFIX/lib/harness-airgap
                    (default: /usr/local for root, ~/.local for everyone else)
  --python PYTHON   the interpreter to use (default: the first on PATH that fits)

Every file is checked against SHA256SUMS first. What is installed already stays as it is until
the new version works; run the same command again after anything went wrong.

Examples:
  sh install.sh
  sh install.sh --python /usr/bin/python3.11 /opt/airgap

Exit codes: 0 done, 2 the command line is wrong, 4 a file is damaged, missing or unlisted,
5 no Python that fits, 8 another program has the name, 9 PREFIX cannot be written,
10 the installation failed, 130 interrupted
TEXT
}

# fail EXIT-CODE MESSAGE HINT
fail() {
    printf 'install.sh: %s\nhint: %s\n' "$2" "$3" >&2
    exit "$1"
}

say() { printf '%s\n' "$*"; }

leave() {
    code=$?
    trap - EXIT
    if [ -n "$new" ]; then
        rm -rf "$new"
        say "install.sh: nothing was changed in $prefix" >&2
    fi
    exit "$code"
}

# Every file that SHA256SUMS lists is here and unchanged; every wheel that is here is listed.
check_files() {
    command -v sha256sum >/dev/null ||
        fail 10 "sha256sum is not on PATH" "install coreutils, or put it on PATH"
    [ -f SHA256SUMS ] ||
        fail 4 "$here: SHA256SUMS is missing" "copy the bundle's whole folder files/toolkit again"
    faults='' listed=' '
    while read -r sum name; do
        listed="$listed$name "
        if [ ! -f "$name" ] || [ -L "$name" ]; then
            faults="$faults
  - $name: missing"
        elif found=$(sha256sum <"$name") && [ "${found%% *}" = "$sum" ]; then
            :
        else
            faults="$faults
  - $name: damaged: expected SHA-256 $sum, found ${found%% *}"
        fi
    done <SHA256SUMS
    for name in install.sh requirements.txt wheels/* wheels/.[!.]*; do
        if [ ! -e "$name" ] && [ ! -L "$name" ]; then continue; fi
        case $listed in
            *" $name "*) ;;
            *) faults="$faults
  - $name: not listed in SHA256SUMS" ;;
        esac
    done
    [ -z "$faults" ] || fail 4 "$here: not the files that were carried; nothing was installed$faults" \
        "check the whole bundle: sha256sum --quiet -c SHA256SUMS in its folder; then copy it again"
}

# Run by a Python that may be used: ends with the reason why not, or prints what it is.
probe='
import sys
pythons, machines, glibc = [word.split() for word in sys.argv[1:]]
version = "%d.%d" % sys.version_info[:2]
if version not in pythons:
    sys.exit("it is Python " + version)
import platform, sysconfig
if platform.python_implementation() != "CPython":
    sys.exit("it is " + platform.python_implementation())
if sysconfig.get_config_var("Py_GIL_DISABLED"):
    sys.exit("it is a free-threaded build")
if platform.machine() not in machines or sys.platform != "linux" or sys.maxsize < 2 ** 32:
    sys.exit("it is for %s on %s" % (sysconfig.get_platform(), platform.machine()))
number = lambda text: [int(part) for part in text.split(".")]
name, found = platform.libc_ver()
if name != "glibc" or number(found) < number(glibc[0]):
    sys.exit("its C library is %s %s" % (name or "not glibc", found))
try:
    import venv, zlib
except ImportError as error:
    sys.exit("%s (Debian: apt-get install python3-venv)" % error)
print(sys.version.split()[0], sys.base_prefix)
'

# find_python NAME...: the first of them that fits
find_python() {
    reasons=''
    for name in "$@"; do
        path=$(command -v "$name") || continue
        if described=$("$path" -I -c "$probe" "$pythons" "$machines" "$glibc" 2>&1) &&
            [ -n "$described" ]; then
            python=$path
            return
        fi
        reasons="$reasons
  - $path: ${described:-it is no Python}"
    done
    fail 5 "no Python that fits: looked for $*${reasons:-; none is on PATH}" \
        "carried is what CPython $pythons on $platforms needs, with glibc $glibc or later; \
name another one with --python, or add its version to toolkit: in the bundle spec"
}

# The commands are ours to replace.
check_names() {
    for name in $commands; do
        at=$prefix/bin/$name
        if [ -e "$at" ] || [ -L "$at" ]; then
            [ "$(readlink "$at" || true)" = "$home/current/bin/$name" ] ||
                fail 8 "$at is another program" "move it away, or choose another PREFIX"
        fi
    done
}

# Whether this very folder is what is installed, and works.
is_installed() {
    [ "$(cat "$home/current/installed" 2>/dev/null)" = "$stamp" ] && works "$home/current" 2>/dev/null
}

works() {
    for name in $commands; do
        "$1/bin/$name" --version >/dev/null || return 1
    done
}

# A place of its own, where it stays: what is installed knows its path.
make_place() {
    mkdir -p "$home" "$prefix/bin" && place=$(mktemp -d "$home/$version.XXXXXX") &&
        [ -w "$prefix/bin" ] ||
        fail 9 "cannot write to $prefix" "choose a PREFIX that is yours: sh install.sh ~/.local"
    new=$place
    chmod 755 "$new"
    echo $$ >"$new/installing"
    mkdir "$new/tmp"
}

# pip runs from its wheel, for many systems have none; the network is of no use to it.
fill_place() {
    set -- wheels/pip-*.whl
    "$python" -I -m venv --without-pip "$new" &&
        TMPDIR=$new/tmp PIP_CONFIG_FILE=/dev/null "$new/bin/python" -I "$1/pip" --isolated \
            --disable-pip-version-check --quiet install --no-index --no-cache-dir \
            --find-links wheels --only-binary :all: --require-hashes -r requirements.txt &&
        works "$new" ||
        fail 10 "$python could not install harness-airgap $version" \
            "mend what is named above, and run the same command again"
    rm -rf "$new/tmp"
    rm "$new/installing"
    printf '%s\n' "$stamp" >"$new/installed"
}

# link TARGET NAME: make or replace a link at once
link() {
    rm -f "$2.new" && ln -s "$1" "$2.new" &&
        "$python" -I -c 'import os, sys; os.replace(sys.argv[1], sys.argv[2])' "$2.new" "$2" ||
        fail 9 "cannot write $2" "mend what is named above, and run the same command again"
}

# Keep what is used now and what was used before; leave others alone who install right now.
remove_older() {
    for place in "$home"/*; do
        case $place in "$home/current" | "$home/$used" | "$home/$before") continue ;; esac
        if [ -f "$place/installing" ] && kill -0 "$(cat "$place/installing")" 2>/dev/null; then
            continue
        fi
        rm -rf "$place"
    done
}

tell_path() {
    case :$PATH: in
        *":$prefix/bin:"*)
            first=$(command -v airgap-mirror || true)
            [ "$first" = "$prefix/bin/airgap-mirror" ] ||
                say "note: another airgap-mirror comes first on PATH: $first" ;;
        *) say "put it on PATH:  export PATH=\"$prefix/bin:\$PATH\"" ;;
    esac
}

choice='' prefix=''
while [ $# -gt 0 ]; do
    case $1 in
        -h | --help) usage; exit 0 ;;
        --python=?*) choice=${1#*=} ;;
        --python)
            [ -n "${2:-}" ] || fail 2 "--python needs a program" "see sh install.sh --help"
            choice=$2
            shift ;;
        -*) fail 2 "unknown option $1" "see sh install.sh --help" ;;
        *)
            [ -z "$prefix" ] || fail 2 "one PREFIX, found $prefix and $1" "see sh install.sh --help"
            prefix=$1 ;;
    esac
    shift
done
if [ -z "$prefix" ]; then
    if [ "$(id -u)" = 0 ]; then prefix=/usr/local; else prefix=${HOME:-}/.local; fi
fi
case $prefix in /*) ;; *) prefix=$PWD/$prefix ;; esac
prefix=${prefix%/}
case $choice in */*) choice=$(cd "$(dirname "$choice")" && pwd)/$(basename "$choice") ;; esac
home=$prefix/lib/harness-airgap

here=$(cd "$(dirname "$0")" && pwd)
cd "$here"
check_files
if [ -n "$choice" ]; then
    find_python "$choice"
else
    # shellcheck disable=SC2046 # a list of plain names
    find_python $(printf 'python%s ' $pythons) python3
fi
check_names
stamp="$(sha256sum <SHA256SUMS) $described"
before=$(readlink "$home/current" 2>/dev/null || true)
if is_installed; then
    used=$before before=''
    say "harness-airgap $version is installed in $prefix already"
else
    trap leave EXIT
    trap 'exit 130' INT
    trap 'exit 143' HUP TERM
    say "installing harness-airgap $version in $prefix with $python"
    make_place
    fill_place
    used=${new##*/}
    new=''
    link "$used" "$home/current"
    remove_older
    say "installed: $prefix/bin/airgap-mirror, $prefix/bin/airgap-bundler"
fi
for name in $commands; do
    link "$home/current/bin/$name" "$prefix/bin/$name"
done
tell_path
