# CUDA is optional: the module is built when all of it is found, left out when not. PENSTOCK_CUDA=ON stops
# instead, with every part that is missing.
include_guard(GLOBAL)

# Of cudnn-frontend, which has headers only. Another 1.x may do.
set(PENSTOCK_TESTED_CUDNN_FRONTEND 1.23.0)

set(PENSTOCK_HAVE_CUDA OFF)
if(NOT PENSTOCK_TRAIN OR PENSTOCK_CUDA STREQUAL "OFF")
  message(STATUS "CUDA module: OFF")
  return()
endif()

set(penstock_missing_cuda "")

find_package(CUDAToolkit QUIET)
if(NOT CUDAToolkit_FOUND OR NOT CUDAToolkit_NVCC_EXECUTABLE OR NOT TARGET CUDA::cublasLt OR NOT TARGET CUDA::nvrtc)
  string(APPEND penstock_missing_cuda
    "\n  the CUDA Toolkit with nvcc, cuBLAS and NVRTC, 12.4 or newer: NVIDIA's package cuda-toolkit")
elseif(CUDAToolkit_VERSION VERSION_LESS 12.4)
  string(APPEND penstock_missing_cuda
    "\n  the CUDA Toolkit 12.4 or newer (found: ${CUDAToolkit_VERSION}): NVIDIA's package cuda-toolkit")
endif()

find_path(CUDNN_INCLUDE cudnn.h HINTS ${CUDAToolkit_INCLUDE_DIRS})
find_library(CUDNN_LIBRARY cudnn HINTS ${CUDAToolkit_LIBRARY_DIR})
if(NOT CUDNN_INCLUDE OR NOT CUDNN_LIBRARY)
  string(APPEND penstock_missing_cuda
    "\n  cuDNN 9 (cudnn.h: ${CUDNN_INCLUDE}, libcudnn: ${CUDNN_LIBRARY}): NVIDIA's package cudnn9-cuda-13, "
    "or the one of the toolkit's version")
endif()

# Where a distribution puts it, tools/install_cudnn_frontend.sh, or pip below any prefix.
set(penstock_python_prefixes ${CMAKE_PREFIX_PATH} $ENV{VIRTUAL_ENV} /usr/local /usr)
set(penstock_python_includes "")
foreach(prefix ${penstock_python_prefixes})
  file(GLOB found ${prefix}/lib/python3*/site-packages/include ${prefix}/lib/python3*/dist-packages/include)
  list(APPEND penstock_python_includes ${found})
endforeach()
find_path(CUDNN_FRONTEND_INCLUDE cudnn_frontend.h
  HINTS ${PROJECT_SOURCE_DIR}/build/cudnn_frontend/include ${CUDNN_INCLUDE}
  PATHS ${penstock_python_includes}
  DOC "Folder of cudnn_frontend.h")
set(penstock_frontend_version "")
if(CUDNN_FRONTEND_INCLUDE AND EXISTS ${CUDNN_FRONTEND_INCLUDE}/cudnn_frontend_version.h)
  file(STRINGS ${CUDNN_FRONTEND_INCLUDE}/cudnn_frontend_version.h penstock_lines
       REGEX "define CUDNN_FRONTEND_(MAJOR|MINOR|PATCH)_VERSION +[0-9]+")
  list(TRANSFORM penstock_lines REPLACE ".*_VERSION +([0-9]+).*" "\\1")
  list(JOIN penstock_lines "." penstock_frontend_version)
endif()
if(NOT penstock_frontend_version MATCHES "^1\\.[0-9]+\\.[0-9]+$")
  string(APPEND penstock_missing_cuda
    "\n  the headers of cudnn-frontend ${PENSTOCK_TESTED_CUDNN_FRONTEND} (cudnn_frontend.h: "
    "${CUDNN_FRONTEND_INCLUDE} ${penstock_frontend_version}): tools/install_cudnn_frontend.sh brings them; "
    "elsewhere, -DCUDNN_FRONTEND_INCLUDE=FOLDER")
elseif(NOT penstock_frontend_version STREQUAL PENSTOCK_TESTED_CUDNN_FRONTEND)
  message(WARNING "cudnn-frontend ${penstock_frontend_version} was found; "
                  "${PENSTOCK_TESTED_CUDNN_FRONTEND} is the one that is tested")
endif()

if(penstock_missing_cuda STREQUAL "")
  # An nvcc that does not accept the host's compiler counts as none.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    set(ENV{CUDACXX} ${CUDAToolkit_NVCC_EXECUTABLE})
  endif()
  include(CheckLanguage)
  check_language(CUDA)
  if(NOT CMAKE_CUDA_COMPILER)
    string(APPEND penstock_missing_cuda
      "\n  an nvcc that works with the host's compiler (${CUDAToolkit_NVCC_EXECUTABLE} does not; "
      "-DCMAKE_CUDA_HOST_COMPILER=g++-12 names another one)")
  endif()
endif()

if(penstock_missing_cuda STREQUAL "")
  set(PENSTOCK_HAVE_CUDA ON)
  # Turing, Ampere and Hopper as machine code; what is newer translates Hopper's PTX.
  if(NOT DEFINED CMAKE_CUDA_ARCHITECTURES)
    set(CMAKE_CUDA_ARCHITECTURES 75-real 80-real 90)
  endif()
  if(PROJECT_IS_TOP_LEVEL AND CCACHE AND NOT CMAKE_CUDA_COMPILER_LAUNCHER)
    set(CMAKE_CUDA_COMPILER_LAUNCHER ${CCACHE})
  endif()
  enable_language(CUDA)
  # CMake 3.25 does not know that nvcc has C++20.
  if(NOT DEFINED CMAKE_CUDA20_STANDARD_COMPILE_OPTION)
    set(CMAKE_CUDA20_STANDARD_COMPILE_OPTION -std=c++20)
    set(CMAKE_CUDA20_EXTENSION_COMPILE_OPTION -std=c++20)
  endif()
  # CMake's own are -O2 and no assertions with debug information; kernels are for -O3.
  set(CMAKE_CUDA_FLAGS_RELWITHDEBINFO -O3)
  set(CMAKE_CUDA_FLAGS_RELEASE "-O3 -DNDEBUG")
  set(CMAKE_CUDA_STANDARD 20)
  set(CMAKE_CUDA_STANDARD_REQUIRED ON)
  set(CMAKE_CUDA_EXTENSIONS OFF)
  message(STATUS "CUDA module: ON (CUDA ${CUDAToolkit_VERSION}, cudnn-frontend ${penstock_frontend_version})")
elseif(PENSTOCK_CUDA STREQUAL "ON")
  message(FATAL_ERROR "PENSTOCK_CUDA=ON: the CUDA module needs what is missing here:${penstock_missing_cuda}\n"
                      "Install it, or configure with -DPENSTOCK_CUDA=AUTO")
else()
  message(STATUS "CUDA module: OFF, for want of:${penstock_missing_cuda}")
endif()
