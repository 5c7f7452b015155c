#include "train/backend/onednn/parallel.h"

#include <omp.h>

#include <algorithm>

namespace penstock::train::onednn {

void run_parts(unsigned num_parts, void (*body)(void*, unsigned), void* context) {
  if (num_parts == 1) {
    body(context, 0);
    return;
  }
#pragma omp parallel num_threads(static_cast <int>(num_parts))
  {
    // A runtime may grant fewer threads than asked for; the parts stay the same.
    const auto step = static_cast<unsigned>(omp_get_num_threads());
    for (auto part = static_cast<unsigned>(omp_get_thread_num()); part < num_parts; part += step) {
      body(context, part);
    }
  }
}

ThreadScope::ThreadScope(unsigned num_threads) : before_(omp_get_max_threads()) {
  // oneDNN waits for all threads that it planned for, also for those above OMP_THREAD_LIMIT.
  omp_set_num_threads(std::min(static_cast<int>(num_threads), omp_get_thread_limit()));
}

ThreadScope::~ThreadScope() {
  omp_set_num_threads(before_);
}

}  // namespace penstock::train::onednn
