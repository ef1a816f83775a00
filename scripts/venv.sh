#!/usr/bin/env bash
# Usage: venv.sh FOLDER REQUIREMENTS - make a virtual environment and install into it.
# What Debian splits off Python (ensurepip, headers) is installed where it is missing and we may.
set -euo pipefail

folder=$1 requirements=$2
python=${PYTHON:-python3.11}
command -v "$python" >/dev/null || python=python3

fail() { echo "$*" >&2; exit 1; }

"$python" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || fail "Python 3.11 is needed, $python is older"

missing=()
"$python" -c 'import venv, ensurepip' 2>/dev/null || missing+=(python3-venv)
header=$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h
[ -e "$header" ] || missing+=(python3-dev)
command -v "${CC:-cc}" >/dev/null || missing+=(gcc libc6-dev)
command -v ip >/dev/null || missing+=(iproute2)
if [ ${#missing[@]} -gt 0 ]; then
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || fail "please install: ${missing[*]}"
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "${missing[@]}" >/dev/null
fi

"$python" -m venv "$folder"
"$folder/bin/python" -m pip install --quiet --disable-pip-version-check -r "$requirements"
