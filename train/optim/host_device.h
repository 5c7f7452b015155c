// Marks functions that a kernel on a GPU may call too. The only macro of this folder: the attributes
// are CUDA's and no host compiler knows them.
#pragma once

#ifdef __CUDACC__
#define PENSTOCK_HOST_DEVICE __host__ __device__
#else
#define PENSTOCK_HOST_DEVICE
#endif
