// What the operating system allows this process. Called once, by main: a library never changes its
// user's limits or signals.
#pragma once

namespace penstock::tools {

/// Raises the limit of open files as far as it may be raised: every shard of a split stays open.
void raise_open_file_limit() noexcept;

/// Lets the allocator give freed blocks of 1 MiB and more back to the system at once, and keep few
/// heaps: what was freed then does not count as held. Blocks of pictures come and go on many threads.
///
/// Source  mallopt(3): M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, M_ARENA_MAX
void return_freed_memory() noexcept;

/// Makes a file above the limit of its size an error of the write instead of the process's end.
void ignore_file_size_signal() noexcept;

}  // namespace penstock::tools
