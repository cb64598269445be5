#define FOXNN_VECTOR_BYTES 16
#define FOXNN_TILE_ROWS_1 16
#define FOXNN_TILE_ROWS_2 8
#include "kernels/build_table.hpp"

namespace foxnn {

InstructionSet neon_kernels() { return {"neon", true, build_table<float>(), build_table<double>()}; }

}  // namespace foxnn
