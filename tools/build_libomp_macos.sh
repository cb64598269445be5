#!/usr/bin/env bash
# Build LLVM's OpenMP runtime for macOS, from source, for the oldest system that MACOSX_DEPLOYMENT_TARGET names:
#
#     MACOSX_DEPLOYMENT_TARGET=11.0 tools/build_libomp_macos.sh PREFIX
#
# Homebrew's libomp needs the macOS that it was built on, and a wheel with that library in it would need it too.
set -euo pipefail

version=19.1.7
openmp_sha256=bd7e6901ab086fd268750363017935fd4a717c153dad3c2aab86cb0140d9e3fe
cmake_sha256=11c5a28f90053b0c43d0dec3d0ad579347fc277199c005206b963c19aae514e3

prefix="${1:?usage: tools/build_libomp_macos.sh PREFIX}"
mkdir -p "$prefix"
prefix="$(cd "$prefix" && pwd)"
work="$(mktemp -d)"
trap 'rm -rf "$work"' EXIT

fetch() { # NAME SHA256: the runtime's build looks for ../cmake, so the folders carry no version
    local url="https://github.com/llvm/llvm-project/releases/download/llvmorg-$version/$1-$version.src.tar.xz"
    curl --fail --silent --show-error --location --retry 3 --output "$work/$1.tar.xz" "$url"
    echo "$2  $work/$1.tar.xz" | shasum -a 256 --check --quiet
    mkdir "$work/$1"
    tar -xf "$work/$1.tar.xz" -C "$work/$1" --strip-components 1
}
fetch openmp "$openmp_sha256"
fetch cmake "$cmake_sha256"

# An absolute install name lets delocate find the library; no aliases, which would pass for GCC's libgomp.
cmake -S "$work/openmp" -B "$work/build" \
    -DCMAKE_BUILD_TYPE=Release \
    -DCMAKE_INSTALL_PREFIX="$prefix" \
    -DCMAKE_INSTALL_NAME_DIR="$prefix/lib" \
    -DLIBOMP_INSTALL_ALIASES=OFF \
    -DOPENMP_ENABLE_LIBOMPTARGET=OFF \
    -DOPENMP_ENABLE_OMPT_TOOLS=OFF
cmake --build "$work/build" --parallel
cmake --install "$work/build"
