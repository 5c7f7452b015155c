#include "tools/convert/source/array_source.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "streamer/shard/shard_format.h"
#include "tools/convert/image/image_check.h"
#include "tools/convert/quarantine.h"
#include "tools/convert/source/array_labels.h"
#include "tools/convert/source/array_pairs.h"
#include "tools/convert/source/array_store.h"
#include "tools/convert/source/class_name_file.h"
#include "tools/convert/source/class_names.h"
#include "tools/convert/source/split_in_path.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

namespace fs = std::filesystem;

struct ArrayPlace {
  fs::path path;
  std::string name;  // empty: the array there is
};

// FILE where it is one, else FILE:NAME; a drive of "C:" does not come here.
ArrayPlace place_of(const std::string& text) {
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0 || fs::exists(text)) return {text, ""};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

[[noreturn]] void refuse_pixels(const OpenArray& images) {
  const bool is_float = images.form.kind == ElementKind::kFloat;
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("images: {}: expected uint8, found {}", images.where, images.form.type_text),
      is_float ? "from 0 to 1: numpy.save('x.npy', (x * 255).round().astype('uint8'))"
               : "from 0 to 255: numpy.save('x.npy', x.astype('uint8'))");
}

bool is_channels(std::uint64_t side) {
  return side == 1 || side == 3;
}

[[noreturn]] void refuse_shape(const ArrayForm& form, const std::string& where,
                               const std::string& expected, std::string hint) {
  throw Error(
      ErrorCode::kInvalidArgument,
      fmt::format("images: {}: expected {}, found {}", where, expected, shape_text(form.shape)),
      std::move(hint));
}

bool is_channels_first(const ArrayForm& form, ChannelAxis channel_axis, const std::string& where) {
  const bool can_be_first = is_channels(form.shape[1]);
  const bool can_be_last = is_channels(form.shape[3]);
  if (channel_axis == ChannelAxis::kFirst && !can_be_first) {
    refuse_shape(form, where, "1 or 3 channels as the second side", "leave --channels-first out");
  }
  if (channel_axis == ChannelAxis::kLast && !can_be_last) {
    refuse_shape(form, where, "1 or 3 channels as the last side", "leave --channels-last out");
  }
  if (channel_axis != ChannelAxis::kBySize) return channel_axis == ChannelAxis::kFirst;
  if (can_be_first && can_be_last) {
    refuse_shape(form, where, "channels that the sizes tell",
                 "--channels-first or --channels-last");
  }
  if (!can_be_first && !can_be_last) {
    refuse_shape(form, where, "1 or 3 channels, as the second or the last side",
                 "of RGBA, leave the last out: numpy.save('x.npy', x[..., :3])");
  }
  return can_be_first;
}

bool looks_like_pictures(const ArrayForm& form) {
  const std::vector<std::uint64_t>& sides = form.shape;
  if (form.kind != ElementKind::kUnsigned || form.type_text != "uint8") return false;
  if (sides.size() != 3 && sides.size() != 4) return false;
  constexpr std::uint64_t kMaxChannels = 4;
  return std::ranges::find(sides, 0) == sides.end() && sides[0] <= UINT32_MAX &&
         (sides.size() == 3 || sides[1] <= kMaxChannels || sides[3] <= kMaxChannels);
}

// Names of pictures begin with that of their array, which is one of a kind.
std::string different_name(const std::string& name, std::set<std::string>& taken) {
  std::string different = name;
  for (int i = 2; !taken.insert(different).second; ++i) different = fmt::format("{}-{}", name, i);
  return different;
}

class ArrayScan {
 public:
  ArrayScan(const SourceRequest& request, const std::stop_token& stop)
      : request_(request), stop_(stop), store_(std::make_unique<ArrayStore>(request.spool)) {}

