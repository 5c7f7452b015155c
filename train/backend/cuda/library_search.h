// Finds the libraries of the CUDA module where the loader does not look: in a folder that the user names, and in
// Python packages, which on some machines are the only place that has cuDNN. A library that is loaded already
// satisfies a module that needs one of its name, so finding is loading.
//
//     1  folders in PENSTOCK_CUDA_LIBRARIES, divided by colons
//     2  wherever the loader looks
//     3  nvidia/*/lib of Python's packages: below VIRTUAL_ENV, the user's, /usr/local, /usr
#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace penstock::train {

/// What says where libraries may be.
struct LibraryPlaces {
  std::string named;                    // PENSTOCK_CUDA_LIBRARIES
  std::filesystem::path virtual_env{};  // VIRTUAL_ENV, or empty
  std::filesystem::path home{};         // HOME, or empty
  std::vector<std::filesystem::path> prefixes{"/usr/local", "/usr"};

  static LibraryPlaces of_environment();
};

/// The folders of step 1, as they are named.
std::vector<std::filesystem::path> named_library_folders(const LibraryPlaces& places);

/// The folders of step 3 that exist; of several Pythons below one prefix the newest comes first.
std::vector<std::filesystem::path> python_library_folders(const LibraryPlaces& places);

/// The libraries that a shared library asks the loader for ("libcudnn.so.9"); none for any other file.
std::vector<std::string> needed_libraries(const std::filesystem::path& library);

/// Loads what `module` needs from the first folder that has it, and returns the files. They stay loaded. A file
/// that does not load is passed over.
std::vector<std::filesystem::path> load_needed_libraries(
    const std::filesystem::path& module, std::span<const std::filesystem::path> folders);

}  // namespace penstock::train
