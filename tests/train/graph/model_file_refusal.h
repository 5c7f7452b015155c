// Model files that are refused, for tests.
#pragma once

#include <string>

#include "streamer/core/error.h"
#include "train/graph/model_file.h"

namespace penstock::train {

inline ModelGraph parse_test_model(const std::string& text) {
  return parse_model(text, "test.toml", {3, 32, 32}, 10);
}

/// "MESSAGE | HINT", or "no error".
inline std::string model_file_refusal(const std::string& text) {
  try {
    parse_test_model(text);
  } catch (const Error& error) {
    return std::string(error.what()) + " | " + error.hint();
  }
  return "no error";
}

}  // namespace penstock::train
