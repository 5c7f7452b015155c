// A file that gives classes other names: ImageNet's synsets, the words behind whole numbers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/table/text_input.h"

namespace penstock::convert {

/// One line of the file.
struct ClassName {
  std::string key;   // what the source calls the class: "n01440764", "17"
  std::string name;  // what the dataset shall call it, UTF-8
  std::uint64_t line = 0;
};

/// Lines in one of these forms, which the first line decides:
///   key,name     comma, semicolon or tab; RFC 4180 quotes; a first line such as "wnid,name" is passed over
///   n01440764 tench, Tinca tinca     a synset, a space, its words
///   name         the keys are 0, 1, 2, ... in order; a comma before a space belongs to the name
struct ClassNameFile {
  std::string where;
  std::vector<ClassName> names;  // in the order of lines
  /// All keys are whole numbers: the classes are ordered by them, and none is left out.
  bool is_by_index = false;
};

/// Errors  CorruptData: a line of another form, a key or a name twice, an empty one; InvalidArgument: more
///         or longer names than a shard can hold; NotFound; Io
ClassNameFile read_class_names(const std::filesystem::path& path);
ClassNameFile read_class_names(TextInput input);

/// Names of the classes 0, 1, 2, ... for sources whose labels are numbers.
///
/// Errors  InvalidArgument: keys that are no numbers, a number left out, a name twice, more than
///         kMaxNumberedClasses
std::vector<std::string> names_by_index(const ClassNameFile& file);

/// Renames the classes of `scan`. By index: the classes are all that the file names, in the order of
/// their numbers, and a source may use names as well as numbers. By other keys: those of the source,
/// sorted by the bytes of their new names.
///
/// Errors  InvalidArgument: a class of the source that the file does not know, with the line of the table
///         that first uses it; two classes with one name
void rename_classes(SourceScan& scan, const ClassNameFile& file);

}  // namespace penstock::convert
