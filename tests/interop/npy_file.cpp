#include "tests/interop/npy_file.h"

#include <cstdio>
#include <fstream>
#include <iterator>
#include <string>

#include "streamer/core/error.h"

namespace penstock::tests {
namespace {

constexpr std::size_t kPreambleBytes = 10;  // magic, version 1.0, length of the header in two bytes
constexpr std::size_t kAlignBytes = 64;

[[noreturn]] void refuse(const std::filesystem::path& path, const std::string& found) {
  throw Error(ErrorCode::kCorruptData,
              "npy: " + path.native() +
                  ": expected uint8 of [height, width, channels] in C order, found " + found);
}

}  // namespace

NpyPicture read_npy_picture(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(file), {}};
  if (bytes.size() < kPreambleBytes || bytes.substr(0, 8) != std::string("\x93NUMPY\x01\x00", 8)) {
    refuse(path, "another file");
  }
  const std::size_t header_bytes =
      static_cast<std::uint8_t>(bytes[8]) + 256u * static_cast<std::uint8_t>(bytes[9]);
  const std::string header = bytes.substr(kPreambleBytes, header_bytes);
  const std::size_t shape = header.find("'shape': (");
  NpyPicture picture;
  if (header.find("'|u1'") == header.npos || header.find("False") == header.npos ||
      shape == header.npos ||
      std::sscanf(header.c_str() + shape, "'shape': (%u, %u, %u)", &picture.height_px,
                  &picture.width_px, &picture.channels) != 3) {
    refuse(path, header);
  }
  const std::string pixels = bytes.substr(kPreambleBytes + header_bytes);
  if (pixels.size() != std::size_t{picture.height_px} * picture.width_px * picture.channels) {
    refuse(path, std::to_string(pixels.size()) + " bytes");
  }
  picture.pixels_hwc.assign(pixels.begin(), pixels.end());
  return picture;
}

void write_npy(const std::filesystem::path& path, std::span<const float> values,
               std::span<const std::size_t> shape) {
  std::string header = "{'descr': '<f4', 'fortran_order': False, 'shape': (";
  for (const std::size_t side : shape) header += std::to_string(side) + ", ";
  header += "), }";
  header.append(kAlignBytes - (kPreambleBytes + header.size() + 1) % kAlignBytes, ' ');
  header += '\n';
  std::ofstream file(path, std::ios::binary);
  file << std::string("\x93NUMPY\x01\x00", 8) << static_cast<char>(header.size() % 256)
       << static_cast<char>(header.size() / 256) << header;
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
  if (!file.flush()) throw Error(ErrorCode::kIo, "npy: " + path.native() + ": write failed");
}

}  // namespace penstock::tests
