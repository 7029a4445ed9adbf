#!/bin/sh
# Makes .venv hold the packages of a lock file: `requirements/install.sh base` or `dev` (which holds base too).
# Does nothing where it does already, and starts afresh where a lock has changed. What stands in the way is said
# in one line on standard output, so that the Makefile can stop with it.
set -u
cd "$(dirname "$0")/.." || exit 1
lock=$1 here=requirements venv=.venv

holds() { cmp -s "$here/$1.txt" "$venv/$1.txt"; }
outdated() { [ -e "$venv/$1.txt" ] && ! holds "$1"; }
runs() { "$venv/bin/python" -c '' 2>/dev/null; }

if runs && ! outdated base && ! outdated dev && holds base; then
    { [ "$lock" = base ] || holds dev; } && exit 0
else
    rm -rf "$venv"
fi

if [ ! -d "$venv" ]; then
    new=
    for python in "${PYTHON:-python3}" python3 python3.14 python3.13 python3.12 python3.11; do
        "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && new=$python && break
    done
    if [ -z "$new" ]; then
        echo "Python 3.11 or newer is needed: install it (on Debian and Ubuntu: apt install python3 python3-venv)"
        exit 1
    fi
    if ! "$new" -c 'import venv, ensurepip' 2>/dev/null; then
        echo "This Python cannot make virtual environments: install its venv (on Debian and Ubuntu: apt install python3-venv)"
        exit 1
    fi
    echo "Setting up .venv; this happens once and takes less than a minute." >&2
    "$new" -m venv "$venv" >&2 || { echo "A virtual environment could not be made here, see above"; exit 1; }
    # The checkout itself, importable from everywhere, and its command; nothing is built.
    pwd >"$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/hotline.pth"
    printf '#!/bin/sh\nexec "$(dirname "$0")/python" -m gateway "$@"\n' >"$venv/bin/hotline"
    chmod +x "$venv/bin/hotline"
else
    echo "Adding to .venv what tests need; this happens once." >&2
fi

# uv does in ten seconds what takes pip half a minute; where it cannot be had, pip does it.
pip="$venv/bin/python -m pip --quiet --disable-pip-version-check --no-input"
if $pip install --no-deps --require-hashes --only-binary :all: -r "$here/lock.txt" >/dev/null 2>&1 &&
    "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --no-deps --require-hashes \
        --compile-bytecode -r "$here/$lock.txt" >/dev/null 2>&1; then
    :
else
    $pip install --no-deps --require-hashes -r "$here/$lock.txt" >&2 ||
        { echo "The packages could not be installed, see above"; exit 1; }
fi
cp "$here/base.txt" "$venv/base.txt"
[ "$lock" = base ] || cp "$here/$lock.txt" "$venv/$lock.txt"
