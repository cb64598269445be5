#!/usr/bin/env bash
# Install the C++ library that a build of tests/cpp has made (with -DFOXNN_INSTALL=ON), and build and run the examples as
# a project of someone else would.
#
#     tools/ci/cpp_library.sh BUILD [CMAKE_OPTION...]
#
# MNIST is trained on for three epochs of the sample that comes with foxnn, or for one of the whole in FOXNN_DATA_DIR.
set -euo pipefail

work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

cmake --install "$1" --prefix "$work/prefix" >"$work/log" || { cat "$work/log" && exit 1; }
cmake -S examples/cpp -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" \
    -DCMAKE_CXX_FLAGS="-Wall -Wextra -Wpedantic -Werror" "${@:2}" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
cmake --build "$work/build" >"$work/log" 2>&1 || { cat "$work/log" && exit 1; }
"$work/build/sine"

# expect_accuracy FOLDER EPOCHS PERCENT: of the test digits at least so many are recognised.
expect_accuracy() {
    mkdir "$work/mnist"
    local file
    for file in "$1"/*-ubyte.gz; do gunzip -c "$file" >"$work/mnist/$(basename "$file" .gz)"; done
    "$work/build/mnist" "$work/mnist" "$2" | tee "$work/printed"
    awk -v least="$3" '/^test accuracy/ { found = $3 + 0 } END { exit !(found >= least) }' "$work/printed" || {
        echo "expected $3 % of the test digits, or more"
        exit 1
    }
}
if [[ -n ${FOXNN_DATA_DIR:-} ]]; then
    expect_accuracy "$FOXNN_DATA_DIR" 1 95
else
    expect_accuracy foxnn/datasets/mnist_sample 3 90
fi
