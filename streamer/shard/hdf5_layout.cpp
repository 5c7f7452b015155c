#include "streamer/shard/hdf5_layout.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/shard/hdf5_handle.h"
#include "streamer/shard/shard_format.h"
#include "streamer/shard/shard_header.h"

namespace penstock {
namespace {

// Between the user block and the first dataset; HDF5 1.10.8 takes about 3 KiB. Were it ever more,
// the rest would go behind the datasets.
constexpr std::uint64_t kMetadataEnd = 4 * kShardHeaderBytes;

constexpr std::uint64_t round_up(std::uint64_t value, std::uint64_t step) {
  return (value + step - 1) / step * step;
}

// ---- A file driver that keeps what HDF5 writes, and decides where things lie -------------------

// What stands behind the file: the few writes of metadata, and two marks that only go up.
struct MetadataStore {
  std::vector<MetadataPiece> pieces;
  std::uint64_t metadata_mark = kShardHeaderBytes;
  std::uint64_t data_mark = kMetadataEnd;
  std::uint64_t end = 0;  // HDF5's "end of allocation"

  // Datasets start at multiples of 4 KiB; metadata lies packed before them.
  std::uint64_t allocate(H5FD_mem_t type, std::uint64_t num_bytes) {
    const bool is_data = type == H5FD_MEM_DRAW;
    std::uint64_t at = round_up(is_data ? data_mark : metadata_mark, is_data ? 4096 : 8);
    if (is_data || at + num_bytes <= kMetadataEnd) {
      (is_data ? data_mark : metadata_mark) = at + num_bytes;
    } else {
      at = round_up(data_mark, 8);
      data_mark = at + num_bytes;
    }
    end = std::max(end, at + num_bytes);
    return at;
  }

  void write(std::uint64_t at, std::span<const std::byte> bytes) {
    pieces.push_back({at, {bytes.begin(), bytes.end()}});
  }

