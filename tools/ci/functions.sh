# What the steps of .ci/run share. It names the folder $work before it reads this.

declare -a _not_run=() _took=()

# step TITLE FUNCTION: run it under that title. A command in it that fails ends the run.
step() {
    local start=$SECONDS
    printf '\n== %s\n' "$1"
    "$2"
    _took+=("$(printf '%5d s  %s' $((SECONDS - start)) "$1")")
}

# not_run "WHAT: WHY": say it now, and again at the end.
not_run() {
    echo "not run: $1"
    _not_run+=("$1")
}

report() {
    printf '\n== all passed in %d min\n' $(((SECONDS + 30) / 60))
    printf '%s\n' "${_took[@]}"
    local line
    for line in "${_not_run[@]}"; do echo "not run: $line"; done
}

# quietly COMMAND...: show what it prints only if it fails.
quietly() {
    "$@" >"$work/output.log" 2>&1 || {
        cat "$work/output.log"
        return 1
    }
}

# have COMMAND [DEBIAN_PACKAGE...]: whether it is here, or could be installed by who may do that.
have() {
    command -v "$1" >/dev/null && return
    [[ $(id -u) == 0 ]] && command -v apt-get >/dev/null || return 1
    local packages=("${@:2}") install=(apt-get install -y -qq --no-install-recommends)
    [[ ${#packages[@]} -gt 0 ]] || packages=("$1")
    quietly env DEBIAN_FRONTEND=noninteractive "${install[@]}" "${packages[@]}" ||
        { quietly apt-get update -qq && quietly env DEBIAN_FRONTEND=noninteractive "${install[@]}" "${packages[@]}"; } ||
        return 1
    command -v "$1" >/dev/null
}

# build_core NAME [CMAKE_OPTION...]: the core and its C++ tests, in build/core-NAME.
build_core() {
    quietly cmake -S tests/cpp -B "build/core-$1" "${@:2}"
    quietly cmake --build "build/core-$1" --parallel 2
}

# find_python VERSION: the path of python3.13, say, which pyenv may have without its being on the PATH.
find_python() {
    local candidate
    for candidate in "$(command -v "python$1" || true)" "${PYENV_ROOT:-$HOME/.pyenv}"/versions/*/bin/"python$1"; do
        if [[ -x $candidate ]] && "$candidate" -c '' 2>/dev/null; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

newest_other_python() {
    local version
    for version in 3.14 3.13 3.12 3.11 3.10; do
        if [[ $(.venv/bin/python --version) != "Python $version".* ]] && find_python "$version"; then return; fi
    done
    return 1
}
