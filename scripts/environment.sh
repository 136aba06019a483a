# Make or bring up to date the virtual environment at $ENVIRONMENT from the locked list $1.
# Sourced by scripts/run and scripts/test; both stand in the repository's root.

ensure_environment() {
    list=$1
    # Asked by its own Python, the one it was made of need not be: that one may be a shim, which
    # takes a tenth of a second each time.
    if [ -z "${PYTHON:-}" ] && [ -s "$ENVIRONMENT/.installed" ] && [ -x "$ENVIRONMENT/bin/python" ] &&
        is_up_to_date "$ENVIRONMENT/bin/python"; then
        return
    fi
    python=${PYTHON:-python3}
    if ! command -v "$python" >/dev/null 2>&1; then
        echo "Python 3.11 or newer is needed, and '$python' is not there." >&2
        exit 1
    fi
    if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))'; then
        echo "Python 3.11 or newer is needed; '$python' is older. Set PYTHON to a newer one." >&2
        exit 1
    fi
    if is_up_to_date "$python"; then
        return
    fi
    echo "Installing what $list names into $ENVIRONMENT ..." >&2
    if ! "$python" -m venv "$ENVIRONMENT"; then
        echo "Could not make a virtual environment; on Debian: apt-get install python3-venv" >&2
        exit 1
    fi
    # uv first: it installs the rest several times as fast. Without it pip does the same.
    grep -A 40 '^uv==' "$list" | awk 'NR == 1 || /^ / { print; next } { exit }' > "$ENVIRONMENT/uv.txt"
    if "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$ENVIRONMENT/uv.txt" &&
        "$ENVIRONMENT/bin/uv" pip sync --quiet --compile-bytecode --python "$ENVIRONMENT/bin/python" --require-hashes "$list"; then
        :
    else
        "$ENVIRONMENT/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r "$list" || exit 1
    fi
    echo "$wanted" > "$ENVIRONMENT/.installed"
}

# Say whether what is installed is what $list and Python $1 want.
is_up_to_date() {
    wanted=$(cat "$list" scripts/environment.sh | "$1" -I -S -c 'import hashlib, sys; print(hashlib.sha256(sys.stdin.buffer.read() + sys.version.encode()).hexdigest())') &&
        [ "$(cat "$ENVIRONMENT/.installed" 2>/dev/null)" = "$wanted" ]
}