  SourceScan run() {
    if (request_.arrays.empty()) add_file({request_.path, ""});
    for (const ArrayFiles& files : request_.arrays) add(files);
    check_channel_axis();
    name_splits();
    find_classes();
    for (const Pair& pair : pairs_) list(pair);
    if (scan_.pictures.empty()) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("source: {}: expected a picture with a label, found none",
                              images(pairs_[0]).where),
                  "look at the labels: are they those of these pictures?");
    }
    scan_.description = "arrays";
    scan_.settings = {{"layout", "arrays"}};
    if (has_four_sides()) scan_.settings["channels"] = channels_text();
    scan_.files = store_->take_files();
    scan_.names_are_numbers = true;
    scan_.source = raw_pictures(std::move(store_), std::move(records_));
    return std::move(scan_);
  }

 private:
  struct Pair {
    std::uint32_t images_idx = 0;  // in the store
    std::uint32_t labels_idx = 0;
    PictureAxes axes{};
    std::optional<SplitKind> split{};
  };

  const OpenArray& images(const Pair& pair) const { return store_->array(pair.images_idx); }
  const OpenArray& labels(const Pair& pair) const { return store_->array(pair.labels_idx); }

  void add(const ArrayFiles& files) {
    const ArrayPlace images = place_of(files.images);
    if (!files.labels.empty()) return add_pair(images, place_of(files.labels));
    if (!images.name.empty() || array_file_kind(images.path) == ArrayFileKind::kNpy) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("--images: {}: expected --labels beside it, found none",
                              tools::printable(files.images)),
                  "--labels labels.npy");
    }
    add_file(images);
  }

  // All pairs of a file that holds several arrays.
  void add_file(const ArrayPlace& file) {
    const std::vector<std::string> names = array_names(file.path);
    const std::vector<ArrayPair> found = find_array_pairs(names);
    if (found.empty()) {
      constexpr std::size_t kMaxListed = 10;
      const std::vector<std::string> first(
          names.begin(),
          names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kMaxListed)));
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format(
              "source: {}: expected arrays such as images and labels, or x_train and "
              "y_train, found {}",
              tools::printable_path(file.path),
              names.empty() ? "none" : tools::printable(fmt::format("{}", fmt::join(first, ", ")))),
          "name them: --images FILE:NAME --labels FILE:NAME");
    }
    for (const ArrayPair& pair : found) {
      add_pair({file.path, pair.images}, {file.path, pair.labels});
      pairs_.back().split = pair.split;
    }
    report_unpaired(file.path, names, found);
  }

  // By its header alone: what is in it nobody asked for.
  void report_unpaired(const fs::path& path, const std::vector<std::string>& names,
                       const std::vector<ArrayPair>& pairs) {
    for (const std::string& name : names) {
      const bool is_read = std::ranges::any_of(
          pairs, [&](const ArrayPair& pair) { return pair.images == name || pair.labels == name; });
      const std::optional<ArrayForm> form =
          is_read ? std::nullopt : survey_array(path, name, stop_);
      if (!form || !looks_like_pictures(*form)) continue;
      scan_.findings.push_back(
          {.path = fmt::format("{}:{}", tools::printable_path(path), tools::printable(name)),
           .reason = ReasonCode::kImageWithoutRow,
           .size_bytes = form->num_rows() * form->row_bytes(),
           .detail = fmt::format("{} in an array without labels of a usual name: name both with "
                                 "--images and --labels",
                                 tools::format_counted(form->num_rows(), "picture", "pictures")),
           .num_pictures = form->num_rows()});
    }
  }

  void add_pair(ArrayPlace images, ArrayPlace labels) {
    Pair pair{.images_idx = open(images), .labels_idx = open(labels)};
    const OpenArray& pixels = this->images(pair);
    // bool is a byte as well, of 0 and 1: black, and nearly black.
    if (pixels.form.kind != ElementKind::kUnsigned || pixels.form.type_text != "uint8") {
      refuse_pixels(pixels);
    }
    if (pixels.form.num_rows() == 0) {
      refuse_shape(pixels.form, pixels.where, "at least one picture", "check which array it is");
    }
    pair.axes = picture_axes_of(pixels.form, request_.channel_axis, pixels.where);
    const OpenArray& named = this->labels(pair);
    if (named.form.num_rows() != pixels.form.num_rows()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("labels: {}: expected {} labels, one for each picture of {}, found {}",
                      named.where, pixels.form.num_rows(), pixels.where, named.form.num_rows()),
          "which labels belong to which pictures cannot be told: check both arrays");
    }
    const bool is_text = label_form_of(named) == LabelForm::kText;
    if (!pairs_.empty() && is_text != has_texts_) {
      throw Error(ErrorCode::kInvalidArgument,
                  fmt::format("labels: {}: expected {} as in the labels before, found {}",
                              named.where, has_texts_ ? "texts" : "numbers", named.form.type_text),
                  "one dataset has one list of classes");
    }
    has_texts_ = is_text;
    pairs_.push_back(pair);
  }

  // Without a name: the only array there is.
  std::uint32_t open(const ArrayPlace& place) {
    if (!place.name.empty() || array_file_kind(place.path) == ArrayFileKind::kNpy) {
      return store_->open(place.path, place.name, stop_);
    }
    const std::optional<ArrayFileKind> kind = array_file_kind(place.path);
    const std::vector<std::string> names =
        kind ? array_names(place.path) : std::vector<std::string>();
    return store_->open(place.path, names.size() == 1 ? names[0] : "", stop_);
  }

  bool has_four_sides() const {
    return std::ranges::any_of(
        pairs_, [&](const Pair& pair) { return images(pair).form.shape.size() == 4; });
  }

  void check_channel_axis() const {
    if (request_.channel_axis == ChannelAxis::kBySize || has_four_sides()) return;
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--channels-first, --channels-last: {}: expected four sides, found {}",
                            images(pairs_[0]).where, shape_text(images(pairs_[0]).form.shape)),
                "leave it out: there is one channel");
  }

  std::string channels_text() const {
    std::set<std::string> orders;
    for (const Pair& pair : pairs_) {
      if (images(pair).form.shape.size() != 4) continue;
      orders.insert(pair.axes.order == PixelOrder::kPlanar ? "first" : "last");
    }
    return fmt::format("{}", fmt::join(orders, ", "));
  }

  // Of files that were named one by one, the names of several tell their splits.
  void name_splits() {
    for (Pair& pair : pairs_) {
      if (!pair.split && pairs_.size() > 1) pair.split = split_in_path(images(pair).name);
    }
  }

  void find_classes() {
    if (has_texts_) return find_text_classes();
    if (!request_.class_names_file.empty()) {
      scan_.class_names = names_by_index(read_class_names(request_.class_names_file));
      return;
    }
    std::uint32_t num_classes = 0;
    for (const Pair& pair : pairs_) {
      if (label_form_of(labels(pair)) == LabelForm::kOneHot) {
        const auto num_columns = static_cast<std::uint32_t>(labels(pair).form.shape[1]);
        num_classes = std::max(num_classes, num_columns);
        continue;
      }
      read_labels(*store_, pair.labels_idx, stop_, [&](std::uint64_t, const LabelValue& label) {
        const auto* const class_idx = std::get_if<std::uint32_t>(&label);
        if (class_idx != nullptr) num_classes = std::max(num_classes, *class_idx + 1);
      });
    }
    scan_.class_names = numbered_class_names(num_classes);
  }

  void find_text_classes() {
    for (const Pair& pair : pairs_) {
      read_labels(*store_, pair.labels_idx, stop_, [&](std::uint64_t, const LabelValue& label) {
        const auto* const text = std::get_if<std::string>(&label);
        if (text == nullptr || !text_classes_.emplace(*text, 0).second) return;
        if (text_classes_.size() <= kMaxNumberedClasses) return;
        throw Error(ErrorCode::kInvalidArgument,
                    fmt::format("labels: {}: expected at most {} classes, found more",
                                labels(pair).where, kMaxNumberedClasses),
                    "are these the labels, and not the names of the pictures?");
      });
    }
    for (auto& [name, class_idx] : text_classes_) {
      class_idx = static_cast<std::uint32_t>(scan_.class_names.size());
      scan_.class_names.push_back(name);
    }
  }

  bool keeps_unlabelled() const { return request_.unlabelled == UnlabelledRows::kKept; }

  // Its class, or why it has none.
  std::variant<std::uint32_t, LabelFault> class_of(const LabelValue& label) const {
    if (const auto* const fault = std::get_if<LabelFault>(&label)) {
      if (fault->reason == ReasonCode::kRowWithoutLabel && keeps_unlabelled()) return kUnlabelled;
      return *fault;
    }
    if (const auto* const text = std::get_if<std::string>(&label)) return text_classes_.at(*text);
    const std::uint32_t class_idx = std::get<std::uint32_t>(label);
    if (class_idx < scan_.class_names.size()) return class_idx;
    return LabelFault{ReasonCode::kUnknownLabel, std::to_string(class_idx)};
  }

  void list(const Pair& pair) {
    const OpenArray& pixels = images(pair);
    const std::uint64_t size_bytes = pixels.form.row_bytes();
    const auto records_idx = static_cast<std::uint32_t>(records_.size());
    const OpenArray& named = labels(pair);
    report_array(pixels, Role::kPixels);
    report_array(named, Role::kLabels);
    records_.push_back({.file_idx = pair.images_idx,
                        .first_bytes = 0,
                        .stride_bytes = size_bytes,
                        .shape = pair.axes.shape,
                        .order = pair.axes.order,
                        .failed_checksum = pixels.failed_checksum.empty()
                                               ? named.failed_checksum
                                               : pixels.failed_checksum});
    const std::string name = different_name(pixels.name, taken_names_);
    const auto add = [&](std::uint64_t row, std::uint32_t class_idx) {
      scan_.pictures.add({.name = record_name(name, row),
                          .size_bytes = size_bytes,
                          .place = raw_place(records_idx, static_cast<std::uint32_t>(row)),
                          .class_idx = class_idx,
                          .split = pair.split});
    };
    const auto find = [&](std::uint64_t row, ReasonCode reason, std::string detail,
                          std::uint64_t num_rows = 1) {
      scan_.findings.push_back({.path = record_name(name, row),
                                .reason = reason,
                                .size_bytes = num_rows * size_bytes,
                                .detail = std::move(detail),
                                .num_pictures = num_rows});
    };
    const std::vector<LostRows> lost = rows_lost(pixels, named);
    for (const LostRows& rows : lost) {
      find(rows.first_row, ReasonCode::kArchiveDamaged, and_behind(rows.num_rows, rows.why),
           rows.num_rows);
    }
    auto next_lost = lost.begin();
    read_labels(*store_, pair.labels_idx, stop_, [&](std::uint64_t row, const LabelValue& label) {
      if (row >= pixels.num_whole_rows) return;  // a finding of the array says so
      while (next_lost != lost.end() && next_lost->first_row + next_lost->num_rows <= row) {
        ++next_lost;
      }
      if (next_lost != lost.end() && next_lost->first_row <= row) return;
      const auto found = class_of(label);
      if (const auto* const fault = std::get_if<LabelFault>(&found)) {
        return find(row, fault->reason, fault->detail);
      }
      add(row, std::get<std::uint32_t>(found));
    });
    const std::uint64_t num_labels = named.num_whole_rows;
    if (keeps_unlabelled()) {
      for (std::uint64_t row = num_labels; row < pixels.num_whole_rows; ++row)
        add(row, kUnlabelled);
    } else if (num_labels < pixels.num_whole_rows) {
      const std::uint64_t num_rows = pixels.num_whole_rows - num_labels;
      find(num_labels, ReasonCode::kRowWithoutLabel, and_behind(num_rows, ""), num_rows);
    }
  }

  enum class Role : std::uint8_t { kPixels, kLabels };

  // What is wrong with an array as a whole. Rows that lack a label alone are told of by their names.
  void report_array(const OpenArray& array, Role role) {
    const auto find = [&](ReasonCode reason, std::string detail, std::uint64_t num_rows) {
      scan_.findings.push_back({.path = array.where,
                                .reason = reason,
                                .size_bytes = array.form.num_rows() * array.form.row_bytes(),
                                .detail = std::move(detail),
                                .num_pictures = num_rows});
    };
    if (!array.failed_checksum.empty()) {
      find(ReasonCode::kArchiveDamaged, array.failed_checksum, 0);
    }
    if (!array.cut) return;
    const std::uint64_t num_rows = array.form.num_rows();
    find(array.cut->reason,
         fmt::format("{} of {} rows{}{}", array.num_whole_rows, num_rows,
                     array.cut->detail.empty() ? "" : ": ", array.cut->detail),
         role == Role::kPixels ? num_rows - array.num_whole_rows : 0);
  }

  // Among rows that both arrays have, those that one of them has lost.
  static std::vector<LostRows> rows_lost(const OpenArray& pixels, const OpenArray& labels) {
    std::vector<LostRows> all = pixels.lost_rows;
    all.insert(all.end(), labels.lost_rows.begin(), labels.lost_rows.end());
    std::ranges::sort(all, {}, &LostRows::first_row);
    const std::uint64_t end_row = std::min(pixels.num_whole_rows, labels.num_whole_rows);
    std::vector<LostRows> apart;
    std::uint64_t begin = 0;  // behind those taken
    for (LostRows& rows : all) {
      const std::uint64_t end = std::min(rows.first_row + rows.num_rows, end_row);
      begin = std::max(begin, rows.first_row);
      if (begin >= end) continue;
      apart.push_back({.first_row = begin, .num_rows = end - begin, .why = std::move(rows.why)});
      begin = end;
    }
    return apart;
  }

  const SourceRequest& request_;
  const std::stop_token& stop_;
  std::unique_ptr<ArrayStore> store_;
  std::vector<Pair> pairs_;
  bool has_texts_ = false;
  std::map<std::string, std::uint32_t> text_classes_;  // by rising bytes
  std::set<std::string> taken_names_;
  std::vector<RawRecords> records_;
  SourceScan scan_;
};

}  // namespace

