# Finds every package once; when some are missing, stops with the one line that installs them.
# Package names are those of Debian 12; Ubuntu 24.04 uses the same (looked up, not tried).

# A project that adds this one links its libraries in folders that do not see what is found here.
set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
find_package(PkgConfig QUIET)
set(PENSTOCK_MISSING "")

# Notes the package that would bring what was not found: any of the variables in the list `found`.
macro(penstock_need found debian_package)
  foreach(penstock_variable ${found})
    if(NOT ${penstock_variable})
      list(APPEND PENSTOCK_MISSING ${debian_package})
    endif()
  endforeach()
endmacro()

# Finds a library by pkg-config, as target PkgConfig::<prefix>. Whoever links an installed Penstock
# finds it by the same module (install.cmake).
macro(penstock_need_pkgconfig prefix module debian_package)
  set(PENSTOCK_MODULE_${prefix} ${module})
  if(PKG_CONFIG_FOUND)
    pkg_check_modules(${prefix} QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
  penstock_need(${prefix}_FOUND ${debian_package})
endmacro()

penstock_need(PKG_CONFIG_FOUND pkg-config)
find_package(Threads REQUIRED)

# The streamer.
penstock_need_pkgconfig(LIBJPEG libjpeg libjpeg-dev)
penstock_need_pkgconfig(LIBPNG libpng libpng-dev)
penstock_need_pkgconfig(HDF5 hdf5-serial libhdf5-dev)
penstock_need_pkgconfig(XXHASH libxxhash libxxhash-dev)
find_package(TBB QUIET CONFIG)
penstock_need(TBB_FOUND libtbb-dev)
find_package(nlohmann_json QUIET CONFIG)
penstock_need(nlohmann_json_FOUND nlohmann-json3-dev)

# The sources of a conversion and its decoders, which are fuzzed.
if(PENSTOCK_TRAIN OR PENSTOCK_FUZZ)
  penstock_need_pkgconfig(LIBARCHIVE libarchive libarchive-dev)
  penstock_need_pkgconfig(ZLIB zlib zlib1g-dev)
  penstock_need_pkgconfig(LIBTIFF "libtiff-4>=4.5" libtiff-dev)
  penstock_need_pkgconfig(LIBWEBP libwebp libwebp-dev)
  penstock_need_pkgconfig(LIBGIF "libgif>=5.2" libgif-dev)
  penstock_need_pkgconfig(TOMLPLUSPLUS tomlplusplus libtomlplusplus-dev)
  find_package(fmt QUIET CONFIG)
  penstock_need(fmt_FOUND libfmt-dev)
endif()

if(PENSTOCK_TRAIN)
  # By file: Debian's dnnl-config.cmake asks for OpenCL's development files, which are not needed.
  find_path(DNNL_INCLUDE dnnl.hpp)
  find_library(DNNL_LIBRARY dnnl)
  penstock_need("DNNL_LIBRARY;DNNL_INCLUDE" libdnnl-dev)
  if(DNNL_LIBRARY AND DNNL_INCLUDE)
    add_library(penstock_dnnl INTERFACE IMPORTED GLOBAL)
    target_include_directories(penstock_dnnl SYSTEM INTERFACE ${DNNL_INCLUDE})
    target_link_libraries(penstock_dnnl INTERFACE ${DNNL_LIBRARY})
  endif()
  penstock_need_pkgconfig(HWY libhwy libhwy-dev)
  find_package(CLI11 QUIET CONFIG)
  penstock_need(CLI11_FOUND libcli11-dev)
  # Part of g++; clang takes LLVM's.
  find_package(OpenMP QUIET COMPONENTS CXX)
  penstock_need(OpenMP_CXX_FOUND libomp-dev)

  # Only core and imgproc: Debian's package with the CMake configuration (libopencv-dev) brings
  # several hundred others. Imgcodecs, which loads 120 libraries, is for the tests alone.
  find_path(OPENCV_CORE_INCLUDE opencv2/core.hpp PATH_SUFFIXES opencv4)
  find_path(OPENCV_IMGPROC_INCLUDE opencv2/imgproc.hpp PATH_SUFFIXES opencv4)
  foreach(module core imgproc)
    find_library(OPENCV_${module} opencv_${module})
  endforeach()
  penstock_need("OPENCV_core;OPENCV_CORE_INCLUDE" libopencv-core-dev)
  penstock_need("OPENCV_imgproc;OPENCV_IMGPROC_INCLUDE" libopencv-imgproc-dev)
  if(OPENCV_CORE_INCLUDE AND OPENCV_IMGPROC_INCLUDE AND OPENCV_imgproc AND OPENCV_core)
    add_library(penstock_opencv INTERFACE)
    target_include_directories(penstock_opencv SYSTEM INTERFACE ${OPENCV_CORE_INCLUDE})
    target_link_libraries(penstock_opencv INTERFACE ${OPENCV_imgproc} ${OPENCV_core})
  endif()
endif()

# HDF5's shared library brings libcurl and all that it needs. What is carried takes the archive, which the same
# package has.
if(PENSTOCK_CARRIED AND HDF5_FOUND)
  foreach(archive hdf5_serial sz aec z)
    find_library(PENSTOCK_${archive}_ARCHIVE NAMES lib${archive}.a REQUIRED)
    list(APPEND penstock_hdf5_archives ${PENSTOCK_${archive}_ARCHIVE})
  endforeach()
  set_target_properties(PkgConfig::HDF5 PROPERTIES
    INTERFACE_LINK_LIBRARIES "${penstock_hdf5_archives};${CMAKE_DL_LIBS}")
endif()

include(tools/cmake/cuda.cmake)

if(PENSTOCK_TESTS)
  find_package(Boost QUIET COMPONENTS unit_test_framework OPTIONAL_COMPONENTS context)
  penstock_need(Boost_UNIT_TEST_FRAMEWORK_FOUND libboost-test-dev)
  if(PENSTOCK_HAVE_CUDA)
    penstock_need(Boost_CONTEXT_FOUND libboost-context-dev)
  endif()
  if(PENSTOCK_TRAIN)
    find_path(OPENCV_IMGCODECS_INCLUDE opencv2/imgcodecs.hpp PATH_SUFFIXES opencv4)
    find_library(OPENCV_imgcodecs opencv_imgcodecs)
    penstock_need("OPENCV_imgcodecs;OPENCV_IMGCODECS_INCLUDE" libopencv-imgcodecs-dev)
    if(OPENCV_IMGCODECS_INCLUDE AND OPENCV_imgcodecs AND TARGET penstock_opencv)
      add_library(penstock_opencv_codecs INTERFACE)
      target_link_libraries(penstock_opencv_codecs INTERFACE ${OPENCV_imgcodecs} penstock_opencv)
    endif()
  endif()
endif()

if(PENSTOCK_MISSING)
  list(REMOVE_DUPLICATES PENSTOCK_MISSING)
  list(JOIN PENSTOCK_MISSING " " packages)
  message(FATAL_ERROR "Packages are missing. Install them with\n"
                      "  sudo apt-get install --no-install-recommends ${packages}")
endif()

# ONNX is optional: `penstock export` says what is missing. By file: Debian's ONNXConfig.cmake leaves protobuf
# to whoever asks.
set(PENSTOCK_HAVE_ONNX OFF)
if(PENSTOCK_TRAIN AND NOT PENSTOCK_ONNX STREQUAL "OFF")
  find_path(ONNX_INCLUDE onnx/onnx_pb.h)
  find_library(ONNX_PROTO_LIBRARY onnx_proto)
  find_path(PROTOBUF_INCLUDE google/protobuf/message.h)
  find_library(PROTOBUF_LIBRARY protobuf)
  if(ONNX_INCLUDE AND ONNX_PROTO_LIBRARY AND PROTOBUF_INCLUDE AND PROTOBUF_LIBRARY)
    set(PENSTOCK_HAVE_ONNX ON)
    add_library(penstock_onnx_proto INTERFACE)
    target_include_directories(penstock_onnx_proto SYSTEM INTERFACE ${ONNX_INCLUDE} ${PROTOBUF_INCLUDE})
    target_compile_definitions(penstock_onnx_proto INTERFACE ONNX_NAMESPACE=onnx ONNX_ML=1)
    target_link_libraries(penstock_onnx_proto INTERFACE ${ONNX_PROTO_LIBRARY} ${PROTOBUF_LIBRARY})
  elseif(PENSTOCK_ONNX STREQUAL "ON")
    message(FATAL_ERROR "PENSTOCK_ONNX=ON: libonnx and libprotobuf were not both found. Install them with\n"
                        "  sudo apt-get install --no-install-recommends libonnx-dev libprotobuf-dev\n"
                        "or configure with -DPENSTOCK_ONNX=AUTO")
  endif()
endif()
message(STATUS "ONNX files: ${PENSTOCK_HAVE_ONNX}")
