// Numbers as a user types them on the command line: 256M, 12, 0.1.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace CLI {
class App;
}

namespace penstock::tools {

struct CountRange {
  std::uint64_t min = 1;
  std::uint64_t max = UINT64_MAX;
};

/// Reads "4096", "256K", "256M", "2G", "1T": powers of 1024, whole numbers, at least 1.
/// `flag` names the option in the error. Throws InvalidArgument.
std::uint64_t parse_byte_size(std::string_view text, std::string_view flag);

/// Reads a whole number within `range`. Throws InvalidArgument.
std::uint64_t parse_count(std::string_view text, std::string_view flag, CountRange range);

/// Reads a number from 0 to below 1. Throws InvalidArgument.
double parse_fraction(std::string_view text, std::string_view flag);

/// Each adds `--flag TYPE` whose text is read by the function above. `value` outlives the parsing.
void add_byte_size_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                          const std::string& description);
void add_count_option(CLI::App& command, const std::string& flag, std::uint64_t& value,
                      CountRange range, const std::string& description);
void add_fraction_option(CLI::App& command, const std::string& flag, std::optional<double>& value,
                         const std::string& description);

}  // namespace penstock::tools
