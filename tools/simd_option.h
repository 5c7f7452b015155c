// --simd NAME: which vector unit augmentation takes. Nothing of a run's identity: all give the same
// bytes.
#pragma once

namespace CLI {
class App;
}

namespace penstock::tools {

/// Adds the flag, which forces the vector unit as soon as it is read: before any thread starts.
void add_simd_option(CLI::App& command);

}  // namespace penstock::tools