  void read(std::uint64_t at, std::span<std::byte> bytes) const {
    std::ranges::fill(bytes, std::byte{0});
    for (const MetadataPiece& piece : pieces) {
      const std::uint64_t from = std::max(at, piece.offset_bytes);
      const std::uint64_t to = std::min(at + bytes.size(), piece.offset_bytes + piece.bytes.size());
      if (from >= to) continue;
      std::memcpy(&bytes[from - at], &piece.bytes[from - piece.offset_bytes], to - from);
    }
  }
};

struct StoreFile {
  H5FD_t base{};  // first: HDF5 sees only this
  MetadataStore* store = nullptr;
};

MetadataStore& store_of(H5FD_t* file) {
  return *reinterpret_cast<StoreFile*>(file)->store;
}
const MetadataStore& store_of(const H5FD_t* file) {
  return *reinterpret_cast<const StoreFile*>(file)->store;
}

// The driver's callbacks. No exception may cross the library: -1, or the undefined address.
namespace driver {

H5FD_t* open(const char*, unsigned, hid_t access, haddr_t) noexcept {
  const void* info = H5Pget_driver_info(access);
  if (info == nullptr) return nullptr;
  auto* file = new (std::nothrow) StoreFile;
  if (file == nullptr) return nullptr;
  std::memcpy(&file->store, info, sizeof file->store);
  *file->store = {};  // HDF5 opens a file twice while creating it
  return &file->base;
}

herr_t close(H5FD_t* file) noexcept {
  delete reinterpret_cast<StoreFile*>(file);
  return 0;
}

herr_t query(const H5FD_t*, unsigned long* flags) noexcept {
  if (flags != nullptr) *flags = 0;  // no aggregation: each allocation comes to alloc()
  return 0;
}

haddr_t alloc(H5FD_t* file, H5FD_mem_t type, hid_t, hsize_t size) noexcept {
  return store_of(file).allocate(type, size);
}

haddr_t get_end(const H5FD_t* file, H5FD_mem_t) noexcept {
  return store_of(file).end;
}

herr_t set_end(H5FD_t* file, H5FD_mem_t, haddr_t end) noexcept {
  store_of(file).end = end;
  return 0;
}

herr_t read(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size, void* out) noexcept {
  store_of(file).read(at, {static_cast<std::byte*>(out), size});
  return 0;
}

herr_t write(H5FD_t* file, H5FD_mem_t, hid_t, haddr_t at, std::size_t size,
             const void* in) noexcept {
  try {
    store_of(file).write(at, {static_cast<const std::byte*>(in), size});
    return 0;
  } catch (...) {
    return -1;
  }
}

// Assigned by name: the struct has gained members between HDF5 versions.
H5FD_class_t describe() {
  H5FD_class_t d{};
#if H5_VERSION_GE(1, 13, 2)
  d.version = H5FD_CLASS_VERSION;
  d.value = static_cast<H5FD_class_value_t>(600);  // a number for own drivers, 512 to 65535
#endif
  d.name = "penstock_memory";
  d.maxaddr = INT64_MAX;
  d.fc_degree = H5F_CLOSE_STRONG;
  d.fapl_size = sizeof(MetadataStore*);
  d.open = &open;
  d.close = &close;
  d.query = &query;
  d.alloc = &alloc;
  d.get_eoa = &get_end;
  d.set_eoa = &set_end;
  d.get_eof = &get_end;
  d.read = &read;
  d.write = &write;
  const H5FD_mem_t map[] = H5FD_FLMAP_DICHOTOMY;  // freed metadata is never reused for datasets
  std::copy(std::begin(map), std::end(map), d.fl_map);
  return d;
}

}  // namespace driver

// ---- What a shard consists of -----------------------------------------------------------------

TypeHandle text_type(std::size_t num_bytes) {
  TypeHandle type(H5Tcopy(H5T_C_S1), "copy the string type");
  check_hdf5(H5Tset_size(type.get(), num_bytes), "set the width of a string");
  check_hdf5(H5Tset_cset(type.get(), H5T_CSET_UTF8), "set UTF-8");
  check_hdf5(H5Tset_strpad(type.get(), H5T_STR_NULLPAD), "set zero padding");
  return type;
}

PropertyHandle dataset_properties() {
  PropertyHandle list(H5Pcreate(H5P_DATASET_CREATE), "create dataset properties");
  check_hdf5(H5Pset_layout(list.get(), H5D_CONTIGUOUS), "set the layout");
  check_hdf5(H5Pset_alloc_time(list.get(), H5D_ALLOC_TIME_EARLY), "allocate early");
  check_hdf5(H5Pset_fill_time(list.get(), H5D_FILL_TIME_NEVER), "never fill");
  check_hdf5(H5Pset_obj_track_times(list.get(), 0), "store no times");
  return list;
}

// Creates a dataset and returns where its bytes lie in the file.
std::uint64_t create_dataset(hid_t file, const char* name, hid_t type, std::uint64_t length) {
  const hsize_t dimension = length;
  const SpaceHandle space(H5Screate_simple(1, &dimension, nullptr), "create a data space");
  const PropertyHandle properties = dataset_properties();
  DatasetHandle dataset(
      H5Dcreate2(file, name, type, space.get(), H5P_DEFAULT, properties.get(), H5P_DEFAULT), name);
  const haddr_t offset = H5Dget_offset(dataset.get());
  if (offset == HADDR_UNDEF) check_hdf5(-1, "ask for the offset of a dataset");
  dataset.close(name);
  return offset;
}

void write_attribute(hid_t file, const char* name, hid_t type, const void* value) {
  const SpaceHandle space(H5Screate(H5S_SCALAR), "create a scalar space");
  AttributeHandle attribute(H5Acreate2(file, name, type, space.get(), H5P_DEFAULT, H5P_DEFAULT),
                            name);
  check_hdf5(H5Awrite(attribute.get(), type, value), name);
  attribute.close(name);
}

void write_text(hid_t file, const char* name, const std::string& text) {
  write_attribute(file, name, text_type(text.size()).get(), text.data());
}

void write_number(hid_t file, const char* name, std::uint64_t number) {
  // The memory type differs from the file's only on big-endian machines.
  const SpaceHandle space(H5Screate(H5S_SCALAR), "create a scalar space");
  AttributeHandle attribute(
      H5Acreate2(file, name, H5T_STD_U64LE, space.get(), H5P_DEFAULT, H5P_DEFAULT), name);
  check_hdf5(H5Awrite(attribute.get(), H5T_NATIVE_UINT64, &number), name);
  attribute.close(name);
}

FileHandle create_file(hid_t driver_id, MetadataStore* store) {
  const PropertyHandle access(H5Pcreate(H5P_FILE_ACCESS), "create access properties");
  check_hdf5(H5Pset_driver(access.get(), driver_id, &store), "set the driver");
  check_hdf5(H5Pset_libver_bounds(access.get(), H5F_LIBVER_V18, H5F_LIBVER_V18), "set versions");
  const PropertyHandle creation(H5Pcreate(H5P_FILE_CREATE), "create file properties");
  check_hdf5(H5Pset_userblock(creation.get(), kShardHeaderBytes), "set the user block");
  check_hdf5(H5Pset_obj_track_times(creation.get(), 0), "store no times");
  return {H5Fcreate("shard", H5F_ACC_TRUNC, creation.get(), access.get()), "create the file"};
}

Hdf5Layout create_objects(hid_t file, const Hdf5Shape& shape) {
  Hdf5Layout layout;
  layout.images_offset_bytes = create_dataset(file, "images", H5T_STD_U8LE, shape.payload_bytes);
  layout.index_offset_bytes =
      create_dataset(file, "index", hdf5_record_type().get(), shape.num_samples);
  layout.index_page_xxh3_offset_bytes =
      create_dataset(file, "index_page_xxh3", H5T_STD_U64LE,
                     (shape.num_samples + kRecordsPerPage - 1) / kRecordsPerPage);
  layout.class_names_offset_bytes = create_dataset(
      file, "class_names", text_type(shape.class_name_bytes).get(), shape.num_classes);
  if (shape.names_bytes != 0) {
    layout.name_offsets_offset_bytes =
        create_dataset(file, "name_offsets", H5T_STD_U64LE, shape.num_samples + 1);
    layout.names_offset_bytes = create_dataset(file, "names", H5T_STD_U8LE, shape.names_bytes);
  }
  write_text(file, "format", "penstock-shard");
  write_number(file, "version", kShardFormatVersion);
  write_text(file, "writer", "penstock " PENSTOCK_VERSION);
  write_text(file, "split", shape.split);
  write_text(file, "uuid", shape.uuid);
  write_number(file, "num_samples", shape.num_samples);
  write_number(file, "num_classes", shape.num_classes);
  return layout;
}

}  // namespace

Hdf5Layout lay_out_hdf5(const Hdf5Shape& shape) {
  const Hdf5Session session;

  static const H5FD_class_t description = driver::describe();
  const DriverHandle driver_id(H5FDregister(&description), "register the driver");
  MetadataStore store;
  FileHandle file = create_file(driver_id.get(), &store);
  Hdf5Layout layout = create_objects(file.get(), shape);
  file.close("close the file");

  layout.file_size_bytes = store.end;
  layout.metadata = std::move(store.pieces);
  return layout;
}

}  // namespace penstock
