// The kernels with vectors of 64 bytes and the tiles of AVX-512, on a processor that need not have it: the compiler
// makes two vectors of each. What depends on the width alone is tested everywhere.
#define FOXNN_VECTOR_BYTES 64
#define FOXNN_TILE_ROWS_1 14
#define FOXNN_TILE_ROWS_2 14
#include "kernels/build_table.hpp"

namespace foxnn {

InstructionSet wide_kernels() { return {"wide", false, build_table<float>(), build_table<double>()}; }

}  // namespace foxnn
