// A backend that values from elsewhere are compared with.
#pragma once

#include <memory>
#include <string>

#include "train/backend/backend.h"

namespace penstock::train {

/// What computes, and how far a tensor may be off.
struct Computer {
  std::string name;
  std::unique_ptr<Backend> (*make)(const BackendSettings&);
  bool fuse = true;
  double tolerance = 0;
};

}  // namespace penstock::train
