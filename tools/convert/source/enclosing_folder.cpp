#include "tools/convert/source/enclosing_folder.h"

#include <string>

#include "tools/convert/source/dataset_layout.h"
#include "tools/convert/source/picture_extension.h"

namespace penstock::convert {

void drop_enclosing_folder(StoredFiles& files) {
  FolderScan& scan = files.scan;
  std::string top;
  bool has_folders_beneath = false;
  for (const std::string& folder : scan.folders) {
    const std::string first = folder.substr(0, folder.find('/'));
    if (!top.empty() && first != top) return;
    top = first;
    has_folders_beneath = has_folders_beneath || folder.size() > first.size();
  }
  if (top.empty() || split_of_folder_name(top)) return;
  const std::string prefix = top + '/';
  for (const ScannedFile& file : scan.files) {
    if (file.path.compare(0, prefix.size(), prefix) != 0) return;
    const bool lies_directly_in_it = file.path.find('/', prefix.size()) == std::string::npos;
    if (lies_directly_in_it && is_named_as_picture(file.path)) return;  // it is a class
  }
  if (!has_folders_beneath) return;
  std::erase(scan.folders, top);
  for (std::string& folder : scan.folders) folder.erase(0, prefix.size());
  for (ScannedFile& file : scan.files) file.path.erase(0, prefix.size());
  for (PassedOverFile& file : scan.passed_over) {
    if (file.path.starts_with(prefix)) file.path.erase(0, prefix.size());
  }
  // Unsafe names stay as the archive has them.
  for (QuarantineEntry& finding : files.findings) {
    const bool is_in_it =
        finding.path.starts_with(prefix) && finding.reason != ReasonCode::kUnsafePath;
    if (is_in_it) finding.path.erase(0, prefix.size());
  }
}

}  // namespace penstock::convert
