#include "streamer/shard/hdf5_array.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/hdf5_handle.h"

namespace penstock {
namespace {

constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{64} << 20;
constexpr int kMaxDimensions = 8;

std::string where_of(const std::filesystem::path& path, const std::string& name) {
  return path.native() + ":" + name;
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kUnsupported, "array: " + where + ": " + what,
              "write the dataset plainly into one file: h5repack -f NONE FILE OTHER");
}

// Runs what speaks to the library; its own words about a file that it cannot read say damage.
template <class Action>
auto in_library(const std::string& where, const std::string& what, const Action& action) {
  // 1.10.8 cannot close a file whose metadata are damaged; at exit it would print about it.
  static const bool is_left_open = H5dont_atexit() >= 0;
  static_cast<void>(is_left_open);
  const Hdf5Session session;
  try {
    return action();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) throw;
    throw Error(ErrorCode::kCorruptData,
                "array: " + where + ": expected " + what + ", found: " + error.what(),
                "look at the file with h5dump -H, or copy it again from where it came");
  }
}

hid_t open_file(const std::filesystem::path& path) {
  const PropertyHandle access(H5Pcreate(H5P_FILE_ACCESS), "create access properties");
  // Nothing of a file that is only looked at may stay open behind our back.
  check_hdf5(H5Pset_fclose_degree(access.get(), H5F_CLOSE_STRONG), "close all with the file");
#if H5_VERSION_GE(1, 10, 7)
  check_hdf5(H5Pset_file_locking(access.get(), false, true), "take no lock");  // read-only media
#endif
  return H5Fopen(path.c_str(), H5F_ACC_RDONLY, access.get());
}

bool is_hard_link(hid_t file, const std::string& name) {
  H5L_info_t info{};
  check_hdf5(H5Lget_info(file, name.c_str(), &info, H5P_DEFAULT), "look at a link");
  return info.type == H5L_TYPE_HARD;
}

std::string name_of_entry(hid_t group, hsize_t entry_idx) {
  const auto read = [&](char* text, std::size_t size) {
    return check_hdf5(H5Lget_name_by_idx(group, ".", H5_INDEX_NAME, H5_ITER_INC, entry_idx, text,
                                         size, H5P_DEFAULT),
                      "read the name of an entry");
  };
  std::string name(static_cast<std::size_t>(read(nullptr, 0)), '\0');
  read(name.data(), name.size() + 1);  // with its zero
  return name;
}

// Each part of the path must be a hard link: others may lead out of the file.
bool has_object(hid_t file, const std::string& name, const std::string& where) {
  for (std::size_t end = 0; end != std::string::npos;) {
    end = name.find('/', end + 1);
    const std::string part = name.substr(0, end);
    if (check_hdf5(H5Lexists(file, part.c_str(), H5P_DEFAULT), "look for a name") == 0) {
      return false;
    }
    if (!is_hard_link(file, part)) refuse(where, "expected a dataset, found a link elsewhere");
  }
  return true;
}

bool is_dataset(hid_t file, const std::string& name) {
  const hid_t object = H5Oopen(file, name.c_str(), H5P_DEFAULT);
  check_hdf5(object, "open an object");
  const bool is_one = H5Iget_type(object) == H5I_DATASET;
  check_hdf5(H5Oclose(object), "close an object");
  return is_one;
}

std::string without_leading_slash(const std::string& name) {
  const std::size_t begin = name.find_first_not_of('/');
  return begin == std::string::npos ? std::string() : name.substr(begin);
}

void check_filters(hid_t properties, const std::string& where) {
  const int num_filters = check_hdf5(H5Pget_nfilters(properties), "count filters");
  for (int i = 0; i < num_filters; ++i) {
    unsigned flags = 0;
    unsigned settings = 0;
    std::size_t num_values = 0;
    std::array<char, 64> name{};
    const H5Z_filter_t filter =
        H5Pget_filter2(properties, static_cast<unsigned>(i), &flags, &num_values, nullptr,
                       name.size(), name.data(), &settings);
    check_hdf5(filter, "look at a filter");
    if (check_hdf5(H5Zfilter_avail(filter), "look for a filter") == 0) {
      refuse(where, "expected a filter that HDF5 has built in (gzip, shuffle), found filter " +
                        std::to_string(filter) + " '" + std::string(name.data()) + "'");
    }
  }
}

