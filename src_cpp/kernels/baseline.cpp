#define FOXNN_VECTOR_BYTES 16
#define FOXNN_TILE_ROWS_1 12
#define FOXNN_TILE_ROWS_2 6
#include "kernels/build_table.hpp"

namespace foxnn {

InstructionSet baseline_kernels() { return {"baseline", false, build_table<float>(), build_table<double>()}; }

}  // namespace foxnn
