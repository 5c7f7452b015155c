#include "tools/care/name_requests.h"

#include <fmt/core.h>

#include <algorithm>
#include <cerrno>
#include <fstream>
#include <iterator>
#include <optional>

#include "streamer/core/error.h"
#include "streamer/core/file.h"
#include "tools/printed_text.h"
#include "tools/terminal.h"

namespace penstock::care {

namespace fs = std::filesystem;
using tools::printable_path;

namespace {

// Of a pipe, as a shell gives for <(command), nobody knows the length.
std::string read_to_its_end(const fs::path& file) {
  std::ifstream stream(file, std::ios::binary);
  std::string text(std::istreambuf_iterator<char>(stream), {});
  if (stream.bad()) throw_io_error(EIO, "read to its end", printable_path(file));
  return text;
}

}  // namespace

std::vector<std::string> read_name_list(const fs::path& file) {
  const fs::file_status status = fs::status(file);
  if (!fs::exists(status) || fs::is_directory(status)) {
    throw Error(ErrorCode::kNotFound,
                fmt::format("list: {}: expected a file, found {}", printable_path(file),
                            fs::is_directory(status) ? "a folder" : "none"),
                "check the path");
  }
  const std::string text = fs::is_fifo(status) ? read_to_its_end(file) : read_text_file(file);
  std::vector<std::string> names;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string name = text.substr(at, end - at);
    if (!name.empty() && name.back() == '\r') name.pop_back();
    if (!name.empty()) names.push_back(std::move(name));
    at = end + 1;
  }
  if (names.empty()) {
    throw Error(
        ErrorCode::kInvalidArgument,
        fmt::format("list: {}: expected names, one a line, found none", printable_path(file)),
        "names are as penstock inspect --sample shows them");
  }
  return names;
}

NameRequests::NameRequests(const std::vector<std::string>& typed) {
  for (const std::string& text : typed) {
    const std::size_t request_idx = requests_.size();
    requests_.push_back({.typed = text});
    by_name_[text].push_back({.request_idx = request_idx, .is_printed = false});
    const std::optional<std::string> name = tools::text_from_printed(text);
    if (!name || *name == text || name->empty()) continue;
    by_name_[*name].push_back({.request_idx = request_idx, .is_printed = true});
  }
}

bool NameRequests::may_take(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  for (const Form& form : found->second) {
    if (!form.is_printed) requests_[form.request_idx].is_stored = true;
  }
  return true;
}

bool NameRequests::takes(const std::string& name) {
  const auto found = by_name_.find(name);
  if (found == by_name_.end()) return false;
  const bool is_asked =
      std::ranges::any_of(found->second, [this](const Form& form) { return meets(form); });
  if (is_asked) meet(name);
  return is_asked;
}

void NameRequests::note_gone(const std::string& name) {
  if (by_name_.contains(name)) meet(name);
}

std::vector<std::string> NameRequests::names_in_lists() const {
  std::vector<std::string> names;
  for (const auto& [name, forms] : by_name_) {
    if (std::ranges::any_of(forms, [this](const Form& form) { return meets(form); })) {
      names.push_back(name);
    }
  }
  return names;
}

void NameRequests::note_in_list(const std::string& name) {
  meet(name);
}

std::vector<std::string> NameRequests::not_met() const {
  std::vector<std::string> typed;
  for (const Request& request : requests_) {
    if (!request.is_met) typed.push_back(request.typed);
  }
  return typed;
}

std::vector<std::string> NameRequests::met() const {
  return {met_.begin(), met_.end()};
}

// What is spelled byte by byte stands for nothing else.
bool NameRequests::meets(const Form& form) const {
  return !form.is_printed || !requests_[form.request_idx].is_stored;
}

void NameRequests::meet(const std::string& name) {
  met_.insert(name);
  for (const Form& form : by_name_.at(name)) {
    if (meets(form)) requests_[form.request_idx].is_met = true;
  }
}

}  // namespace penstock::care
