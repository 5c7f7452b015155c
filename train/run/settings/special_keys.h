// Keys of a run file that are more than one member of the settings, or another text than its type's:
// how each is read and written. The list is run_keys.cpp.
#pragma once

#include "train/run/settings/run_keys.h"

namespace penstock::train {

/// A model named here replaces the layers of the settings below.
ReadKey read_model;
WriteKey write_model;

/// One side, or "HxW".
ReadKey read_image_size;
WriteKey write_image_size;

/// Samples, or "all".
ReadKey read_batch_size;
WriteKey write_batch_size;

// What is left to the planner is not written.
ReadKey read_micro_batch;
WriteKey write_micro_batch;
ReadKey read_recompute;
WriteKey write_recompute;
ReadKey read_auto_batch;
WriteKey write_auto_batch;

/// Another optimizer brings its usual rate, decay and momentum; what all of them read stays.
ReadKey read_optimizer;
WriteKey write_optimizer;

/// Another schedule brings its usual gamma.
ReadKey read_schedule;
WriteKey write_schedule;

/// Numbers, one for each class, or "balanced"; "none" for what leaving the key out means.
ReadKey read_class_weights;
WriteKey write_class_weights;

/// Written for the order that has a window.
ReadKey read_window;
WriteKey write_window;

ReadKey read_memory;
WriteKey write_memory;
ReadKey read_memory_gpu;
WriteKey write_memory_gpu;

/// A text such as "2h30m", or a number of minutes; 0 for none.
ReadKey read_max_time;
WriteKey write_max_time;

/// Sets all of the augmentation.
ReadKey read_preset;
/// A preset is written as what it stands for.
WriteKey write_nothing;

}  // namespace penstock::train
