#include "train/backend/cuda/library_search.h"

#include <dlfcn.h>
#include <elf.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <utility>

namespace penstock::train {
namespace {

namespace fs = std::filesystem;

std::string environment_text(const char* name) {
  const char* const text = std::getenv(name);
  return text == nullptr ? "" : text;
}

// Folders inside of `folder`; none where it cannot be read.
std::vector<fs::path> folders_in(const fs::path& folder) {
  std::vector<fs::path> found;
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (entry->is_directory(ignored)) found.push_back(entry->path());
  }
  std::ranges::sort(found);
  return found;
}

// 11 of "python3.11"; -1 of Debian's "python3", which all of its Pythons share.
std::optional<int> minor_version(const fs::path& folder) {
  const std::string name = folder.filename();
  constexpr std::string_view kStart = "python3";
  if (!name.starts_with(kStart)) return std::nullopt;
  if (name.size() == kStart.size()) return -1;
  int minor = 0;
  const auto [end, error] =
      std::from_chars(name.data() + kStart.size() + 1, name.data() + name.size(), minor);
  if (name[kStart.size()] != '.' || error != std::errc{}) return std::nullopt;
  return minor;
}

void add_python_folders(const fs::path& prefix, std::vector<fs::path>& folders) {
  std::vector<std::pair<int, fs::path>> pythons;
  for (const fs::path& folder : folders_in(prefix / "lib")) {
    if (const auto minor = minor_version(folder)) pythons.emplace_back(*minor, folder);
  }
  std::ranges::stable_sort(pythons, std::ranges::greater{}, &std::pair<int, fs::path>::first);
  for (const auto& [minor, python] : pythons) {
    for (const char* packages : {"site-packages", "dist-packages"}) {
      for (const fs::path& package : folders_in(python / packages / "nvidia")) {
        std::error_code ignored;
        if (fs::is_directory(package / "lib", ignored)) folders.push_back(package / "lib");
      }
    }
  }
}

// A file of bytes that may be anything: every place is checked before it is read.
class ElfFile {
 public:
  explicit ElfFile(const fs::path& path) {
    std::ifstream file(path, std::ios::binary);
    bytes_.assign(std::istreambuf_iterator<char>(file), {});
  }

  std::vector<std::string> needed() const {
    const auto header = at<Elf64_Ehdr>(0);
    if (!header || !std::equal(ELFMAG, ELFMAG + SELFMAG, header->e_ident) ||
        header->e_ident[EI_CLASS] != ELFCLASS64) {
      return {};
    }
    std::vector<Elf64_Dyn> entries;
    for (std::uint64_t i = 0; i < header->e_phnum; ++i) {
      const auto part = at<Elf64_Phdr>(header->e_phoff + i * sizeof(Elf64_Phdr));
      if (!part || part->p_type != PT_DYNAMIC) continue;
      for (std::uint64_t offset = part->p_offset;; offset += sizeof(Elf64_Dyn)) {
        const auto entry = at<Elf64_Dyn>(offset);
        if (!entry || entry->d_tag == DT_NULL) break;
        entries.push_back(*entry);
      }
    }
    const auto names = std::ranges::find(entries, DT_STRTAB, &Elf64_Dyn::d_tag);
    if (names == entries.end()) return {};
    const auto names_offset = offset_of(*header, names->d_un.d_ptr);
    if (!names_offset) return {};
    std::vector<std::string> needed;
    for (const Elf64_Dyn& entry : entries) {
      if (entry.d_tag == DT_NEEDED) needed.push_back(text(*names_offset + entry.d_un.d_val));
    }
    return needed;
  }

 private:
  template <class Value>
  std::optional<Value> at(std::uint64_t offset) const {
    if (offset > bytes_.size() || bytes_.size() - offset < sizeof(Value)) return std::nullopt;
    Value value;
    std::copy_n(bytes_.data() + offset, sizeof(Value), reinterpret_cast<char*>(&value));
    return value;
  }

  std::string text(std::uint64_t offset) const {
    if (offset >= bytes_.size()) return "";
    const auto begin = bytes_.begin() + static_cast<std::ptrdiff_t>(offset);
    return std::string(begin, std::find(begin, bytes_.end(), '\0'));
  }

  // Where in the file lies what is loaded to an address.
  std::optional<std::uint64_t> offset_of(const Elf64_Ehdr& header, std::uint64_t address) const {
    for (std::uint64_t i = 0; i < header.e_phnum; ++i) {
      const auto part = at<Elf64_Phdr>(header.e_phoff + i * sizeof(Elf64_Phdr));
      if (part && part->p_type == PT_LOAD && address >= part->p_vaddr &&
          address - part->p_vaddr < part->p_filesz) {
        return part->p_offset + (address - part->p_vaddr);
      }
    }
    return std::nullopt;
  }

  std::vector<char> bytes_;
};

}  // namespace

LibraryPlaces LibraryPlaces::of_environment() {
  return {.named = environment_text("PENSTOCK_CUDA_LIBRARIES"),
          .virtual_env = environment_text("VIRTUAL_ENV"),
          .home = environment_text("HOME")};
}

std::vector<fs::path> named_library_folders(const LibraryPlaces& places) {
  std::vector<fs::path> folders;
  std::string_view rest = places.named;
  while (!rest.empty()) {
    const std::size_t colon = std::min(rest.find(':'), rest.size());
    if (colon > 0) folders.emplace_back(rest.substr(0, colon));
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return folders;
}

std::vector<fs::path> python_library_folders(const LibraryPlaces& places) {
  std::vector<fs::path> folders;
  if (!places.virtual_env.empty()) add_python_folders(places.virtual_env, folders);
  if (!places.home.empty()) add_python_folders(places.home / ".local", folders);
  for (const fs::path& prefix : places.prefixes) add_python_folders(prefix, folders);
  return folders;
}

std::vector<std::string> needed_libraries(const fs::path& library) {
  return ElfFile(library).needed();
}

std::vector<fs::path> load_needed_libraries(const fs::path& module,
                                            std::span<const fs::path> folders) {
  std::vector<fs::path> loaded;
  if (folders.empty()) return loaded;
  for (const std::string& name : needed_libraries(module)) {
    for (const fs::path& folder : folders) {
      const fs::path file = folder / name;
      std::error_code ignored;
      if (!fs::exists(file, ignored)) continue;
      if (dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL) == nullptr) continue;
      loaded.push_back(file);
      break;
    }
  }
  return loaded;
}

}  // namespace penstock::train
