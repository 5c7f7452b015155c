// Lines of the journal as JSON and back: the one place here that knows JSON.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tools/convert/write/journal.h"

namespace penstock::convert {

std::string journal_head_text(const JournalHead& head);
std::string journal_shard_text(const JournalShard& shard);

/// Nothing when the text is no head, or one of another format.
std::optional<JournalHead> parse_journal_head(std::string_view text);
/// Nothing when the text is no shard.
std::optional<JournalShard> parse_journal_shard(std::string_view text);

}  // namespace penstock::convert
