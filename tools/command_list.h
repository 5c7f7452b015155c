// All commands of the program, in the order in which somebody meets them, and what a program may leave out.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "tools/command.h"

namespace penstock::tools {

inline constexpr AddCommand kCommands[] = {
    add_convert_command, add_add_command,     add_remove_command,  add_inspect_command,
    add_verify_command,  add_repair_command,  add_extract_command, add_plan_command,
    add_model_command,   add_preview_command, add_train_command,   add_evaluate_command,
    add_predict_command, add_export_command,  add_bench_command,   add_info_command,
};

/// Those of the program that is running: all of them, or in `penstock-carried` those that need no codec of the
/// conversion and no OpenCV (carried_commands.cpp).
std::span<const AddCommand> commands();

/// Names and versions of the libraries that it converts pictures with; empty where it converts none.
std::vector<std::pair<std::string, std::string>> conversion_codecs();

}  // namespace penstock::tools
