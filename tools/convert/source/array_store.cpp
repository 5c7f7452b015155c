#include "tools/convert/source/array_store.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/source/npy_header.h"
#include "tools/convert/source/zip_directory.h"
#include "tools/convert/source/zip_member.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kNpySuffix = ".npy";
constexpr std::size_t kMaxNamesListed = 10;

std::string without_suffix(std::string name) {
  if (name.ends_with(kNpySuffix)) name.resize(name.size() - kNpySuffix.size());
  return name;
}

std::vector<std::byte> first_bytes_of(const UniqueFd& file, const fs::path& path,
                                      std::uint64_t offset_bytes, std::uint64_t size_bytes) {
  std::vector<std::byte> bytes(std::min<std::uint64_t>(size_bytes, kMaxNpyHeaderBytes));
  bytes.resize(read_at(file, offset_bytes, bytes, path));
  return bytes;
}

// Rows of `form` that `data_bytes` hold; of rows without bytes, all.
std::uint64_t whole_rows(const ArrayForm& form, std::uint64_t data_bytes) {
  const std::uint64_t row_bytes = form.row_bytes();
  return row_bytes == 0 ? form.num_rows() : std::min(form.num_rows(), data_bytes / row_bytes);
}

[[noreturn]] void throw_no_array(const fs::path& path, const std::string& name,
                                 std::vector<std::string> names) {
  const bool is_cut = names.size() > kMaxNamesListed;
  if (is_cut) names.resize(kMaxNamesListed);
  throw Error(
      ErrorCode::kNotFound,
      fmt::format(
          "array: {}: expected an array called '{}', found {}{}", tools::printable_path(path),
          tools::printable(name),
          names.empty() ? "none" : tools::printable(fmt::format("{}", fmt::join(names, ", "))),
          is_cut ? " and more" : ""),
      "name one of these: FILE:NAME");
}

ArrayForm form_of(const Hdf5Array& array) {
  ArrayForm form{.kind = ElementKind::kUnsigned,
                 .element_bytes = array.element_bytes,
                 .is_big_endian = array.is_big_endian,
                 .type_text = array.type_text,
                 .shape = array.shape};
  if (array.element_kind == Hdf5ElementKind::kSigned) form.kind = ElementKind::kSigned;
  if (array.element_kind == Hdf5ElementKind::kFloat) form.kind = ElementKind::kFloat;
  return form;
}

// Numbers that copy_hdf5_array() gives.
bool is_copied(const Hdf5Array& array) {
  const std::uint32_t width = array.element_bytes;
  if (array.element_kind == Hdf5ElementKind::kFloat) return width == 4 || width == 8;
  return array.element_kind != Hdf5ElementKind::kOther &&
         (width == 1 || width == 2 || width == 4 || width == 8);
}

// Of elements that are lost, whole rows; pieces of one row, or of one chunk, become one entry.
void add_lost_rows(OpenArray& array, std::uint64_t first_bytes, std::uint64_t num_bytes,
                   const std::string& why) {
  const std::uint64_t row_bytes = array.form.row_bytes();
  if (num_bytes == 0 || row_bytes == 0) return;
  const std::uint64_t first_row = first_bytes / row_bytes;
  const std::uint64_t end_row = (first_bytes + num_bytes - 1) / row_bytes + 1;
  if (!array.lost_rows.empty()) {
    LostRows& last = array.lost_rows.back();
    if (first_row <= last.first_row + last.num_rows) {
      last.num_rows = end_row - last.first_row;
      return;
    }
  }
  array.lost_rows.push_back({.first_row = first_row, .num_rows = end_row - first_row, .why = why});
}

ArrayForm form_of_member(const fs::path& path, const std::string& name,
                         const std::stop_token& stop) {
  const UniqueFd file = open_for_reading(path);
  const std::vector<ZipMember> members = read_zip_directory(file, path);
  const auto member = std::ranges::find(members, name + std::string(kNpySuffix), &ZipMember::name);
  if (member == members.end()) throw_no_array(path, name, {});
  if (!member->is_deflated) {
    return parse_npy_header(
               first_bytes_of(file, path, member->data_offset_bytes, member->size_bytes), name)
        .form;
  }
  ZipMember start = *member;  // reading ends where a member is longer than it says
  start.size_bytes = std::min<std::uint64_t>(start.size_bytes, kMaxNpyHeaderBytes);
  std::vector<std::byte> bytes;
  const auto keep = [&](std::span<const std::byte> piece) {
    bytes.insert(bytes.end(), piece.begin(), piece.end());
  };
  static_cast<void>(read_zip_member(file, path, start, keep, stop));
  return parse_npy_header(bytes, name).form;
}

}  // namespace

