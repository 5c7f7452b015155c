#include "tools/left_out_files.h"

#include <algorithm>

#include "streamer/core/number_text.h"
#include "tools/convert/image/picture_reasons.h"
#include "tools/terminal.h"

namespace penstock::tools {

void LeftOutFiles::add(const std::string& path, const std::string& why) {
  ++count_;
  auto& names = convert::has_picture_extension(path) ? like_pictures_ : others_;
  if (names.size() == kMaxNamed) return;
  names.push_back(printable(path) + (why.empty() ? "" : " (" + why + ")"));
}

std::string LeftOutFiles::text() const {
  std::vector<std::string> names = like_pictures_;
  names.insert(names.end(), others_.begin(), others_.end());
  names.resize(std::min(names.size(), kMaxNamed));
  std::string text = count_ == 1 ? "1 file that is no picture"
                                 : format_count(count_) + " files that are no pictures";
  for (const std::string& name : names) text += (&name == names.data() ? ": " : ", ") + name;
  if (count_ > names.size()) text += " and " + format_count(count_ - names.size()) + " more";
  return text;
}

}  // namespace penstock::tools
