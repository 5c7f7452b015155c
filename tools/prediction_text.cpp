#include "tools/prediction_text.h"

#include <fmt/core.h>

#include <nlohmann/json.hpp>

#include "streamer/core/csv_field.h"
#include "streamer/core/error.h"
#include "streamer/core/number_text.h"
#include "streamer/core/utf8.h"
#include "tools/run_screen.h"
#include "tools/terminal.h"

namespace penstock::tools {
namespace {

using Json = nlohmann::ordered_json;

std::string text_of(const PictureAnswer& answer) {
  if (!answer.fault.empty()) return {};
  std::string text = printable(answer.path) + ": ";
  for (const RankedClass& ranked : answer.top) {
    text += fmt::format("{}{} {}", &ranked == answer.top.data() ? "" : ", ", printable(ranked.name),
                        percent_text(ranked.probability));
  }
  return text + "\n";
}

std::string csv_of(const PictureAnswer& answer) {
  const std::string path = csv_field(answer.path);
  if (!answer.fault.empty()) return path + ",,,,," + csv_field(answer.fault) + "\n";
  std::string rows;
  std::size_t rank = 0;
  for (const RankedClass& ranked : answer.top) {
    rows += fmt::format("{},{},{},{},{},\n", path, ++rank, csv_field(ranked.name), ranked.class_idx,
                        number_text(ranked.probability));
  }
  return rows;
}

/// Two digits a byte.
std::string hex_of_bytes(const std::string& bytes) {
  std::string text;
  for (const char byte : bytes) {
    text += fmt::format("{:02x}", static_cast<unsigned char>(byte));
  }
  return text;
}

std::string json_of(const PictureAnswer& answer) {
  Json json = {{"path", answer.path}};
  if (!is_utf8(answer.path)) json["path_hex"] = hex_of_bytes(answer.path);
  if (!answer.fault.empty()) json["error"] = answer.fault;
  json["top"] = Json::array();
  for (const RankedClass& ranked : answer.top) {
    json["top"].push_back({{"class", ranked.name},
                           {"class_idx", ranked.class_idx},
                           {"probability", ranked.probability}});
  }
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

PredictionFormat prediction_format(const std::string& name) {
  if (name == "text") return PredictionFormat::kText;
  if (name == "csv") return PredictionFormat::kCsv;
  if (name == "json") return PredictionFormat::kJson;
  throw Error(ErrorCode::kInvalidArgument,
              "--format: expected text, csv or json, found '" + printable(name) + "'",
              "--format csv");
}

std::string PredictionText::begin() const {
  if (format_ == PredictionFormat::kCsv) return "path,rank,class,class_idx,probability,error\n";
  return format_ == PredictionFormat::kJson ? "[" : "";
}

std::string PredictionText::answer(const PictureAnswer& answer) {
  if (format_ == PredictionFormat::kText) return text_of(answer);
  if (format_ == PredictionFormat::kCsv) return csv_of(answer);
  const std::string between = has_answers_ ? ",\n" : "\n";
  has_answers_ = true;
  return between + json_of(answer);
}

std::string PredictionText::end() const {
  return format_ == PredictionFormat::kJson ? "\n]\n" : "";
}

}  // namespace penstock::tools
