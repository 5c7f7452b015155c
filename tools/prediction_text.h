// Answers of `penstock predict` as text, CSV or JSON, one picture after the other: none is kept.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace penstock::tools {

struct RankedClass {
  std::string name;
  std::uint32_t class_idx = 0;
  double probability = 0;
};

/// One picture's answer, or why there is none.
struct PictureAnswer {
  std::string path;
  std::string fault = {};
  std::string hint = {};
  bool is_damaged = false;            // with a fault: its bytes, not its place
  std::vector<RankedClass> top = {};  // best first
};

enum class PredictionFormat : std::uint8_t {
  kText,  // "a.jpg: cat 97.1 %, dog 2.0 %"; a picture with a fault is left out
  kCsv,   // path,rank,class,class_idx,probability,error: a row for each class that is named
  kJson,  // an array, one object a line: path, top, error
};

/// "text", "csv" or "json"; throws InvalidArgument naming --format.
PredictionFormat prediction_format(const std::string& name);

/// The pieces of one output in their order: begin(), any number of answer(), end().
class PredictionText {
 public:
  explicit PredictionText(PredictionFormat format) : format_(format) {}

  std::string begin() const;
  /// May be empty. Names and paths are made printable in text, bytes as they are in CSV (RFC 4180), and
  /// U+FFFD stands for what is no UTF-8 in JSON, where path_hex then has the path's bytes.
  std::string answer(const PictureAnswer& answer);
  std::string end() const;

 private:
  PredictionFormat format_;
  bool has_answers_ = false;
};

}  // namespace penstock::tools