// Returns the rows of a chunk, 0 for one piece.
std::uint64_t check_storage(hid_t dataset, std::uint64_t element_bytes, const std::string& where) {
  const PropertyHandle list(H5Dget_create_plist(dataset), "ask how a dataset was made");
  const H5D_layout_t layout = H5Pget_layout(list.get());
  if (layout != H5D_CONTIGUOUS && layout != H5D_CHUNKED && layout != H5D_COMPACT) {
    refuse(where, "expected its bytes in the file, found a virtual dataset");
  }
  // The count of a dataset that cannot have external files is an error in some versions.
  if (layout == H5D_CONTIGUOUS &&
      check_hdf5(H5Pget_external_count(list.get()), "count external files") != 0) {
    refuse(where, "expected its bytes in the file, found them in another");
  }
  if (layout != H5D_CHUNKED) return 0;
  check_filters(list.get(), where);
  std::array<hsize_t, kMaxDimensions> sides{};
  const int num_sides =
      check_hdf5(H5Pget_chunk(list.get(), kMaxDimensions, sides.data()), "ask for a chunk's sides");
  std::uint64_t chunk_bytes = element_bytes;
  for (int i = 0; i < std::min(num_sides, kMaxDimensions); ++i) {
    if (sides[i] == 0 || chunk_bytes > kMaxChunkBytes / sides[i]) {
      refuse(where, "expected chunks of at most 64 MiB, found a larger one");
    }
    chunk_bytes *= sides[i];
  }
  return sides[0];
}

Hdf5ElementKind kind_of(hid_t type) {
  switch (H5Tget_class(type)) {
    case H5T_INTEGER:
      return H5Tget_sign(type) == H5T_SGN_NONE ? Hdf5ElementKind::kUnsigned
                                               : Hdf5ElementKind::kSigned;
    case H5T_FLOAT:
      return Hdf5ElementKind::kFloat;
    default:
      return Hdf5ElementKind::kOther;
  }
}

std::string text_of(hid_t type, Hdf5ElementKind kind, std::uint64_t element_bytes) {
  const std::string bits = std::to_string(8 * element_bytes);
  switch (kind) {
    case Hdf5ElementKind::kUnsigned:
      return "uint" + bits;
    case Hdf5ElementKind::kSigned:
      return "int" + bits;
    case Hdf5ElementKind::kFloat:
      return "float" + bits;
    case Hdf5ElementKind::kOther:
      break;
  }
  switch (H5Tget_class(type)) {
    case H5T_STRING:
      return "a string";
    case H5T_COMPOUND:
      return "a compound";
    case H5T_ENUM:
      return "an enumeration";
    case H5T_VLEN:
      return "a list of variable length";
    case H5T_REFERENCE:
      return "a reference";
    default:
      return "another type";
  }
}

// What the numbers are read as: their own width, this machine's order.
hid_t memory_type(Hdf5ElementKind kind, std::uint64_t element_bytes) {
  constexpr std::size_t kWidths[] = {1, 2, 4, 8};
  const auto at = std::ranges::find(kWidths, element_bytes) - std::begin(kWidths);
  if (at == 4) return -1;
  const hid_t unsigned_types[] = {H5T_NATIVE_UINT8, H5T_NATIVE_UINT16, H5T_NATIVE_UINT32,
                                  H5T_NATIVE_UINT64};
  const hid_t signed_types[] = {H5T_NATIVE_INT8, H5T_NATIVE_INT16, H5T_NATIVE_INT32,
                                H5T_NATIVE_INT64};
  switch (kind) {
    case Hdf5ElementKind::kUnsigned:
      return unsigned_types[at];
    case Hdf5ElementKind::kSigned:
      return signed_types[at];
    case Hdf5ElementKind::kFloat:
      if (element_bytes == 4) return H5T_NATIVE_FLOAT;
      if (element_bytes == 8) return H5T_NATIVE_DOUBLE;
      return -1;
    case Hdf5ElementKind::kOther:
      return -1;
  }
  return -1;
}

}  // namespace

struct Hdf5Array::Impl {
  std::string where;
  FileHandle file;
  DatasetHandle dataset;
  std::vector<std::uint64_t> shape;
  Hdf5ElementKind kind = Hdf5ElementKind::kOther;
  std::uint32_t element_bytes = 0;
  std::string type_text;
  std::uint64_t chunk_rows = 0;
};

