// The trainer as its embedder sees it, in one include. What it reaches is what is installed.
#pragma once

#include "train/backend/backend.h"             // a graph lowered and run on a device
#include "train/backend/initial_params.h"      // initial weights, drawn on several threads
#include "train/graph/custom_operation.h"      // an operation of one's own
#include "train/graph/model_file.h"            // networks from TOML
#include "train/graph/model_graph.h"           // networks layer by layer
#include "train/graph/model_zoo.h"             // networks by name
#include "train/loop/initial_weights.h"        // weights to begin with
#include "train/loop/model_weights.h"          // weights in and out
#include "train/loop/program_set.h"            // the programs of a training run
#include "train/loop/trainer.h"                // passes over the data
#include "train/loop/training_checkpoints.h"   // stored between two steps, and gone on from
#include "train/loss/custom_loss.h"            // a loss of one's own
#include "train/metrics/label_counts.h"        // several labels, decided at thresholds
#include "train/metrics/label_ranking.h"       // and over all thresholds: mAP, ROC AUC
#include "train/metrics/metric_table.h"        // what an evaluation measures
#include "train/metrics/regression_metrics.h"  // errors of numbers
#include "train/optim/optimizer_config.h"      // optimizers
#include "train/optim/schedule.h"              // and their learning rates
#include "train/store/safetensors.h"           // files of weights
