#include "tools/command_list.h"

#include "tools/convert/image/codec_versions.h"

namespace penstock::tools {

std::span<const AddCommand> commands() {
  return kCommands;
}

std::vector<std::pair<std::string, std::string>> conversion_codecs() {
  return convert::codec_versions();
}

}  // namespace penstock::tools
