// What the programs of one device share, owned by the backend.
#pragma once

#include <vector>

#include "train/backend/cuda/device_inputs.h"
#include "train/backend/cuda/device_transfer.h"
#include "train/backend/cuda/kernel_table.h"
#include "train/backend/cuda/step_tickets.h"

namespace penstock::train::cuda {

class ProductLibrary;

struct DeviceParts {
  DeviceParts(DeviceApi& device_api, const KernelTable& kernel_table, ProductLibrary& library)
      : api(device_api),
        kernels(kernel_table),
        products(library),
        stream(make_stream(device_api)),
        inputs(device_api, stream.get()),
        transfer(device_api, stream.get()),
        runs(device_api, stream.get()),
        updates(device_api, stream.get()) {}

  DeviceApi& api;
  const KernelTable& kernels;
  ProductLibrary& products;
  UniqueStream stream;  // all computation, in order
  DeviceInputs inputs;
  DeviceTransfer transfer;
  StepTickets<RunReportBlock> runs;
  StepTickets<UpdateReportBlock> updates;
};

}  // namespace penstock::train::cuda
