// What a list of names asks for: names as they are stored, or as penstock prints them.
#pragma once

#include <cstddef>
#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace penstock::care {

/// A file, or a pipe. One name a line; a line feed ends it, a carriage return before that is dropped, empty lines
/// too. Throws NotFound, InvalidArgument without a name.
std::vector<std::string> read_name_list(const std::filesystem::path& file);

/// Which names are asked for. A request is the name that it spells byte by byte. Where no sample is called
/// so, it is the name that printable() would have shown so, in which \x0a is a line feed and two backslashes
/// are one.
class NameRequests {
 public:
  explicit NameRequests(const std::vector<std::string>& typed);

  /// Shows the name of a sample; returns whether it may be asked for. All must be shown before takes().
  bool may_take(const std::string& name);
  /// Whether a name that was shown is asked for; then its requests are met.
  bool takes(const std::string& name);
  /// Marks a name as asked for and gone already.
  void note_gone(const std::string& name);

  /// The names that a list may have for what is asked, after all samples were shown.
  std::vector<std::string> names_in_lists() const;
  /// A row of a list has this one: its requests are met.
  void note_in_list(const std::string& name);

  /// Names that met a request.
  std::vector<std::string> met() const;
  /// Whether any request may stand for this name, met or not.
  bool is_named(const std::string& name) const { return by_name_.contains(name); }
  /// Requests that nothing met, as they were typed and in their order.
  std::vector<std::string> not_met() const;

 private:
  struct Form {
    std::size_t request_idx = 0;
    bool is_printed = false;  // else byte by byte
  };
  struct Request {
    std::string typed;
    bool is_stored = false;  // a sample is called so
    bool is_met = false;
  };
  bool meets(const Form& form) const;
  void meet(const std::string& name);

  std::vector<Request> requests_;
  std::unordered_map<std::string, std::vector<Form>> by_name_;
  std::set<std::string> met_;
};

}  // namespace penstock::care
