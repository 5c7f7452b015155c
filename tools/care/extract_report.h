// What an extraction wrote, and what it could not, in words and as JSON.
#pragma once

#include <string>

#include "tools/care/extract_job.h"

namespace penstock::care {

std::string extract_text(const ExtractSummary& summary, const std::string& folder);
std::string extract_json(const ExtractSummary& summary, const std::string& folder);

}  // namespace penstock::care
