#define FOXNN_VECTOR_BYTES 32
#define FOXNN_TILE_ROWS_1 12
#define FOXNN_TILE_ROWS_2 6
#include "kernels/build_table.hpp"

namespace foxnn {

InstructionSet avx2_kernels() { return {"avx2", true, build_table<float>(), build_table<double>()}; }

}  // namespace foxnn
