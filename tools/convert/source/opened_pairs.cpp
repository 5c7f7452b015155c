#include "tools/convert/source/opened_pairs.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>

#include "streamer/core/error.h"
#include "tools/convert/source/array_labels.h"
#include "tools/convert/source/array_pairs.h"
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

bool looks_like_pictures(const ArrayForm& form) {
  const std::vector<std::uint64_t>& sides = form.shape;
  if (form.kind != ElementKind::kUnsigned || form.type_text != "uint8") return false;
  if (sides.size() != 3 && sides.size() != 4) return false;
  constexpr std::uint64_t kMaxChannels = 4;
  return std::ranges::find(sides, 0) == sides.end() && sides[0] <= UINT32_MAX &&
         (sides.size() == 3 || sides[1] <= kMaxChannels || sides[3] <= kMaxChannels);
}

class PairOpener {
 public:
  PairOpener(const SourceRequest& request, const std::stop_token& stop)
      : request_(request),
        stop_(stop),
        opened_{.store = std::make_unique<ArrayStore>(request.spool)} {}

  OpenedPairs run() {
    if (request_.arrays.empty()) add_file({request_.path, ""});
    for (const ArrayFiles& files : request_.arrays) add(files);
    check_channel_axis();
    name_splits();
    return std::move(opened_);
  }

 private:
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
      opened_.pairs.back().split = pair.split;
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
      opened_.findings.push_back(
          {.path = fmt::format("{}:{}", tools::printable_path(path), tools::printable(name)),
           .reason = ReasonCode::kImageWithoutRow,
           .size_bytes = form->num_rows() * form->row_bytes(),
           .detail = fmt::format("{} in an array without labels of a usual name: name both with "
                                 "--images and --labels",
                                 tools::format_counted(form->num_rows(), "picture", "pictures")),
           .num_pictures = form->num_rows()});
    }
  }

  void add_pair(const ArrayPlace& images, const ArrayPlace& labels) {
    OpenedPair pair{.images_idx = open(images), .labels_idx = open(labels)};
    const OpenArray& pixels = opened_.images(pair);
    // bool is a byte as well, of 0 and 1: black, and nearly black.
    if (pixels.form.kind != ElementKind::kUnsigned || pixels.form.type_text != "uint8") {
      refuse_pixels(pixels);
    }
    pair.axes = picture_axes_of(pixels.form, request_.channel_axis, pixels.where);
    const OpenArray& named = opened_.labels(pair);
    if (named.form.num_rows() != pixels.form.num_rows()) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("labels: {}: expected {} labels, one for each picture of {}, found {}",
                      named.where, pixels.form.num_rows(), pixels.where, named.form.num_rows()),
          "which labels belong to which pictures cannot be told: check both arrays");
    }
    const bool is_text = label_form_of(named) == LabelForm::kText;
    if (!opened_.pairs.empty() && is_text != opened_.are_labels_texts) {
      throw Error(
          ErrorCode::kInvalidArgument,
          fmt::format("labels: {}: expected {} as in the labels before, found {}", named.where,
                      opened_.are_labels_texts ? "texts" : "numbers", named.form.type_text),
          "one dataset has one list of classes");
    }
    opened_.are_labels_texts = is_text;
    opened_.pairs.push_back(pair);
  }

  // Without a name: the only array there is.
  std::uint32_t open(const ArrayPlace& place) {
    if (!place.name.empty() || array_file_kind(place.path) == ArrayFileKind::kNpy) {
      return opened_.store->open(place.path, place.name, stop_);
    }
    const std::optional<ArrayFileKind> kind = array_file_kind(place.path);
    const std::vector<std::string> names =
        kind ? array_names(place.path) : std::vector<std::string>();
    return opened_.store->open(place.path, names.size() == 1 ? names[0] : "", stop_);
  }

  void check_channel_axis() const {
    if (request_.channel_axis == ChannelAxis::kBySize || opened_.has_four_sides()) return;
    const OpenArray& first = opened_.images(opened_.pairs[0]);
    throw Error(ErrorCode::kInvalidArgument,
                fmt::format("--channels-first, --channels-last: {}: expected four sides, found {}",
                            first.where, shape_text(first.form.shape)),
                "leave it out: there is one channel");
  }

  // Of files that were named one by one, the names of several tell their splits.
  void name_splits() {
    if (opened_.pairs.size() == 1) return;
    for (OpenedPair& pair : opened_.pairs) {
      if (!pair.split) pair.split = split_in_path(opened_.images(pair).name);
    }
  }

  const SourceRequest& request_;
  const std::stop_token& stop_;
  OpenedPairs opened_;
};

}  // namespace

bool OpenedPairs::has_four_sides() const {
  return std::ranges::any_of(
      pairs, [&](const OpenedPair& pair) { return images(pair).form.shape.size() == 4; });
}

OpenedPairs open_pairs(const SourceRequest& request, const std::stop_token& stop) {
  return PairOpener(request, stop).run();
}

}  // namespace penstock::convert