std::optional<ArrayFileKind> array_file_kind(const fs::path& path) {
  std::array<std::byte, 8> first{};
  const std::size_t num_read = read_at(open_for_reading(path), 0, first, path);
  const auto bytes = std::span<const std::byte>(first).first(num_read);
  if (begins_as_npy(bytes)) return ArrayFileKind::kNpy;
  if (begins_as_zip(bytes)) return ArrayFileKind::kNpz;
  if (is_hdf5_file(path)) return ArrayFileKind::kHdf5;
  return std::nullopt;
}

std::vector<std::string> array_names(const fs::path& path) {
  switch (array_file_kind(path).value_or(ArrayFileKind::kNpy)) {
    case ArrayFileKind::kHdf5:
      return hdf5_dataset_names(path);
    case ArrayFileKind::kNpz: {
      std::vector<std::string> names;
      for (const ZipMember& member : read_zip_directory(open_for_reading(path), path)) {
        if (member.name.ends_with(kNpySuffix)) names.push_back(without_suffix(member.name));
      }
      return names;
    }
    case ArrayFileKind::kNpy:
      break;
  }
  return {without_suffix(path.filename().string())};
}

std::optional<ArrayForm> survey_array(const fs::path& path, const std::string& name,
                                      const std::stop_token& stop) {
  try {
    const bool is_hdf5 = array_file_kind(path) == ArrayFileKind::kHdf5;
    ArrayForm form =
        is_hdf5 ? form_of(survey_hdf5_array(path, name)) : form_of_member(path, name, stop);
    return has_countable_size(form) ? std::optional(std::move(form)) : std::nullopt;
  } catch (const Error& error) {
    if (error.code() == ErrorCode::kIo || error.code() == ErrorCode::kStopped) throw;
    return std::nullopt;
  }
}

std::uint32_t ArrayStore::open(const fs::path& path, const std::string& name,
                               const std::stop_token& stop) {
  const std::optional<ArrayFileKind> kind = array_file_kind(path);
  if (!kind) {
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("array: {}: expected a .npy, .npz or HDF5 file, found another",
                            tools::printable_path(path)),
                "write one with numpy.save('x.npy', x)");
  }
  note_file(path);
  if (*kind == ArrayFileKind::kNpy && !name.empty()) throw_no_array(path, name, {});
  arrays_.push_back(*kind == ArrayFileKind::kNpy   ? open_npy(path)
                    : *kind == ArrayFileKind::kNpz ? open_member(path, name, stop)
                                                   : open_hdf5(path, name, stop));
  OpenArray& open = arrays_.back().open;
  if (open.num_whole_rows < open.form.num_rows() && !open.cut) {
    open.cut = ArchiveFault{.reason = ReasonCode::kArchiveTruncated, .detail = ""};
  }
  return static_cast<std::uint32_t>(arrays_.size() - 1);
}

void ArrayStore::note_file(const fs::path& path) {
  const SourceFile file = source_file(path);
  if (std::ranges::find(files_, file) == files_.end()) files_.push_back(file);
}

SpoolFile& ArrayStore::spool() {
  if (!spool_) spool_ = std::make_unique<SpoolFile>(spool_config_);
  return *spool_;
}

ArrayStore::Entry ArrayStore::open_npy(const fs::path& path) const {
  Entry entry;
  entry.path = path;
  entry.file = open_for_reading(path);
  entry.open.name = without_suffix(path.filename().string());
  entry.open.where = tools::printable_path(path);
  const std::uint64_t size_bytes = file_size_bytes(entry.file, path);
  NpyHeader header =
      parse_npy_header(first_bytes_of(entry.file, path, 0, size_bytes), entry.open.where);
  entry.offset_bytes = header.header_bytes;
  entry.open.form = std::move(header.form);
  entry.open.num_whole_rows = whole_rows(entry.open.form, size_bytes - header.header_bytes);
  return entry;
}

ArrayStore::Entry ArrayStore::open_member(const fs::path& path, const std::string& name,
                                          const std::stop_token& stop) {
  Entry entry;
  entry.path = path;
  entry.file = open_for_reading(path);
  entry.open.name = name;
  entry.open.where = fmt::format("{}:{}", tools::printable_path(path), tools::printable(name));
  const std::vector<ZipMember> members = read_zip_directory(entry.file, path);
  const auto member = std::ranges::find(members, name + std::string(kNpySuffix), &ZipMember::name);
  if (member == members.end()) throw_no_array(path, name, array_names(path));

  std::uint64_t size_bytes = member->size_bytes;
  std::optional<ArchiveFault> fault;
  std::vector<std::byte> first_bytes;
  if (member->is_deflated) {
    entry.is_spooled = true;
    entry.offset_bytes = spool().size_bytes();
    const auto keep = [&](std::span<const std::byte> bytes) { spool().append(bytes); };
    fault = read_zip_member(entry.file, path, *member, keep, stop);
    size_bytes = spool().size_bytes() - entry.offset_bytes;
    first_bytes.resize(std::min<std::uint64_t>(size_bytes, kMaxNpyHeaderBytes));
    first_bytes.resize(spool().read_at(entry.offset_bytes, first_bytes));
  } else {
    entry.offset_bytes = member->data_offset_bytes;
    fault = read_zip_member(
        entry.file, path, *member, [](auto) {}, stop);
    first_bytes = first_bytes_of(entry.file, path, entry.offset_bytes, size_bytes);
  }
  NpyHeader header = parse_npy_header(first_bytes, entry.open.where);
  entry.offset_bytes += header.header_bytes;
  entry.open.form = std::move(header.form);
  entry.open.num_whole_rows = whole_rows(entry.open.form, size_bytes - header.header_bytes);
  // What deflate gave before a cut is what was written; behind any other fault no byte is certain.
  if (fault && fault->reason == ReasonCode::kArchiveDamaged) {
    entry.open.failed_checksum = fault->detail;
  }
  if (entry.open.num_whole_rows < entry.open.form.num_rows()) entry.open.cut = std::move(fault);
  return entry;
}

