#include "streamer/core/checksum.h"

#include <xxhash.h>
#ifdef PENSTOCK_XXHASH_DISPATCH
#include <xxh_x86dispatch.h>  // the same names, with the widest vectors of the machine
#endif

#include <bit>
#include <new>

namespace penstock {
namespace {

XXH3_state_t* state_of(void* state) {
  return static_cast<XXH3_state_t*>(state);
}

Digest128 canonical(XXH128_hash_t hash) noexcept {
  XXH128_canonical_t bytes;
  XXH128_canonicalFromHash(&bytes, hash);
  return std::bit_cast<Digest128>(bytes);
}

constexpr char kDigits[] = "0123456789abcdef";

}  // namespace

std::uint64_t xxh3_64(std::span<const std::byte> bytes) noexcept {
  return XXH3_64bits(bytes.data(), bytes.size());
}

Digest128 xxh3_128(std::span<const std::byte> bytes) noexcept {
  return canonical(XXH3_128bits(bytes.data(), bytes.size()));
}

// One state serves both widths: XXH3's 64- and 128-bit streaming states are the same accumulators,
// and XXH3_128bits_reset is documented to be identical to XXH3_64bits_reset (xxhash.h 0.8.1).
StreamHasher::StreamHasher() : state_(XXH3_createState()) {
  if (state_ == nullptr) throw std::bad_alloc();
  reset();
}

StreamHasher::~StreamHasher() {
  XXH3_freeState(state_of(state_));
}

void StreamHasher::reset() noexcept {
  XXH3_64bits_reset(state_of(state_));
}

void StreamHasher::update(std::span<const std::byte> bytes) noexcept {
  XXH3_64bits_update(state_of(state_), bytes.data(), bytes.size());
}

std::uint64_t StreamHasher::digest_64() const noexcept {
  return XXH3_64bits_digest(state_of(state_));
}

Digest128 StreamHasher::digest_128() const noexcept {
  return canonical(XXH3_128bits_digest(state_of(state_)));
}

std::string hex(std::uint64_t value) {
  std::string text(16, '0');
  for (std::size_t i = 0; i < text.size(); ++i) text[i] = kDigits[value >> (60 - 4 * i) & 15];
  return text;
}

std::string hex(const Digest128& digest) {
  std::string text;
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace penstock
