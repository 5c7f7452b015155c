// CIFAR-10 and CIFAR-100, binary version: records of one or two label bytes and 3,072 of pixels,
// 32 x 32, all of red, then green, then blue.
#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>

#include "tools/convert/source/picture_source.h"
#include "tools/convert/source/source_request.h"
#include "tools/convert/source/stored_files.h"

namespace penstock::convert {

enum class CifarKind : std::uint8_t { kCifar10, kCifar100 };

/// Tells by names and sizes, for the format has no signature: data_batch_*.bin and test_batch.bin are
/// CIFAR-10 (3,073 bytes a record), train.bin and test.bin CIFAR-100 (3,074), in one folder, when one
/// holds a record at least. Where there are other files than .txt and .html, at most 64, beside or above
/// them, one is to have whole records alone. Nothing for other files.
std::optional<CifarKind> find_cifar(const FolderScan& scan);

/// Lists the records of all batches as "data_batch_1/00017". Class names are those of
/// batches.meta.txt, fine_label_names.txt or coarse_label_names.txt beside the batches, else the
/// published ones. The test batch is the test split. Findings: unknown_label, and archive_truncated
/// for a batch that ends within a record, or is empty.
///
/// Errors  InvalidArgument: no record has a label that is known, a fraction for the test split, names
///         asked for that do not suffice; Io
/// Source  A. Krizhevsky, "The CIFAR-10 dataset", section "Binary version"
///         (https://www.cs.toronto.edu/~kriz/cifar.html)
SourceScan scan_cifar(StoredFiles files, CifarKind kind, const SourceRequest& request,
                      const std::stop_token& stop);

}  // namespace penstock::convert
