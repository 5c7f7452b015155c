#include "tools/result_stream.h"

#include <cstdio>
#include <span>
#include <system_error>
#include <utility>

namespace penstock::tools {
namespace {

constexpr std::size_t kPieceBytes = 64u << 10;

}  // namespace

ResultStream::ResultStream(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.empty()) return;
  std::error_code ignored;  // left behind by a process that died, mostly absent
  std::filesystem::remove(temporary(), ignored);
  file_ = create_new_file(temporary());
}

ResultStream::~ResultStream() {
  if (!file_) return;
  std::error_code ignored;  // a destructor has nobody to tell
  std::filesystem::remove(temporary(), ignored);
}

void ResultStream::write(std::string_view text) {
  if (!file_) {
    std::fwrite(text.data(), 1, text.size(), stdout);  // main looks at ferror()
    return;
  }
  pending_ += text;
  if (pending_.size() >= kPieceBytes) flush();
}

void ResultStream::publish() {
  if (!file_) return;
  flush();
  sync_file(file_, temporary());
  publish_by_rename(temporary(), path_);
  file_ = {};
}

void ResultStream::flush() {
  write_at(file_, offset_, std::as_bytes(std::span(pending_)), temporary());
  offset_ += pending_.size();
  pending_.clear();
}

std::filesystem::path ResultStream::temporary() const {
  std::filesystem::path path = path_;
  path += ".tmp";
  return path;
}

}  // namespace penstock::tools
