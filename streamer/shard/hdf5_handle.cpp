#include "streamer/shard/hdf5_handle.h"

#include <string>

#include "streamer/core/error.h"
#include "streamer/shard/index_record.h"

namespace penstock {
namespace {

herr_t collect_description(unsigned, const H5E_error2_t* entry, void* text) noexcept {
  try {
    auto& out = *static_cast<std::string*>(text);
    if (entry->desc != nullptr) out += (out.empty() ? "" : "; ") + std::string(entry->desc);
    return 0;
  } catch (...) {
    return -1;
  }
}

std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

}  // namespace

void throw_hdf5(const char* what) {
  std::string library_text;
  H5Ewalk2(H5E_DEFAULT, H5E_WALK_UPWARD, &collect_description, &library_text);
  throw Error(ErrorCode::kInternal, "HDF5: " + std::string(what) + ": " + library_text);
}

Hdf5Session::Hdf5Session() : lock_(library_mutex()) {
  check_hdf5(H5Eget_auto2(H5E_DEFAULT, &print_, &data_), "read the error handler");
  check_hdf5(H5Eset_auto2(H5E_DEFAULT, nullptr, nullptr), "silence the error handler");
  check_hdf5(H5PLget_loading_state(&plugins_), "read which plugins are loaded");
  check_hdf5(H5PLset_loading_state(0), "load no plugin");
}

Hdf5Session::~Hdf5Session() {
  H5PLset_loading_state(plugins_);
  H5Eset_auto2(H5E_DEFAULT, print_, data_);
}

FileHandle open_hdf5(const std::filesystem::path& path) {
  const PropertyHandle access(H5Pcreate(H5P_FILE_ACCESS), "create access properties");
  check_hdf5(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "close all with the file");
#if H5_VERSION_GE(1, 10, 7)
  check_hdf5(H5Pset_file_locking(access.get(), false, true), "take no lock");  // read-only media
#endif
  return {H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get()), "open the file"};
}

bool is_hard_link(hid_t file, const std::string& name) {
  H5L_info_t info{};
  check_hdf5(H5Lget_info(file, name.c_str(), &info, H5P_DEFAULT), "look at a link");
  return info.type == H5L_TYPE_HARD;
}

TypeHandle hdf5_record_type() {
  TypeHandle type(H5Tcreate(H5T_COMPOUND, sizeof(IndexRecord)), "create the record type");
  const auto field = [&](const char* name, std::size_t at, hid_t field_type) {
    check_hdf5(H5Tinsert(type.get(), name, at, field_type), name);
  };
  field("offset_bytes", 0, H5T_STD_U64LE);
  field("xxh3", 8, H5T_STD_U64LE);
  field("length_bytes", 16, H5T_STD_U32LE);
  field("class_idx", 20, H5T_STD_U32LE);
  field("width_px", 24, H5T_STD_U32LE);
  field("height_px", 28, H5T_STD_U32LE);
  field("codec", 32, H5T_STD_U8LE);
  field("orientation", 33, H5T_STD_U8LE);
  field("status", 34, H5T_STD_U8LE);
  field("flags", 35, H5T_STD_U8LE);
  field("components", 36, H5T_STD_U8LE);
  field("subsampling_x", 37, H5T_STD_U8LE);
  field("subsampling_y", 38, H5T_STD_U8LE);
  const hsize_t num_reserved = sizeof IndexRecord::reserved;
  const TypeHandle reserved(H5Tarray_create2(H5T_STD_U8LE, 1, &num_reserved), "reserved type");
  field("reserved", 39, reserved.get());
  return type;
}

}  // namespace penstock
