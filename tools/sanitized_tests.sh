#!/usr/bin/env bash
# Run the tests with the compiled code under AddressSanitizer and UndefinedBehaviorSanitizer (Linux with GCC).
# Arguments go to pytest:
#
#     tools/sanitized_tests.sh tests -k gradient
set -euo pipefail
cd "$(dirname "$0")/.."

flags="-fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -g"

if [[ -f tests/cpp/CMakeLists.txt ]]; then
    cmake -S tests/cpp -B build/sanitized-cpp -DCMAKE_BUILD_TYPE=RelWithDebInfo -DCMAKE_CXX_FLAGS="$flags"
    cmake --build build/sanitized-cpp --parallel
    ctest --test-dir build/sanitized-cpp --output-on-failure
fi

venv=build/sanitized-venv
python3 -m venv "$venv"
CXXFLAGS="$flags" "$venv/bin/pip" install -q ".[test]" \
    -C build-dir=build/sanitized -C cmake.build-type=RelWithDebInfo -C install.strip=false

# Python is not instrumented, so the sanitizer's runtime has to be loaded before it; libstdc++ too, or its exceptions
# are not caught. Python never frees everything, so leaks are not looked for. AddressSanitizer ends the process where
# C++ would throw bad_alloc, which leaves out the tests of that.
preload="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libstdc++.so)"
LD_PRELOAD="$preload" ASAN_OPTIONS=detect_leaks=0 "$venv/bin/pytest" -m "not out_of_memory" "$@"
