// Whole training runs as their embedder sees them, in one include: from a dataset to a folder with weights,
// metrics and checkpoints, and on from there. What it reaches is what is installed.
#pragma once

#include "train/run/inference/evaluation.h"  // a stored model against a split
#include "train/run/inference/predictor.h"   // and on single pictures
#include "train/run/run_observer.h"          // who is told of it
#include "train/run/session.h"               // train_run()
#include "train/run/settings/run_config.h"   // everything a run is told
#include "train/run/settings/run_file.h"     // the same as TOML
