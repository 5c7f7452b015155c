// What `penstock preview` prints: the settings as TOML, the samples as text and as JSON.
#pragma once

#include <string>
#include <vector>

#include "tools/preview_sheet.h"
#include "train/run/settings/run_config.h"

namespace penstock::tools {

/// The part of a run file that decides what is shown; read again, it shows the same.
std::vector<std::string> config_lines(const train::RunConfig& run, train::PipelineUse use);
std::string joined(const std::vector<std::string>& lines);

/// What both reports are about.
struct PreviewReport {
  const DatasetSplit& split;
  const train::RunConfig& run;  // resolved
  const PreviewSheetConfig& config;
  const DrawnSheet& drawn;
};

std::string preview_json(const PreviewReport& report);
/// Names classes in full, which the sheet cannot.
std::string preview_text(const PreviewReport& report);

}  // namespace penstock::tools
