#include "streamer/read/jpeg_memory.h"

#include <array>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <memory>
#include <utility>

// jpeglib.h needs size_t and FILE before it.
#include <jpeglib.h>
// jerror.h defines the message codes.
#include <jerror.h>

// Virtual arrays are opaque to libjpeg's other modules (jpeglib.h 2.1.5): whoever implements the
// manager defines them. Here they are ordinary arrays, wholly resident.
struct jvirt_sarray_control {
  JSAMPARRAY rows;
};
struct jvirt_barray_control {
  JBLOCKARRAY rows;
};

namespace penstock {

namespace {

// Tables without a picture. There are never more than libjpeg has places for: one is made only when
// none is spare.
template <class Table, std::size_t kMaxTables>
class SpareTables {
 public:
  void put(Table*& table) noexcept {
    if (table != nullptr) tables_[num_tables_++] = std::exchange(table, nullptr);
  }
  Table* take() noexcept { return num_tables_ > 0 ? tables_[--num_tables_] : nullptr; }
  void clear() noexcept { num_tables_ = 0; }

 private:
  std::array<Table*, kMaxTables> tables_{};
  std::size_t num_tables_ = 0;
};

}  // namespace

struct JpegMemory::State {
  jpeg_memory_mgr original{};
  std::byte* begin = nullptr;
  std::size_t size_bytes = 0;
  std::size_t used_bytes = 0;
  SpareTables<JQUANT_TBL, NUM_QUANT_TBLS> quant;
  SpareTables<JHUFF_TBL, 2 * NUM_HUFF_TBLS> huffman;
};

namespace {

// SIMD code of libjpeg-turbo reads and writes whole vectors: rows start and end at 64 bytes.
constexpr std::size_t kRowAlignmentBytes = 64;

JpegMemory::State& state_of(j_common_ptr cinfo) {
  return *static_cast<JpegMemory::State*>(cinfo->client_data);
}

void* take(j_common_ptr cinfo, std::size_t bytes) {
  JpegMemory::State& state = state_of(cinfo);
  const std::size_t padded = (bytes + kRowAlignmentBytes - 1) & ~(kRowAlignmentBytes - 1);
  if (padded < bytes || padded > state.size_bytes - state.used_bytes) {
    ERREXIT1(cinfo, JERR_OUT_OF_MEMORY, 0);
  }
  std::byte* memory = state.begin + state.used_bytes;
  state.used_bytes += padded;
  return memory;
}

void* alloc(j_common_ptr cinfo, int pool_id, std::size_t bytes) {
  if (pool_id != JPOOL_PERMANENT) return take(cinfo, bytes);
  JpegMemory::State& state = state_of(cinfo);
  void* spare = nullptr;
  static_assert(sizeof(JQUANT_TBL) != sizeof(JHUFF_TBL), "a table is known by its size");
  if (bytes == sizeof(JQUANT_TBL)) spare = state.quant.take();
  if (bytes == sizeof(JHUFF_TBL)) spare = state.huffman.take();
  return spare != nullptr ? spare : state.original.alloc_small(cinfo, pool_id, bytes);
}

template <class Row>
Row* alloc_rows(j_common_ptr cinfo, std::size_t row_bytes, JDIMENSION num_rows) {
  const std::size_t padded = (row_bytes + kRowAlignmentBytes - 1) & ~(kRowAlignmentBytes - 1);
  auto* rows = static_cast<Row*>(take(cinfo, num_rows * sizeof(Row)));
  auto* pixels = static_cast<std::byte*>(take(cinfo, padded * num_rows));
  for (JDIMENSION y = 0; y < num_rows; ++y) rows[y] = reinterpret_cast<Row>(pixels + y * padded);
  return rows;
}

JSAMPARRAY alloc_sarray(j_common_ptr cinfo, int pool_id, JDIMENSION num_samples,
                        JDIMENSION num_rows) {
  if (pool_id == JPOOL_PERMANENT) {
    return state_of(cinfo).original.alloc_sarray(cinfo, pool_id, num_samples, num_rows);
  }
  return alloc_rows<JSAMPROW>(cinfo, num_samples * sizeof(JSAMPLE), num_rows);
}

JBLOCKARRAY alloc_barray(j_common_ptr cinfo, int pool_id, JDIMENSION num_blocks,
                         JDIMENSION num_rows) {
  if (pool_id == JPOOL_PERMANENT) {
    return state_of(cinfo).original.alloc_barray(cinfo, pool_id, num_blocks, num_rows);
  }
  return alloc_rows<JBLOCKROW>(cinfo, num_blocks * sizeof(JBLOCK), num_rows);
}

// Zeroes rows, and shows libjpeg's progress monitor each: the coefficients of a large picture of
// several scans take longer than a stop may.
template <class Row>
void zero_rows(j_common_ptr cinfo, Row* rows, JDIMENSION num_rows, std::size_t row_bytes) {
  for (JDIMENSION y = 0; y < num_rows; ++y) {
    if (cinfo->progress != nullptr) cinfo->progress->progress_monitor(cinfo);
    std::memset(rows[y], 0, row_bytes);
  }
}

jvirt_sarray_ptr request_virt_sarray(j_common_ptr cinfo, int, boolean pre_zero,
                                     JDIMENSION num_samples, JDIMENSION num_rows, JDIMENSION) {
  auto* array = static_cast<jvirt_sarray_ptr>(take(cinfo, sizeof(jvirt_sarray_control)));
  array->rows = alloc_rows<JSAMPROW>(cinfo, num_samples * sizeof(JSAMPLE), num_rows);
  if (pre_zero) zero_rows(cinfo, array->rows, num_rows, num_samples * sizeof(JSAMPLE));
  return array;
}

jvirt_barray_ptr request_virt_barray(j_common_ptr cinfo, int, boolean pre_zero,
                                     JDIMENSION num_blocks, JDIMENSION num_rows, JDIMENSION) {
  auto* array = static_cast<jvirt_barray_ptr>(take(cinfo, sizeof(jvirt_barray_control)));
  array->rows = alloc_rows<JBLOCKROW>(cinfo, num_blocks * sizeof(JBLOCK), num_rows);
  if (pre_zero) zero_rows(cinfo, array->rows, num_rows, num_blocks * sizeof(JBLOCK));
  return array;
}

void realize_virt_arrays(j_common_ptr) {}  // they exist from the moment they are requested

JSAMPARRAY access_virt_sarray(j_common_ptr, jvirt_sarray_ptr array, JDIMENSION start_row,
                              JDIMENSION, boolean) {
  return array->rows + start_row;
}

JBLOCKARRAY access_virt_barray(j_common_ptr, jvirt_barray_ptr array, JDIMENSION start_row,
                               JDIMENSION, boolean) {
  return array->rows + start_row;
}

void free_pool(j_common_ptr cinfo, int pool_id) {
  if (pool_id == JPOOL_PERMANENT) {
    state_of(cinfo).original.free_pool(cinfo, pool_id);
    return;
  }
  // libjpeg frees its image pool at the end of each picture; used_bytes stays for reports until
  // the next span is lent.
}

}  // namespace

JpegMemory::JpegMemory() : state_(new State) {}
JpegMemory::~JpegMemory() {
  delete state_;
}

void JpegMemory::attach(jpeg_decompress_struct& cinfo) {
  state_->original = *cinfo.mem;
  // What was spare went with the object that it was made for.
  state_->quant.clear();
  state_->huffman.clear();
  cinfo.client_data = state_;
  cinfo.mem->alloc_small = alloc;
  cinfo.mem->alloc_large = alloc;
  cinfo.mem->alloc_sarray = alloc_sarray;
  cinfo.mem->alloc_barray = alloc_barray;
  cinfo.mem->request_virt_sarray = request_virt_sarray;
  cinfo.mem->request_virt_barray = request_virt_barray;
  cinfo.mem->realize_virt_arrays = realize_virt_arrays;
  cinfo.mem->access_virt_sarray = access_virt_sarray;
  cinfo.mem->access_virt_barray = access_virt_barray;
  cinfo.mem->free_pool = free_pool;
}

void JpegMemory::detach(jpeg_decompress_struct& cinfo) noexcept {
  // cinfo.mem points into libjpeg's larger private struct, of which these are the public members.
  if (cinfo.mem != nullptr) *cinfo.mem = state_->original;
}

void JpegMemory::lend(std::span<std::byte> scratch) noexcept {
  void* begin = scratch.data();
  std::size_t size_bytes = scratch.size();
  if (std::align(kRowAlignmentBytes, 0, begin, size_bytes) == nullptr) size_bytes = 0;
  state_->begin = static_cast<std::byte*>(begin);
  state_->size_bytes = size_bytes;
  state_->used_bytes = 0;
}

void JpegMemory::forget_tables(jpeg_decompress_struct& cinfo) noexcept {
  for (JQUANT_TBL*& table : cinfo.quant_tbl_ptrs) state_->quant.put(table);
  for (JHUFF_TBL*& table : cinfo.dc_huff_tbl_ptrs) state_->huffman.put(table);
  for (JHUFF_TBL*& table : cinfo.ac_huff_tbl_ptrs) state_->huffman.put(table);
}

std::size_t JpegMemory::used_bytes() const noexcept {
  return state_->used_bytes;
}

}  // namespace penstock
