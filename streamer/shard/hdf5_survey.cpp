#include "streamer/shard/hdf5_survey.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "streamer/core/shell_quoted.h"
#include "streamer/shard/damaged_data.h"
#include "streamer/shard/hdf5_child.h"
#include "streamer/shard/hdf5_handle.h"
#include "streamer/shard/shard_format.h"

namespace penstock {
namespace {

enum class PartKind : std::uint8_t { kBytes, kNumbers, kRecords, kTexts };

struct KnownPart {
  const char* name;
  PartKind kind;
  bool is_required;
};

constexpr KnownPart kKnownParts[] = {
    {"images", PartKind::kBytes, true},          {"index", PartKind::kRecords, true},
    {"class_names", PartKind::kTexts, true},     {"index_page_xxh3", PartKind::kNumbers, false},
    {"name_offsets", PartKind::kNumbers, false}, {"names", PartKind::kBytes, false},
};

[[noreturn]] void throw_foreign(const std::string& where, const std::string& what) {
  throw Error(ErrorCode::kUnsupported, "shard: " + where + ": " + what,
              "write it back plainly: h5repack -l CONTI -f NONE FILE OTHER");
}

bool is_text_type(hid_t type) {
  return H5Tget_class(type) == H5T_STRING &&
         check_hdf5(H5Tis_variable_str(type), "look at a string type") == 0 &&
         H5Tget_size(type) <= kMaxClassNameBytes;
}

bool is_type_of(hid_t type, PartKind kind) {
  const auto equals = [&](hid_t other) {
    return check_hdf5(H5Tequal(type, other), "compare types") > 0;
  };
  switch (kind) {
    case PartKind::kBytes:
      return equals(H5T_STD_U8LE);
    case PartKind::kNumbers:
      return equals(H5T_STD_U64LE);
    case PartKind::kRecords:
      return H5Tget_class(type) == H5T_COMPOUND && equals(hdf5_record_type().get());
    case PartKind::kTexts:
      return is_text_type(type);
  }
  return false;
}

class Surveyor {
 public:
  explicit Surveyor(const std::filesystem::path& path)
      : where_(path.native()),
        size_bytes_(file_size_bytes(open_for_reading(path), path)),
        file_(open_hdf5(path)) {}

  Hdf5Survey survey() {
    Hdf5Survey result;
    for (const KnownPart& known : kKnownParts) {
      if (auto part = find_part(known)) result.parts.push_back(std::move(*part));
    }
    result.split = read_text("split");
    result.uuid = read_text("uuid");
    result.writer = read_text("writer");
    result.num_samples = read_number("num_samples");
    result.num_classes = read_number("num_classes");
    return result;
  }

 private:
  // False for a name that is not there; a link elsewhere is refused before it is followed.
  bool has_hard_link(const char* name) const {
    if (check_hdf5(H5Lexists(file_.get(), name, H5P_DEFAULT), name) == 0) return false;
    if (!is_hard_link(file_.get(), name)) {
      throw_foreign(where_, "/" + std::string(name) + ": expected a dataset, found a link");
    }
    return true;
  }

  std::optional<Hdf5Part> find_part(const KnownPart& known) const {
    const std::string name = "/" + std::string(known.name);
    if (!has_hard_link(known.name)) {
      if (!known.is_required) return std::nullopt;
      throw_damaged_shard(where_, name + ": expected a dataset, found none");
    }
    const DatasetHandle dataset(H5Dopen2(file_.get(), known.name, H5P_DEFAULT), known.name);
    check_storage(dataset.get(), name);
    const TypeHandle type(H5Dget_type(dataset.get()), "ask for a type");
    if (!is_type_of(type.get(), known.kind)) {
      throw_foreign(where_, name + ": expected the type that the format says, found another");
    }
    return place_of(dataset.get(), known.name, H5Tget_size(type.get()));
  }

  void check_storage(hid_t dataset, const std::string& name) const {
    const PropertyHandle list(H5Dget_create_plist(dataset), "ask how a dataset was made");
    // Filters first: what has one lies in chunks, and this is the plainer word.
    if (check_hdf5(H5Pget_nfilters(list.get()), "count filters") != 0) {
      throw_foreign(where_, name + ": expected no filter, found one");
    }
    if (H5Pget_layout(list.get()) != H5D_CONTIGUOUS) {
      throw_foreign(where_, name + ": expected contiguous bytes, found chunks or none");
    }
    if (check_hdf5(H5Pget_external_count(list.get()), "count external files") != 0) {
      throw_foreign(where_, name + ": expected its bytes in the file, found them in another");
    }
  }

  Hdf5Part place_of(hid_t dataset, const char* name, std::uint64_t element_bytes) const {
    const SpaceHandle space(H5Dget_space(dataset), "ask for a data space");
    hsize_t length = 0;
    if (H5Sget_simple_extent_type(space.get()) != H5S_SIMPLE ||
        H5Sget_simple_extent_ndims(space.get()) != 1) {
      throw_foreign(where_, "/" + std::string(name) + ": expected one dimension, found others");
    }
    check_hdf5(H5Sget_simple_extent_dims(space.get(), &length, nullptr), "ask for a length");
    const haddr_t offset = H5Dget_offset(dataset);
    if (element_bytes == 0 || length == 0 || offset == HADDR_UNDEF || offset > size_bytes_ ||
        length > (size_bytes_ - offset) / element_bytes) {
      throw_damaged_shard(where_, "/" + std::string(name) + ": expected bytes within [0, " +
                                      std::to_string(size_bytes_) + "), found " +
                                      std::to_string(length) + " of " +
                                      std::to_string(element_bytes) + " bytes elsewhere");
    }
    return {.name = name,
            .offset_bytes = offset,
            .length_bytes = length * element_bytes,
            .element_bytes = element_bytes};
  }

