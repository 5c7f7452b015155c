// The part of `penstock bench` that measures training: a file of its own beside bench_command.cpp.
#pragma once

#include "tools/command.h"

namespace penstock::tools {

void add_bench_train_command(CLI::App& group, CommandChoice& choice);

}  // namespace penstock::tools
