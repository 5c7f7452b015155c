// dataset.json as text: the one place of the streamer that knows JSON. Types and presence of fields
// are checked here, their meaning in manifest.cpp.
#pragma once

#include <string>

#include "streamer/shard/manifest.h"

namespace penstock {

inline constexpr int kManifestVersion = 1;

/// Formats the document: fixed key order, two spaces of indent, checksum last.
///
/// Errors  InvalidArgument when a text is not UTF-8
std::string manifest_to_json(const Manifest& manifest);

/// Parses the document; keys it does not know are ignored. `where` names the file in messages.
///
/// Errors  CorruptData naming field, expected and found; Unsupported for a newer format
Manifest manifest_from_json(const std::string& text, const std::string& where);

}  // namespace penstock