  // An attribute of one value; none where it is missing or has another shape.
  std::optional<AttributeHandle> open_attribute(const char* name) const {
    if (check_hdf5(H5Aexists(file_.get(), name), name) == 0) return std::nullopt;
    AttributeHandle attribute(H5Aopen(file_.get(), name, H5P_DEFAULT), name);
    const SpaceHandle space(H5Aget_space(attribute.get()), "ask for a data space");
    if (H5Sget_simple_extent_npoints(space.get()) != 1) return std::nullopt;
    return attribute;
  }

  std::string read_text(const char* name) const {
    const auto attribute = open_attribute(name);
    if (!attribute) return {};
    const TypeHandle type(H5Aget_type(attribute->get()), "ask for a type");
    if (!is_text_type(type.get())) return {};
    std::string text(H5Tget_size(type.get()), '\0');
    check_hdf5(H5Aread(attribute->get(), type.get(), text.data()), name);
    return text.substr(0, text.find('\0'));
  }

  std::uint64_t read_number(const char* name) const {
    const auto attribute = open_attribute(name);
    if (!attribute) return 0;
    const TypeHandle type(H5Aget_type(attribute->get()), "ask for a type");
    if (H5Tget_class(type.get()) != H5T_INTEGER || H5Tget_size(type.get()) > 8) return 0;
    std::uint64_t number = 0;
    check_hdf5(H5Aread(attribute->get(), H5T_NATIVE_UINT64, &number), name);
    return number;
  }

  const std::string where_;
  const std::uint64_t size_bytes_;
  const FileHandle file_;
};

// In the child; the library's own words are about this file.
Hdf5Survey survey_here(const std::filesystem::path& path) {
  try {
    return Surveyor(path).survey();
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kInternal) throw;
    throw Error(ErrorCode::kCorruptData,
                "shard: " + path.native() + ": expected HDF5 metadata, found: " + error.what(),
                shard_damage_hint(path));
  }
}

// ---- What the child says to its parent ------------------------------------------------------------

// Texts, each with a NUL behind it; none has one inside.
std::string words_of(const Hdf5Survey& survey) {
  std::string words;
  const auto add = [&](std::string_view word) { words.append(word).push_back('\0'); };
  add(survey.split);
  add(survey.uuid);
  add(survey.writer);
  add(std::to_string(survey.num_samples));
  add(std::to_string(survey.num_classes));
  for (const Hdf5Part& part : survey.parts) {
    add(part.name);
    for (const std::uint64_t number : {part.offset_bytes, part.length_bytes, part.element_bytes}) {
      add(std::to_string(number));
    }
  }
  return words;
}

std::vector<std::string> split_words(std::string_view told) {
  std::vector<std::string> words;
  while (!told.empty()) {
    const std::size_t end = told.find('\0');
    check_internal(end != std::string_view::npos, "words that end");
    words.emplace_back(told.substr(0, end));
    told.remove_prefix(end + 1);
  }
  return words;
}

Hdf5Survey read_survey(std::string_view told) {
  const std::vector<std::string> words = split_words(told);
  constexpr std::size_t kHeadWords = 5;
  constexpr std::size_t kPartWords = 4;
  check_internal(words.size() >= kHeadWords && (words.size() - kHeadWords) % kPartWords == 0,
                 "a survey that was told to its end");
  Hdf5Survey survey{.parts = {},
                    .split = words[0],
                    .uuid = words[1],
                    .writer = words[2],
                    .num_samples = std::stoull(words[3]),
                    .num_classes = std::stoull(words[4])};
  for (std::size_t i = kHeadWords; i < words.size(); i += kPartWords) {
    survey.parts.push_back({.name = words[i],
                            .offset_bytes = std::stoull(words[i + 1]),
                            .length_bytes = std::stoull(words[i + 2]),
                            .element_bytes = std::stoull(words[i + 3])});
  }
  return survey;
}

}  // namespace

const Hdf5Part* Hdf5Survey::find(std::string_view name) const noexcept {
  const auto found = std::ranges::find(parts, name, &Hdf5Part::name);
  return found == parts.end() ? nullptr : &*found;
}

Hdf5SurveyRun::Found Hdf5SurveyRun::look_at_next() {
  const std::size_t first = found_.size();
  const std::string where = "shard: " + paths_[first].native();
  if (!child_) {
    child_ = std::make_unique<Hdf5Child>(where, shard_damage_hint(paths_[first]),
                                         [&](const Hdf5Child::Tell& tell) {
                                           for (std::size_t i = first; i < paths_.size(); ++i)
                                             tell(words_of(survey_here(paths_[i])));
                                         });
  }
  child_->look_at(where);
  try {
    const std::optional<std::string> told = child_->next();
    check_internal(told.has_value(), "a survey of every file");
    return read_survey(*told);
  } catch (const Error& error) {
    child_.reset();
    return error;
  }
}

Hdf5Survey Hdf5SurveyRun::take(std::size_t path_idx) {
  const std::lock_guard lock(mutex_);
  while (found_.size() <= path_idx) found_.push_back(look_at_next());
  if (const auto* error = std::get_if<Error>(&found_[path_idx])) throw *error;
  return std::move(std::get<Hdf5Survey>(found_[path_idx]));
}

Hdf5Survey survey_hdf5(const std::filesystem::path& path) {
  return Hdf5SurveyRun({path}).take(0);
}

}  // namespace penstock