ArrayStore::Entry ArrayStore::open_hdf5(const fs::path& path, const std::string& name,
                                        const std::stop_token& stop) {
  if (name.empty()) throw_no_array(path, name, array_names(path));
  const Hdf5Array array = survey_hdf5_array(path, name);
  Entry entry;
  entry.path = path;
  entry.open.name = name.substr(std::min(name.find_first_not_of('/'), name.size()));
  entry.open.where = fmt::format("{}:{}", tools::printable_path(path), tools::printable(name));
  entry.open.form = form_of(array);
  if (!is_copied(array)) {
    throw Error(ErrorCode::kUnsupported,
                fmt::format("array: {}: expected whole numbers, found {}", entry.open.where,
                            entry.open.form.type_text),
                "write them as numbers: file.create_dataset('labels', data=y.astype('int64'))");
  }
  if (!has_countable_size(entry.open.form)) {
    throw Error(ErrorCode::kCorruptData,
                fmt::format("array: {}: expected a size that can be, found {}", entry.open.where,
                            shape_text(entry.open.form.shape)),
                "look at the file: h5ls -r");
  }
  if (!array.offset_bytes) {
    spool_elements(entry, stop);
    return entry;
  }
  entry.file = open_for_reading(path);
  entry.offset_bytes = *array.offset_bytes;
  const std::uint64_t size_bytes = file_size_bytes(entry.file, path);
  entry.open.num_whole_rows =
      whole_rows(entry.open.form, size_bytes - std::min(size_bytes, entry.offset_bytes));
  return entry;
}

// The library decompresses a whole chunk for each row that is asked for: once for all, in order.
void ArrayStore::spool_elements(Entry& entry, const std::stop_token& stop) {
  const ArrayForm& form = entry.open.form;
  const std::uint64_t wanted_bytes = form.num_rows() * form.row_bytes();
  entry.is_spooled = true;
  entry.offset_bytes = spool().size_bytes();
  std::uint64_t num_bytes = 0;
  // Not more than was said before, whatever has become of the file since.
  const auto keep = [&](std::span<const std::byte> bytes) {
    bytes = bytes.first(std::min<std::uint64_t>(bytes.size(), wanted_bytes - num_bytes));
    num_bytes += bytes.size();
    spool().append(bytes);
  };
  const auto lose = [&](std::uint64_t lost_bytes, const std::string& why) {
    lost_bytes = std::min(lost_bytes, wanted_bytes - num_bytes);
    add_lost_rows(entry.open, num_bytes, lost_bytes, why);
    const std::vector<std::byte> zeros(std::min<std::uint64_t>(lost_bytes, 64u << 10));
    while (lost_bytes > 0) {
      const std::uint64_t piece_bytes = std::min<std::uint64_t>(lost_bytes, zeros.size());
      keep(std::span(zeros).first(piece_bytes));
      lost_bytes -= piece_bytes;
    }
  };
  try {
    copy_hdf5_array(entry.path, entry.open.name, {.take = keep, .lose = lose}, stop);
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kCorruptData) throw;
    entry.open.cut = ArchiveFault{.reason = ReasonCode::kArchiveDamaged, .detail = error.what()};
  }
  entry.open.num_whole_rows = whole_rows(form, num_bytes);
}

void ArrayStore::read_rows(std::uint32_t array_idx, std::uint64_t first_row,
                           std::span<std::byte> bytes) const {
  const std::uint64_t at = first_row * arrays_[array_idx].open.form.row_bytes();
  if (read_at(array_idx, at, bytes) == bytes.size()) return;
  throw_io_error(EIO, "read to its end", arrays_[array_idx].open.where);
}

std::size_t ArrayStore::read_at(std::uint32_t file_idx, std::uint64_t offset_bytes,
                                std::span<std::byte> bytes) const {
  const Entry& entry = arrays_[file_idx];
  const std::uint64_t at = entry.offset_bytes + offset_bytes;
  if (entry.is_spooled) return spool_->read_at(at, bytes);
  return penstock::read_at(entry.file, at, bytes, entry.path);
}

}  // namespace penstock::convert
