#include "tools/convert/source/gzip_stream.h"

#include <zlib.h>

#include <vector>

#include "streamer/core/error.h"

namespace penstock::convert {
namespace {

constexpr std::size_t kBlockBytes = std::size_t{64} << 10;
constexpr int kGzipOnly = 16;

// RAII of z_stream.
class Inflater {
 public:
  Inflater() {
    if (::inflateInit2(&stream_, MAX_WBITS + kGzipOnly) != Z_OK) {
      throw Error(ErrorCode::kOutOfMemory, "gzip: expected memory for a decoder");
    }
  }
  Inflater(const Inflater&) = delete;
  Inflater& operator=(const Inflater&) = delete;
  ~Inflater() { ::inflateEnd(&stream_); }

  z_stream& stream() noexcept { return stream_; }

 private:
  z_stream stream_{};
};

class GzipStream final : public ByteStream {
 public:
  explicit GzipStream(std::unique_ptr<ByteStream> file)
      : file_(std::move(file)), block_(kBlockBytes) {}

  std::span<const std::byte> next() override {
    z_stream& z = inflater_.stream();
    z.next_out = reinterpret_cast<Bytef*>(block_.data());
    z.avail_out = static_cast<uInt>(block_.size());
    while (!is_at_end_ && z.avail_out == block_.size()) step(z);
    return std::span(block_).first(block_.size() - z.avail_out);
  }

  std::uint64_t skip(std::uint64_t /*num_bytes*/) override { return 0; }
  const std::optional<ArchiveFault>& fault() const override { return fault_; }

 private:
  void step(z_stream& z) {
    if (z.avail_in == 0 && !refill(z)) {
      if (is_in_member_) end_with(ReasonCode::kArchiveTruncated, "truncated input");
      is_at_end_ = true;
      return;
    }
    // A byte that begins no other member ends the file.
    if (!is_in_member_ && *z.next_in != 0x1F) {
      is_at_end_ = true;
      return;
    }
    is_in_member_ = true;
    const int code = ::inflate(&z, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      is_in_member_ = false;
      ::inflateReset(&z);
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      end_with(ReasonCode::kArchiveDamaged, z.msg == nullptr ? "damaged input" : z.msg);
    }
  }

  bool refill(z_stream& z) {
    const std::span<const std::byte> bytes = file_->next();
    z.next_in = reinterpret_cast<Bytef*>(const_cast<std::byte*>(bytes.data()));
    z.avail_in = static_cast<uInt>(bytes.size());
    return !bytes.empty();
  }

  void end_with(ReasonCode reason, const char* detail) {
    fault_ = ArchiveFault{.reason = reason, .detail = std::string("gzip: ") + detail};
    is_at_end_ = true;
  }

  std::unique_ptr<ByteStream> file_;
  Inflater inflater_;
  std::vector<std::byte> block_;
  bool is_in_member_ = false;
  bool is_at_end_ = false;
  std::optional<ArchiveFault> fault_;
};

}  // namespace

std::unique_ptr<ByteStream> open_gzip_stream(std::unique_ptr<ByteStream> file) {
  return std::make_unique<GzipStream>(std::move(file));
}

}  // namespace penstock::convert
