#define FOXNN_VECTOR_BYTES 64
#define FOXNN_TILE_ROWS_1 14
#define FOXNN_TILE_ROWS_2 14
#include "kernels/build_table.hpp"

namespace foxnn {

InstructionSet avx512_kernels() { return {"avx512", true, build_table<float>(), build_table<double>()}; }

}  // namespace foxnn
