// The streamer as its embedder sees it, in one include. What it reaches is what is installed.
#pragma once

#include "streamer/core/batch.h"                 // what a batch is; a source of one's own
#include "streamer/core/batch_transform.h"       // whole batches changed on their way
#include "streamer/core/error.h"                 // what every call may throw
#include "streamer/core/memory_budget.h"         // memory as a number
#include "streamer/core/sample_transform.h"      // a transform of one's own
#include "streamer/core/stored_axes.h"           // and which way up a stored picture stands
#include "streamer/core/usable_cores.h"          // how many threads to ask for
#include "streamer/order/loader_state.h"         // where a stream goes on
#include "streamer/pipeline/chain_transform.h"   // two transforms, one after the other
#include "streamer/pipeline/epoch_batches.h"     // one epoch as a range
#include "streamer/pipeline/loader.h"            // shards in, batches out
#include "streamer/pipeline/loader_memory.h"     // what a loader will hold
#include "streamer/pipeline/loader_stats.h"      // where its time went
#include "streamer/pipeline/resize_transform.h"  // the built-in resize
#include "streamer/read/new_picture.h"           // pictures on their way into a dataset
#include "streamer/read/read_picture.h"          // one sample as pixels
#include "streamer/shard/dataset.h"              // a dataset on disk
#include "streamer/shard/dataset_writer.h"       // writing one
#include "streamer/shard/shard_writer.h"         // writing one of its shards
