#!/usr/bin/env bash
# Run Python with foxnn's compiled code under AddressSanitizer and UndefinedBehaviorSanitizer (Linux with GCC), built
# apart from your own installation. Arguments go to Python:
#
#     tools/sanitized_python.sh -m pytest tests -k gradient
#     cd tests && ../tools/sanitized_python.sh -m fuzz text_network
set -euo pipefail
root="$(cd "$(dirname "$0")/.." && pwd)"

flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"

venv="$root/build/sanitized-venv"
[[ -d $venv ]] || python3 -m venv "$venv"
CXXFLAGS="$flags" "$venv/bin/pip" install -q "$root[test]" \
    -C build-dir="$root/build/sanitized" -C cmake.build-type=RelWithDebInfo -C install.strip=false

# Python is not instrumented, so the sanitizer's runtime has to be loaded before it; libstdc++ too, or its exceptions
# are not caught. Python never frees everything, so leaks are not looked for.
preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0 exec "$venv/bin/python" "$@"
