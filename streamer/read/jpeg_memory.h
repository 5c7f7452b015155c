// libjpeg's memory manager over a span that the caller lends: a picture costs no malloc, and no
// more than was priced.
#pragma once

#include <cstddef>
#include <span>

struct jpeg_decompress_struct;

namespace penstock {

/// Replaces the per-picture pool of `cinfo.mem`; what lasts from picture to picture (tables, the
/// source manager) stays with libjpeg's own pool.
///
/// Lifetime  attach after jpeg_create_decompress(), detach before jpeg_destroy_decompress()
/// Errors    a picture that asks for more than was lent ends in libjpeg's error exit
/// Threads   one decoder's own
class JpegMemory {
 public:
  JpegMemory();
  ~JpegMemory();
  JpegMemory(const JpegMemory&) = delete;
  JpegMemory& operator=(const JpegMemory&) = delete;

  void attach(jpeg_decompress_struct& cinfo);
  void detach(jpeg_decompress_struct& cinfo) noexcept;

  /// Lends `scratch` for the next picture. Its first bytes are left out up to a multiple of 64,
  /// which libjpeg-turbo's SIMD code wants its rows to start at.
  void lend(std::span<std::byte> scratch) noexcept;
  /// Takes the tables of the last picture away from `cinfo` and gives their memory to the next: a
  /// picture that lacks tables of its own must not be decoded with those of another.
  void forget_tables(jpeg_decompress_struct& cinfo) noexcept;
  /// Bytes taken from the last span lent.
  std::size_t used_bytes() const noexcept;

  struct State;  // known to the .cpp, whose C functions find it through cinfo.client_data

 private:
  State* state_;
};

}  // namespace penstock
