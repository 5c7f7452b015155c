// cuBLASLt's product on the CPU, in the place of the library's own: matrices as their layouts say, by columns, values
// of float32. What needs a device besides has one algorithm.
#include <cublasLt.h>

#include <cstddef>
#include <cstdint>

namespace {

struct Matrix {
  const float* values;
  std::uint64_t rows = 0;
  std::uint64_t cols = 0;
  std::int64_t leading = 0;
  bool is_transposed = false;

  std::uint64_t op_rows() const { return is_transposed ? cols : rows; }
  std::uint64_t op_cols() const { return is_transposed ? rows : cols; }
  float at(std::uint64_t row, std::uint64_t col) const {
    return is_transposed ? values[col + row * leading] : values[row + col * leading];
  }
};

Matrix matrix(const void* values, cublasLtMatrixLayout_t layout) {
  Matrix m{.values = static_cast<const float*>(values)};
  std::size_t written = 0;
  cublasLtMatrixLayoutGetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_ROWS, &m.rows, sizeof(m.rows),
                                   &written);
  cublasLtMatrixLayoutGetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_COLS, &m.cols, sizeof(m.cols),
                                   &written);
  cublasLtMatrixLayoutGetAttribute(layout, CUBLASLT_MATRIX_LAYOUT_LD, &m.leading, sizeof(m.leading),
                                   &written);
  return m;
}

template <class Value>
Value of(cublasLtMatmulDesc_t product, cublasLtMatmulDescAttributes_t attribute) {
  Value value{};
  std::size_t written = 0;
  cublasLtMatmulDescGetAttribute(product, attribute, &value, sizeof(value), &written);
  return value;
}

}  // namespace

extern "C" cublasStatus_t cublasLtMatmulAlgoGetHeuristic(
    cublasLtHandle_t, cublasLtMatmulDesc_t, cublasLtMatrixLayout_t, cublasLtMatrixLayout_t,
    cublasLtMatrixLayout_t, cublasLtMatrixLayout_t, cublasLtMatmulPreference_t, int wanted,
    cublasLtMatmulHeuristicResult_t results[], int* num_results) {
  *num_results = wanted < 1 ? 0 : 1;
  results[0] = {};
  results[0].algo.data[0] = 0x2a;
  results[0].workspaceSize = 1024;
  return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtMatmul(
    cublasLtHandle_t, cublasLtMatmulDesc_t product, const void* alpha, const void* a,
    cublasLtMatrixLayout_t a_layout, const void* b, cublasLtMatrixLayout_t b_layout,
    const void* beta, const void*, cublasLtMatrixLayout_t, void* d, cublasLtMatrixLayout_t d_layout,
    const cublasLtMatmulAlgo_t*, void*, std::size_t, cudaStream_t) {
  Matrix left = matrix(a, a_layout);
  Matrix right = matrix(b, b_layout);
  const Matrix result = matrix(d, d_layout);
  left.is_transposed = of<std::int32_t>(product, CUBLASLT_MATMUL_DESC_TRANSA) == CUBLAS_OP_T;
  right.is_transposed = of<std::int32_t>(product, CUBLASLT_MATMUL_DESC_TRANSB) == CUBLAS_OP_T;
  const bool has_bias = of<std::uint32_t>(product, CUBLASLT_MATMUL_DESC_EPILOGUE) ==
                        std::uint32_t{CUBLASLT_EPILOGUE_BIAS};
  if (left.op_rows() != result.rows || right.op_cols() != result.cols ||
      left.op_cols() != right.op_rows() || *static_cast<const float*>(alpha) != 1.0f ||
      *static_cast<const float*>(beta) != 0.0f) {
    return CUBLAS_STATUS_INVALID_VALUE;
  }
  // The bias has a value for each row.
  const auto* const bias =
      has_bias ? of<const float*>(product, CUBLASLT_MATMUL_DESC_BIAS_POINTER) : nullptr;
  for (std::uint64_t col = 0; col < result.cols; ++col) {
    for (std::uint64_t row = 0; row < result.rows; ++row) {
      float sum = bias == nullptr ? 0.0f : bias[row];
      for (std::uint64_t i = 0; i < left.op_cols(); ++i) sum += left.at(row, i) * right.at(i, col);
      static_cast<float*>(d)[row + col * result.leading] = sum;
    }
  }
  return CUBLAS_STATUS_SUCCESS;
}

extern "C" cublasStatus_t cublasLtDestroy(cublasLtHandle_t) {
  return CUBLAS_STATUS_SUCCESS;
}
