#include "streamer/shard/hdf5_array.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/shard/hdf5_child.h"
#include "streamer/shard/hdf5_handle.h"

namespace penstock {
namespace {

constexpr std::uint64_t kMaxChunkBytes = std::uint64_t{64} << 20;
constexpr std::uint64_t kMaxPieceBytes = std::uint64_t{16} << 20;
constexpr std::uint64_t kUsualPieceBytes = std::uint64_t{1} << 20;
constexpr int kMaxDimensions = 8;
constexpr const char* kDamagedHint =
    "look at the file with h5dump -H, or copy it again from where it came";

std::string where_of(const std::filesystem::path& path, const std::string& name) {
  return path.native() + ":" + name;
}

[[noreturn]] void refuse(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kUnsupported, "array: " + where + ": " + what,
              "write the dataset plainly into one file: h5repack -f NONE FILE OTHER");
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

struct Storage {
  H5D_layout_t layout = H5D_CONTIGUOUS;
  std::array<hsize_t, kMaxDimensions> chunk{};  // its sides, of chunks
};

Storage check_storage(hid_t dataset, std::uint64_t element_bytes, const std::string& where) {
  const PropertyHandle list(H5Dget_create_plist(dataset), "ask how a dataset was made");
  Storage storage{.layout = H5Pget_layout(list.get())};
  if (storage.layout != H5D_CONTIGUOUS && storage.layout != H5D_CHUNKED &&
      storage.layout != H5D_COMPACT) {
    refuse(where, "expected its bytes in the file, found a virtual dataset");
  }
  // The count of a dataset that cannot have external files is an error in some versions.
  if (storage.layout == H5D_CONTIGUOUS &&
      check_hdf5(H5Pget_external_count(list.get()), "count external files") != 0) {
    refuse(where, "expected its bytes in the file, found them in another");
  }
  if (storage.layout != H5D_CHUNKED) return storage;
  check_filters(list.get(), where);
  const int num_sides = check_hdf5(H5Pget_chunk(list.get(), kMaxDimensions, storage.chunk.data()),
                                   "ask for a chunk's sides");
  std::uint64_t chunk_bytes = element_bytes;
  for (int i = 0; i < std::min(num_sides, kMaxDimensions); ++i) {
    if (storage.chunk[i] == 0 || chunk_bytes > kMaxChunkBytes / storage.chunk[i]) {
      refuse(where, "expected chunks of at most 64 MiB, found a larger one");
    }
    chunk_bytes *= storage.chunk[i];
  }
  return storage;
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

// Whether elements of a type can be read by who knows no HDF5: all bits of them, in one order or the other.
bool is_plain_type(hid_t type, Hdf5ElementKind kind, std::uint64_t element_bytes) {
  const hid_t memory = memory_type(kind, element_bytes);
  if (memory < 0) return false;
  const TypeHandle other(H5Tcopy(memory), "copy a type");
  for (const H5T_order_t order : {H5T_ORDER_LE, H5T_ORDER_BE}) {
    check_hdf5(H5Tset_order(other.get(), order), "set the order of bytes");
    if (check_hdf5(H5Tequal(type, other.get()), "compare types") > 0) return true;
  }
  return false;
}

// Elements as bytes; nothing where that many cannot be counted.
std::optional<std::uint64_t> num_bytes_of(const Hdf5Array& array) {
  std::uint64_t bytes = array.element_bytes;
  for (const std::uint64_t side : array.shape) {
    if (side != 0 && bytes > INT64_MAX / side) return std::nullopt;
    bytes *= side;
  }
  return bytes;
}

// What a thing that copy() tells is.
constexpr char kElements = 'e';
constexpr char kLost = 'l';  // "BYTES WORDS"

// One dataset of an open file; lives in the child.
class OpenDataset {
 public:
  OpenDataset(const std::filesystem::path& path, const std::string& name)
      : where_(where_of(path, name)),
        size_bytes_(file_size_bytes(open_for_reading(path), path)),
        file_(open_hdf5(path)),
        dataset_(open(name)) {
    const SpaceHandle space(H5Dget_space(dataset_.get()), "ask for a data space");
    const int num_dimensions = H5Sget_simple_extent_ndims(space.get());
    if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE || num_dimensions < 1 ||
        num_dimensions > kMaxDimensions) {
      refuse(where_, "expected 1 to 8 dimensions, found another number");
    }
    std::array<hsize_t, kMaxDimensions> sides{};
    check_hdf5(H5Sget_simple_extent_dims(space.get(), sides.data(), nullptr), "ask for a shape");
    const TypeHandle type(H5Dget_type(dataset_.get()), "ask for a type");
    array_.shape.assign(sides.begin(), sides.begin() + num_dimensions);
    array_.element_bytes = static_cast<std::uint32_t>(H5Tget_size(type.get()));
    array_.element_kind = kind_of(type.get());
    array_.type_text = text_of(type.get(), array_.element_kind, array_.element_bytes);
    storage_ = check_storage(dataset_.get(), array_.element_bytes, where_);
    find_place(type.get());
    check_size();
  }

  const Hdf5Array& array() const { return array_; }

  // In C order. Each thing told ends with what it is: kElements or kLost.
  void copy(const Hdf5Child::Tell& give) {
    const hid_t type = memory_type(array_.element_kind, array_.element_bytes);
    check_internal(type >= 0, "numbers of 1, 2, 4 or 8 bytes are copied");
    const std::uint64_t num_bytes = *num_bytes_of(array_);
    if (num_bytes == 0) return;
    // Pieces are slabs of the first axis of which one step is small enough.
    std::size_t axis = 0;
    std::uint64_t step_bytes = num_bytes / array_.shape[0];
    while (step_bytes > kMaxPieceBytes) step_bytes /= array_.shape[++axis];
    const std::uint64_t chunk_steps = std::max<std::uint64_t>(1, storage_.chunk[axis]);
    const std::uint64_t wanted_steps =
        std::max<std::uint64_t>(chunk_steps, kUsualPieceBytes / step_bytes);
    const std::uint64_t most_steps =
        std::min(wanted_steps - wanted_steps % chunk_steps, kMaxPieceBytes / step_bytes);
    std::vector<hsize_t> begin(array_.shape.size(), 0);
    while (begin[0] < array_.shape[0]) {
      const std::uint64_t left = array_.shape[axis] - begin[axis];
      const Piece piece{axis, std::min(left, most_steps), step_bytes};
      try {
        give(read(begin, piece, type));
      } catch (const Error&) {
        give_by_chunks(begin, piece, chunk_steps, type, give);
      }
      begin[axis] += piece.num_steps;
      for (std::size_t i = axis; i > 0 && begin[i] == array_.shape[i]; --i) {
        begin[i] = 0;
        ++begin[i - 1];
      }
    }
  }

 private:
  struct Piece {
    std::size_t axis = 0;
    std::uint64_t num_steps = 0;
    std::uint64_t step_bytes = 0;
  };

  DatasetHandle open(const std::string& name) const {
    if (name.empty() || !has_object(file_.get(), name, where_) || !is_dataset(file_.get(), name)) {
      throw Error(ErrorCode::kNotFound, "array: " + where_ + ": expected a dataset, found none",
                  "h5ls -r FILE lists them");
    }
    // A chunk that several pieces are cut from is decompressed once.
    const PropertyHandle access(H5Pcreate(H5P_DATASET_ACCESS), "create access properties");
    check_hdf5(
        H5Pset_chunk_cache(access.get(), H5D_CHUNK_CACHE_NSLOTS_DEFAULT, kMaxChunkBytes, 1.0),
        "set the cache of chunks");
    return {H5Dopen2(file_.get(), name.c_str(), access.get()), "open the dataset"};
  }

  void find_place(hid_t type) {
    array_.is_big_endian = std::endian::native == std::endian::big;
    const bool is_plain = storage_.layout == H5D_CONTIGUOUS &&
                          is_plain_type(type, array_.element_kind, array_.element_bytes);
    // Without a place: never written, all its elements are the fill value.
    const haddr_t offset = is_plain ? H5Dget_offset(dataset_.get()) : HADDR_UNDEF;
    if (offset == HADDR_UNDEF) return;
    if (offset > size_bytes_) throw_damaged("its elements within the file, found them beyond");
    array_.offset_bytes = offset;
    array_.is_big_endian = H5Tget_order(type) == H5T_ORDER_BE;
  }

  void check_size() const {
    // Source  zlib's technical details: deflate gives at most 1032 bytes for one.
    constexpr std::uint64_t kMostUnfolded = 1032;
    const std::optional<std::uint64_t> num_bytes = num_bytes_of(array_);
    if (num_bytes &&
        (*num_bytes - std::min<std::uint64_t>(*num_bytes, kMaxChunkBytes)) / kMostUnfolded <=
            size_bytes_) {
      return;
    }
    throw_damaged("a size that the file could unfold to, found a larger one");
  }

  [[noreturn]] void throw_damaged(const std::string& expected) const {
    throw Error(ErrorCode::kCorruptData, "array: " + where_ + ": expected " + expected,
                kDamagedHint);
  }

  std::string_view read(const std::vector<hsize_t>& begin, const Piece& piece, hid_t type) {
    std::vector<hsize_t> count(array_.shape.size(), 1);
    count[piece.axis] = piece.num_steps;
    for (std::size_t i = piece.axis + 1; i < count.size(); ++i) count[i] = array_.shape[i];
    const std::uint64_t num_bytes = piece.num_steps * piece.step_bytes;
    bytes_.resize(num_bytes + 1);
    bytes_[num_bytes] = kElements;
    const SpaceHandle there(H5Dget_space(dataset_.get()), "ask for a data space");
    check_hdf5(H5Sselect_hyperslab(there.get(), H5S_SELECT_SET, begin.data(), nullptr, count.data(),
                                   nullptr),
               "select elements");
    const SpaceHandle here(H5Screate_simple(static_cast<int>(count.size()), count.data(), nullptr),
                           "create a data space");
    check_hdf5(H5Dread(dataset_.get(), type, here.get(), there.get(), H5P_DEFAULT, bytes_.data()),
               "read elements");
    return bytes_;
  }

  void give_by_chunks(std::vector<hsize_t> begin, const Piece& piece, std::uint64_t chunk_steps,
                      hid_t type, const Hdf5Child::Tell& give) {
    const std::uint64_t end = begin[piece.axis] + piece.num_steps;
    while (begin[piece.axis] < end) {
      // A piece may begin within a chunk; the next chunk is another one's damage.
      const std::uint64_t num_steps = std::min<std::uint64_t>(
          chunk_steps - begin[piece.axis] % chunk_steps, end - begin[piece.axis]);
      std::string lost;
      std::string_view told;
      try {
        told = read(begin, {piece.axis, num_steps, piece.step_bytes}, type);
      } catch (const Error& error) {
        lost = std::to_string(num_steps * piece.step_bytes) + ' ' + error.what() + kLost;
        told = lost;
      }
      give(told);
      begin[piece.axis] += num_steps;
    }
  }

  const std::string where_;
  const std::uint64_t size_bytes_;
  const FileHandle file_;
  const DatasetHandle dataset_;
  Hdf5Array array_;
  Storage storage_;
  std::string bytes_;  // of the last piece
};

// ---- What the child says to its parent ------------------------------------------------------------

void tell_array(const Hdf5Array& array, const Hdf5Child::Tell& tell) {
  tell(std::to_string(static_cast<int>(array.element_kind)));
  tell(std::to_string(array.element_bytes));
  tell(array.is_big_endian ? "1" : "0");
  tell(array.type_text);
  tell(array.offset_bytes ? std::to_string(*array.offset_bytes) : "");
  for (const std::uint64_t side : array.shape) tell(std::to_string(side));
}

Hdf5Array array_of(const std::vector<std::string>& words) {
  constexpr std::size_t kHeadWords = 5;
  check_internal(words.size() > kHeadWords, "an array that was told to its end");
  Hdf5Array array{.element_kind = static_cast<Hdf5ElementKind>(std::stoi(words[0])),
                  .element_bytes = static_cast<std::uint32_t>(std::stoul(words[1])),
                  .is_big_endian = words[2] == "1",
                  .type_text = words[3]};
  if (!words[4].empty()) array.offset_bytes = std::stoull(words[4]);
  for (std::size_t i = kHeadWords; i < words.size(); ++i) {
    array.shape.push_back(std::stoull(words[i]));
  }
  return array;
}

Hdf5Child child_for(const std::filesystem::path& path, const std::string& name,
                    const Hdf5Child::Work& work) {
  static_cast<void>(open_for_reading(path));  // its errors say more than the library's
  return {"array: " + (name.empty() ? path.native() : where_of(path, name)), kDamagedHint, work};
}

}  // namespace

Hdf5Array survey_hdf5_array(const std::filesystem::path& path, const std::string& given_name) {
  const std::string name = without_leading_slash(given_name);
  return array_of(child_for(path, name, [&](const Hdf5Child::Tell& tell) {
                    tell_array(OpenDataset(path, name).array(), tell);
                  }).all());
}

void copy_hdf5_array(const std::filesystem::path& path, const std::string& given_name,
                     const Hdf5Elements& elements, const std::stop_token& stop) {
  const std::string name = without_leading_slash(given_name);
  Hdf5Child child = child_for(
      path, name, [&](const Hdf5Child::Tell& tell) { OpenDataset(path, name).copy(tell); });
  while (const auto told = child.next()) {
    if (stop.stop_requested()) throw Error(ErrorCode::kStopped, "stopped: scan: on request");
    check_internal(!told->empty(), "a piece that says what it is");
    const std::span<const char> body(told->data(), told->size() - 1);
    if (told->back() == kElements) {
      elements.take(std::as_bytes(body));
      continue;
    }
    const std::string words(body.begin(), body.end());
    const std::size_t space = std::min(words.find(' '), words.size() - 1);
    elements.lose(std::stoull(words), words.substr(space + 1));
  }
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
  return child_for(path, "",
                   [&](const Hdf5Child::Tell& tell) {
                     const FileHandle file = open_hdf5(path);
                     H5G_info_t info{};
                     check_hdf5(H5Gget_info(file.get(), &info), "count the entries of the root");
                     for (hsize_t i = 0; i < std::min(info.nlinks, kMaxEntries); ++i) {
                       const std::string name = name_of_entry(file.get(), i);
                       if (is_hard_link(file.get(), name) && is_dataset(file.get(), name))
                         tell(name);
                     }
                   })
      .all();
}

}  // namespace penstock
