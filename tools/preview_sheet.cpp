#include "tools/preview_sheet.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/contact_sheet.h"
#include "tools/drawn_values.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using augment::SizePx;
using train::PipelineUse;

// 100 million: as bytes 300 MB, and the PNG takes seconds.
constexpr std::uint64_t kMostSheetPx = 100'000'000;
// Pictures smaller than this are shown with pixels enlarged by a whole number.
constexpr std::uint32_t kLeastCellPx = 192;
// What OpenCV's fonts, the decoders and the dataset's tables hold besides.
constexpr std::uint64_t kFixedBytes = 12u << 20;
constexpr const char* kSmaller = "fewer --samples or --versions, or a smaller --image-size";

SizePx cell_sides(const BatchSpec& batch) {
  const std::uint32_t pixel_side_px =
      std::max(1u, kLeastCellPx / std::max(batch.width_px, batch.height_px));
  return {batch.width_px * pixel_side_px, batch.height_px * pixel_side_px};
}

SheetCaption original_caption(const PreviewSample& sample, const DatasetSplit& split) {
  const IndexRecord& record = sample.record;
  const bool is_labelled = record.class_idx < split.class_names().size();
  SheetCaption caption{.head = is_labelled ? fmt::format("{}: {}", record.class_idx,
                                                         split.class_names()[record.class_idx])
                                           : std::string("no class"),
                       .phrases = {fmt::format("sample {}", sample.sample_id),
                                   fmt::format("{} x {} px", record.width_px, record.height_px)}};
  if (record.orientation > 1) caption.phrases.push_back(fmt::format("EXIF {}", record.orientation));
  return caption;
}

SheetContent sheet_content(const PreviewSheetConfig& config, const DatasetSplit& split,
                           const PreviewSamples& shown) {
  const SizePx cell = cell_sides(config.preview.pipeline.batch);
  SheetContent content{.title = config.title,
                       .headings = {"original"},
                       .captions = {},
                       .footer = config.footer,
                       .cell_width_px = cell.width,
                       .cell_height_px = cell.height};
  const bool trains = config.preview.use == PipelineUse::kTrain;
  for (const PreviewVersion& version : shown.samples().front().versions) {
    content.headings.push_back(trains ? fmt::format("epoch {}", version.epoch) : "evaluation");
  }
  for (const PreviewSample& sample : shown.samples()) {
    content.captions.push_back({original_caption(sample, split)});
    for (const PreviewVersion& version : sample.versions) {
      content.captions.back().push_back({.head = fmt::format("position {}", version.position),
                                         .phrases = drawn_phrases(shown.augment(), version.drawn)});
    }
  }
  return content;
}

/// Draws one row after the other.
class SheetFiller {
 public:
  SheetFiller(PreviewSamples& shown, ContactSheet& sheet, SizePx cell)
      : shown_(shown), sheet_(sheet), cell_(cell) {}

  DrawnSample fill_row(std::size_t row) {
    DrawnSample drawn{.sample = shown_.samples()[row]};
    const std::vector<PreviewVersion>& versions = drawn.sample.versions;
    drawn.versions.resize(versions.size());
    const auto encoded = read(row, drawn);
    if (!encoded) return drawn;
    drawn.original = put({row, 0}, shown_.original(*encoded, cell_), drawn.fault);
    for (std::size_t k = 0; k < versions.size(); ++k) {
      drawn.versions[k] = put({row, k + 1}, shown_.version(*encoded, versions[k]), drawn.fault);
    }
    return drawn;
  }

 private:
  std::optional<PreviewSamples::Encoded> read(std::size_t row, DrawnSample& drawn) {
    try {
      return shown_.read(row);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kCorruptData) throw;
      drawn.fault = error.what();
    }
    for (std::size_t column = 0; column <= drawn.versions.size(); ++column) {
      sheet_.put_reason({row, column}, "damaged: its bytes are not what was written");
    }
    return std::nullopt;
  }

  std::optional<PlacedPicture> put(ContactSheet::Place place, const ShownPicture& picture,
                                   std::string& fault) {
    if (picture.fault.status != SampleStatus::kOk) {
      fault =
          fmt::format("{}: {}", sample_status_name(picture.fault.status), picture.fault.detail());
      sheet_.put_reason(place, fault);
      return std::nullopt;
    }
    const std::uint32_t pixel_side_px =
        std::min(cell_.width / picture.width_px, cell_.height / picture.height_px);
    return PlacedPicture{sheet_.put(place, picture.view(), pixel_side_px), pixel_side_px};
  }

  PreviewSamples& shown_;
  ContactSheet& sheet_;
  SizePx cell_;
};

[[noreturn]] void refuse_sides(std::uint64_t width_px, std::uint64_t height_px) {
  throw Error(ErrorCode::kInvalidArgument,
              fmt::format("preview: sheet: expected at most {} pixels, found {} x {}",
                          format_count(kMostSheetPx), width_px, height_px),
              kSmaller);
}

/// Looks at the pictures alone, before any sample is.
void check_pictures(const PreviewConfig& config, std::uint64_t num_samples) {
  const SizePx cell = cell_sides(config.pipeline.batch);
  const std::uint64_t num_rows = std::clamp<std::uint64_t>(num_samples, 1, config.num_samples);
  const std::uint64_t width_px = cell.width * (std::uint64_t{config.num_versions} + 1);
  const std::uint64_t height_px = cell.height * num_rows;
  if (width_px > kMostSheetPx / height_px) refuse_sides(width_px, height_px);
}

void publish_sheet(const std::filesystem::path& out, const std::vector<std::byte>& png) {
  try {
    publish_file(out, {reinterpret_cast<const char*>(png.data()), png.size()});
  } catch (const Error& error) {
    throw Error(error.code(), error.what(),
                "name another file, or see whether the disk is full: df -h", error.os_error());
  }
}

DrawnSheet draw_within(const DatasetSplit& split, const PreviewSheetConfig& config,
                       MemoryBudget& budget) {
  const BudgetShare fixed =
      budget.draw(kFixedBytes + split.shards_bytes(), "libraries and the dataset's tables");
  PreviewSamples shown(split, config.preview, budget);
  ContactSheet sheet(sheet_content(config, split, shown));
  if (sheet.num_px() > kMostSheetPx) refuse_sides(sheet.width_px(), sheet.height_px());
  const BudgetShare share = budget.draw(sheet.most_bytes(), "the sheet and its PNG");
  sheet.begin();
  SheetFiller filler(shown, sheet, cell_sides(config.preview.pipeline.batch));
  DrawnSheet drawn{.width_px = sheet.width_px(), .height_px = sheet.height_px()};
  for (std::size_t row = 0; row < shown.samples().size(); ++row) {
    drawn.samples.push_back(filler.fill_row(row));
  }
  publish_sheet(config.out, sheet.png());
  return drawn;
}

}  // namespace

std::uint64_t DrawnSheet::num_failed() const noexcept {
  return static_cast<std::uint64_t>(
      std::ranges::count_if(samples, [](const DrawnSample& one) { return !one.fault.empty(); }));
}

DrawnSheet draw_preview(const DatasetSplit& split, const PreviewSheetConfig& config) {
  check_pictures(config.preview, split.num_samples());
  MemoryBudget budget(config.limit_bytes);
  try {
    DrawnSheet drawn = draw_within(split, config, budget);
    drawn.peak_bytes = budget.high_water_bytes();
    return drawn;
  } catch (const Error& error) {
    if (error.code() != ErrorCode::kOutOfMemory) throw;
    throw Error(error.code(), error.what(), std::string("raise --memory; or ") + kSmaller);
  }
}

}  // namespace penstock::tools