Hdf5Array::Hdf5Array(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Hdf5Array::Hdf5Array(Hdf5Array&&) noexcept = default;

Hdf5Array::~Hdf5Array() {
  if (!impl_) return;
  const Hdf5Session session;  // closing speaks to the library too
  impl_.reset();
}

Hdf5Array Hdf5Array::open(const std::filesystem::path& path, const std::string& given_name) {
  open_for_reading(path);  // its errors say more than the library's
  const std::string name = without_leading_slash(given_name);
  const std::string where = where_of(path, name);
  return in_library(where, "an HDF5 dataset", [&] {
    FileHandle file(open_file(path), "open the file");
    if (name.empty() || !has_object(file.get(), name, where) || !is_dataset(file.get(), name)) {
      throw Error(ErrorCode::kNotFound, "array: " + where + ": expected a dataset, found none",
                  "h5ls -r FILE lists them");
    }
    DatasetHandle dataset(H5Dopen2(file.get(), name.c_str(), H5P_DEFAULT), "open the dataset");
    const SpaceHandle space(H5Dget_space(dataset.get()), "ask for a data space");
    const int num_dimensions = H5Sget_simple_extent_ndims(space.get());
    if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE || num_dimensions < 1 ||
        num_dimensions > kMaxDimensions) {
      refuse(where, "expected 1 to 8 dimensions, found another number");
    }
    std::array<hsize_t, kMaxDimensions> sides{};
    check_hdf5(H5Sget_simple_extent_dims(space.get(), sides.data(), nullptr), "ask for a shape");
    const TypeHandle type(H5Dget_type(dataset.get()), "ask for a type");
    const std::uint64_t element_bytes = H5Tget_size(type.get());
    const std::uint64_t chunk_rows = check_storage(dataset.get(), element_bytes, where);
    const Hdf5ElementKind kind = kind_of(type.get());
    auto impl =
        std::make_unique<Impl>(Impl{.where = where,
                                    .file = std::move(file),
                                    .dataset = std::move(dataset),
                                    .shape = {sides.begin(), sides.begin() + num_dimensions},
                                    .kind = kind,
                                    .element_bytes = static_cast<std::uint32_t>(element_bytes),
                                    .type_text = text_of(type.get(), kind, element_bytes),
                                    .chunk_rows = chunk_rows});
    return Hdf5Array(std::move(impl));
  });
}

const std::vector<std::uint64_t>& Hdf5Array::shape() const noexcept {
  return impl_->shape;
}
Hdf5ElementKind Hdf5Array::element_kind() const noexcept {
  return impl_->kind;
}
std::uint32_t Hdf5Array::element_bytes() const noexcept {
  return impl_->element_bytes;
}
const std::string& Hdf5Array::type_text() const noexcept {
  return impl_->type_text;
}
std::uint64_t Hdf5Array::chunk_rows() const noexcept {
  return impl_->chunk_rows;
}

void Hdf5Array::read_rows(std::uint64_t first_row, std::span<std::byte> bytes) const {
  std::uint64_t row_bytes = impl_->element_bytes;
  for (std::size_t i = 1; i < impl_->shape.size(); ++i) row_bytes *= impl_->shape[i];
  check_internal(row_bytes > 0 && bytes.size() % row_bytes == 0, "whole rows are read");
  const std::uint64_t num_rows = bytes.size() / row_bytes;
  check_internal(first_row <= impl_->shape[0] && num_rows <= impl_->shape[0] - first_row,
                 "rows lie within the array");
  if (num_rows == 0) return;
  std::vector<hsize_t> begin(impl_->shape.size(), 0);
  std::vector<hsize_t> count(impl_->shape.begin(), impl_->shape.end());
  begin[0] = first_row;
  count[0] = num_rows;
  const std::string rows =
      "rows " + std::to_string(first_row) + " to " + std::to_string(first_row + num_rows - 1);
  in_library(impl_->where, rows, [&] {
    const hid_t type = memory_type(impl_->kind, impl_->element_bytes);
    check_internal(type >= 0, "numbers of 1, 2, 4 or 8 bytes are read");
    const SpaceHandle there(H5Dget_space(impl_->dataset.get()), "ask for a data space");
    check_hdf5(H5Sselect_hyperslab(there.get(), H5S_SELECT_SET, begin.data(), nullptr, count.data(),
                                   nullptr),
               "select rows");
    const SpaceHandle here(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                           "create a data space");
    check_hdf5(
        H5Dread(impl_->dataset.get(), type, here.get(), there.get(), H5P_DEFAULT, bytes.data()),
        "read rows");
    return 0;
  });
}

bool is_hdf5_file(const std::filesystem::path& path) {
  // Source  HDF5 File Format Specification 3.0, section II.A: at 0, 512, and each doubling of it.
  constexpr std::array<unsigned char, 8> kSignature{0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};
  constexpr std::uint64_t kMaxUserBlockBytes = std::uint64_t{1} << 20;
  const UniqueFd file = open_for_reading(path);
  for (std::uint64_t at = 0; at <= kMaxUserBlockBytes; at = at == 0 ? 512 : 2 * at) {
    std::array<std::byte, 8> bytes{};
    if (read_at(file, at, bytes, path) != bytes.size()) return false;
    if (std::memcmp(bytes.data(), kSignature.data(), bytes.size()) == 0) return true;
  }
  return false;
}

std::vector<std::string> hdf5_dataset_names(const std::filesystem::path& path) {
  constexpr hsize_t kMaxEntries = 1000;
  open_for_reading(path);
  return in_library(path.native(), "an HDF5 file", [&] {
    const FileHandle file(open_file(path), "open the file");
    H5G_info_t info{};
    check_hdf5(H5Gget_info(file.get(), &info), "count the entries of the root");
    std::vector<std::string> names;
    for (hsize_t i = 0; i < std::min(info.nlinks, kMaxEntries); ++i) {
      const std::string name = name_of_entry(file.get(), i);
      if (is_hard_link(file.get(), name) && is_dataset(file.get(), name)) names.push_back(name);
    }
    return names;
  });
}

}  // namespace penstock
