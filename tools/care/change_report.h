// What was changed in a dataset by repair, remove and add, in words and as JSON.
#pragma once

#include <string>

#include "tools/care/add_job.h"
#include "tools/care/remove_job.h"
#include "tools/care/repair_job.h"

namespace penstock::care {

std::string repair_text(const RepairSummary& summary, const RepairConfig& config);
std::string repair_json(const RepairSummary& summary, const RepairConfig& config);

std::string remove_text(const RemoveSummary& summary, const std::string& dataset);
std::string remove_json(const RemoveSummary& summary, const std::string& dataset);
/// What keeps a removal from being complete, in one line, the first names of each kind.
std::string remove_shortfall(const RemoveSummary& summary);

std::string add_text(const AddSummary& summary, const std::string& dataset);
std::string add_json(const AddSummary& summary, const std::string& dataset);

}  // namespace penstock::care