PictureAxes picture_axes_of(const ArrayForm& form, ChannelAxis channel_axis,
                            const std::string& where) {
  const std::vector<std::uint64_t>& sides = form.shape;
  PictureAxes axes;
  std::uint64_t height_px = 0;
  std::uint64_t width_px = 0;
  std::uint64_t channels = 1;
  if (sides.size() == 3) {
    height_px = sides[1];
    width_px = sides[2];
  } else if (sides.size() == 4) {
    const bool is_first = is_channels_first(form, channel_axis, where);
    channels = sides[is_first ? 1 : 3];
    height_px = sides[is_first ? 2 : 1];
    width_px = sides[is_first ? 3 : 2];
    if (is_first && channels > 1) axes.order = PixelOrder::kPlanar;
  } else {
    refuse_shape(form, where, "[n, height, width], with or without 1 or 3 channels",
                 "numpy.save('x.npy', x.reshape(-1, 28, 28)), with your own sides");
  }
  if (height_px == 0 || width_px == 0 || std::max(height_px, width_px) > kMaxSidePx) {
    refuse_shape(form, where, fmt::format("sides from 1 to {} px", kMaxSidePx),
                 "check which array it is");
  }
  if (height_px * width_px * channels > kMaxFileBytes || sides[0] > UINT32_MAX) {
    refuse_shape(form, where, "at most 4294967295 pictures of at most 1 GiB", "cut it in parts");
  }
  axes.shape = {.height_px = static_cast<std::uint32_t>(height_px),
                .width_px = static_cast<std::uint32_t>(width_px),
                .channels = static_cast<std::uint32_t>(channels)};
  return axes;
}

SourceScan scan_arrays(const SourceRequest& request, const std::stop_token& stop) {
  return ArrayScan(request, stop).run();
}

}  // namespace penstock::convert
