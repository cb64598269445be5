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

# AddressSanitizer ends the process where C++ would throw bad_alloc, which leaves out the tests of that.
tools/sanitized_python.sh -m pytest -m "not out_of_memory" "$@"
