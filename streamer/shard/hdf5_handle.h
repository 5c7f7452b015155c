// The HDF5 library as our few files see it: handles that close, errors as exceptions, one call at a
// time. Included by hdf5_array.cpp, hdf5_child.cpp, hdf5_layout.cpp and hdf5_survey.cpp alone.
#pragma once

#include <hdf5.h>

#include <filesystem>
#include <mutex>
#include <string>
#include <utility>

namespace penstock {

/// Throws Internal with the library's own words.
[[noreturn]] void throw_hdf5(const char* what);

/// Returns `value` unless it is negative, HDF5's sign of failure.
template <class T>
T check_hdf5(T value, const char* what) {
  if (value >= 0) return value;
  throw_hdf5(what);
}

/// While it lives, this thread alone is in the library (which may be built without locks), its
/// error stack is not printed and it loads no plugin. Puts the host program's settings back.
class Hdf5Session {
 public:
  Hdf5Session();
  Hdf5Session(const Hdf5Session&) = delete;
  Hdf5Session& operator=(const Hdf5Session&) = delete;
  ~Hdf5Session();

 private:
  std::unique_lock<std::mutex> lock_;
  H5E_auto2_t print_ = nullptr;
  void* data_ = nullptr;
  unsigned plugins_ = 0;
};

template <herr_t (*Close)(hid_t)>
class UniqueHandle {
 public:
  UniqueHandle(hid_t id, const char* what) : id_(check_hdf5(id, what)) {}
  UniqueHandle(UniqueHandle&& other) noexcept : id_(std::exchange(other.id_, -1)) {}
  UniqueHandle& operator=(UniqueHandle&&) = delete;
  ~UniqueHandle() {
    if (id_ >= 0) Close(id_);
  }

  hid_t get() const noexcept { return id_; }
  void close(const char* what) { check_hdf5(Close(std::exchange(id_, -1)), what); }

 private:
  hid_t id_;
};

using FileHandle = UniqueHandle<H5Fclose>;
using DatasetHandle = UniqueHandle<H5Dclose>;
using SpaceHandle = UniqueHandle<H5Sclose>;
using TypeHandle = UniqueHandle<H5Tclose>;
using PropertyHandle = UniqueHandle<H5Pclose>;
using AttributeHandle = UniqueHandle<H5Aclose>;
using DriverHandle = UniqueHandle<H5FDunregister>;

/// Opens a file that is only looked at: without a lock, and nothing of it stays open behind our back.
FileHandle open_hdf5(const std::filesystem::path& path);

/// Whether a link leads to an object of the same file by its address; others may lead out of it. Throws
/// Internal when there is none of that name.
bool is_hard_link(hid_t file, const std::string& name);

/// The type of an index record (FORMAT.md, section 4).
TypeHandle hdf5_record_type();

}  // namespace penstock
