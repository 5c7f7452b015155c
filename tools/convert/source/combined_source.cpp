#include "tools/convert/source/combined_source.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <system_error>
#include <utility>

#include "streamer/core/batch.h"
#include "streamer/core/error.h"
#include "tools/named_folder.h"
#include "tools/terminal.h"

namespace penstock::convert {
namespace {

struct NamedSource {
  std::string name;
  std::unique_ptr<const PictureSource> source;
};

class CombinedSource final : public PictureSource {
 public:
  explicit CombinedSource(std::vector<NamedSource> sources) : sources_(std::move(sources)) {}

  void read(const ListedPicture& picture, SourcePicture& into) const override {
    ListedPicture own = picture;
    source_of(own).read(own, into);
  }

  void read_start(const ListedPicture& picture, std::size_t num_bytes,
                  SourcePicture& into) const override {
    ListedPicture own = picture;
    source_of(own).read_start(own, num_bytes, into);
  }

  std::string where(const ListedPicture& picture) const override {
    ListedPicture own = picture;
    return source_of(own).where(own);
  }

  std::uint64_t memory_bytes() const override {
    std::uint64_t bytes = 0;
    for (const NamedSource& one : sources_) bytes += one.source->memory_bytes();
    return bytes;
  }

 private:
  // Takes the source's name off the picture's.
  const PictureSource& source_of(ListedPicture& picture) const {
    const std::size_t slash = picture.name.find('/');
    const std::string_view name = picture.name.substr(0, slash);
    for (const NamedSource& one : sources_) {
      if (one.name != name) continue;
      picture.name.remove_prefix(slash + 1);
      return *one.source;
    }
    throw Error(ErrorCode::kInternal, "a picture of combined sources has the name of one of them");
  }

  std::vector<NamedSource> sources_;
};

class Combination {
 public:
  explicit Combination(std::vector<NamedScan> scans) : scans_(std::move(scans)) {}

  SourceScan run() {
    merge_classes();
    std::vector<NamedSource> sources;
    std::vector<std::string> names;
    std::vector<std::string> descriptions;
    for (NamedScan& one : scans_) {
      names.push_back(tools::printable(one.name));
      descriptions.push_back(fmt::format("{}: {}", names.back(), one.scan.description));
      add_pictures(one);
      add_findings(one);
      sources.push_back({one.name, std::move(one.scan.source)});
      one.scan = {};  // its list is not needed any more
    }
    all_.settings["sources"] = fmt::format("{}", fmt::join(names, ", "));
    all_.description = fmt::format("{}", fmt::join(descriptions, "; "));
    all_.source = std::make_unique<CombinedSource>(std::move(sources));
    return std::move(all_);
  }

 private:
  void merge_classes() {
    for (const NamedScan& one : scans_) {
      all_.class_names.insert(all_.class_names.end(), one.scan.class_names.begin(),
                              one.scan.class_names.end());
    }
    std::ranges::sort(all_.class_names);
    all_.class_names.erase(std::unique(all_.class_names.begin(), all_.class_names.end()),
                           all_.class_names.end());
    all_.class_where.resize(all_.class_names.size());
  }

  std::vector<std::uint32_t> map_classes(const NamedScan& one) {
    std::vector<std::uint32_t> new_idx;
    for (std::size_t i = 0; i < one.scan.class_names.size(); ++i) {
      const auto at = std::ranges::lower_bound(all_.class_names, one.scan.class_names[i]);
      new_idx.push_back(static_cast<std::uint32_t>(at - all_.class_names.begin()));
      std::string& where = all_.class_where[new_idx.back()];
      if (!where.empty()) continue;
      where = one.scan.class_where.empty() ? one.name : one.name + ": " + one.scan.class_where[i];
    }
    return new_idx;
  }

  void add_pictures(const NamedScan& one) {
    const std::vector<std::uint32_t> new_idx = map_classes(one);
    std::string name = one.name + '/';
    const std::size_t prefix_bytes = name.size();
    for (std::size_t i = 0; i < one.scan.pictures.size(); ++i) {
      ListedPicture picture = one.scan.pictures[i];
      name.resize(prefix_bytes);
      name += picture.name;
      picture.name = name;
      if (picture.class_idx != kUnlabelled) picture.class_idx = new_idx[picture.class_idx];
      all_.pictures.add(picture);
    }
  }

  void add_findings(NamedScan& one) {
    const std::string prefix = one.name + '/';
    for (QuarantineEntry& finding : one.scan.findings) {
      finding.path.insert(0, prefix);
      all_.findings.push_back(std::move(finding));
    }
    for (QuarantineEntry& entry : one.scan.passed_over) {
      entry.path.insert(0, prefix);
      all_.passed_over.push_back(std::move(entry));
    }
    std::ranges::move(one.scan.files, std::back_inserter(all_.files));
    all_.names_are_numbers = all_.names_are_numbers || one.scan.names_are_numbers;
    for (const std::string& name : one.scan.whole_archives) {
      all_.whole_archives.push_back(prefix + name);
    }
    for (const std::string& path : one.scan.unreadable) all_.unreadable.push_back(prefix + path);
    for (const std::string& text : one.scan.warnings) {
      all_.warnings.push_back(fmt::format("{}: {}", tools::printable(one.name), text));
    }
    for (const auto& [key, value] : one.scan.settings) {
      all_.settings[tools::printable(one.name) + "." + key] = value;
    }
    all_.skipped.num_hidden += one.scan.skipped.num_hidden;
    all_.skipped.num_system += one.scan.skipped.num_system;
    all_.skipped.num_symlinks += one.scan.skipped.num_symlinks;
    all_.skipped.num_special += one.scan.skipped.num_special;
    all_.num_outside += one.scan.num_outside;
  }

  std::vector<NamedScan> scans_;
  SourceScan all_;
};

}  // namespace

std::vector<std::string> source_names(std::span<const std::filesystem::path> paths) {
  std::vector<std::string> names;
  std::set<std::string> taken;
  for (const std::filesystem::path& path : paths) {
    // "." and "photos/" have names too.
    std::error_code none;  // a path of /proc may have no canonical one
    std::filesystem::path full = std::filesystem::weakly_canonical(path, none);
    if (none) full = std::filesystem::absolute(path);
    full = full.lexically_normal();
    const std::string own = tools::named_folder(full).filename();
    const std::string first = own.empty() ? "source" : own;
    std::string name = first;
    for (int number = 2; !taken.insert(name).second; ++number) {
      name = first + "-" + std::to_string(number);
    }
    names.push_back(name);
  }
  return names;
}

SourceScan combine_scans(std::vector<NamedScan> scans, SourceNames names) {
  if (scans.size() == 1 && names == SourceNames::kWhereSeveral)
    return std::move(scans.front().scan);
  return Combination(std::move(scans)).run();
}

}  // namespace penstock::convert
