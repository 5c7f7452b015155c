// Names of files in one folder, changed so that at every moment each file has one: whoever is killed in between
// leaves nothing without a name.
#pragma once

#include <filesystem>
#include <string>

namespace penstock::care {

/// Gives two files each other's names, in one step where the file system can; else `b` is called
/// `b`.displaced for a moment. Throws Io.
void exchange_names(const std::filesystem::path& a, const std::filesystem::path& b);

/// Gives a file a second name, `file`.damaged or, where that is another's, `file`.damaged.1 and so on, so that
/// a new one can take the first name in one step. One that has such a name keeps it. Returns the second name.
/// Where the file system knows no second names, the file loses its first. Throws Io.
std::filesystem::path keep_as_damaged(const std::filesystem::path& file);

}  // namespace penstock::care
