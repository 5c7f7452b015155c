# One way to make every library and every test of the tree.

set(PENSTOCK_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(PENSTOCK_WERROR)
  list(APPEND PENSTOCK_WARNINGS -Werror)
endif()

# What most files include of the standard library, read once for many of them: a third of the time
# that the libraries take to compile. The preset asan does without, so a missing #include shows there.
set(PENSTOCK_PRECOMPILED
    <algorithm> <array> <cstdint> <cstring> <filesystem> <functional> <map> <memory> <optional> <span>
    <string> <string_view> <utility> <variant> <vector>)

# Adds penstock_<name>, known outside as penstock::<name>. Includes are written from the root.
# INSTALLED is part of what others build on: a shared library with BUILD_SHARED_LIBS, and HEADERS are
# installed; headers that only the tree itself may include stand among SOURCES. PRECOMPILED says whose precompiled headers it uses: those of core (the default), its OWN because its
# compile options differ, or NONE where every option must be in force as it stands.
function(penstock_add_library name)
  cmake_parse_arguments(ARG "INSTALLED" "PRECOMPILED" "SOURCES;HEADERS" ${ARGN})
  set(target penstock_${name})
  if(ARG_INSTALLED)
    add_library(${target} ${ARG_SOURCES})
    set_property(GLOBAL APPEND PROPERTY PENSTOCK_INSTALLED ${name})
    penstock_prepare_shared(${target})
  else()
    add_library(${target} STATIC ${ARG_SOURCES})
  endif()
  add_library(penstock::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                 FILES ${ARG_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${PENSTOCK_WARNINGS})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
  if(NOT PENSTOCK_PRECOMPILE OR ARG_PRECOMPILED STREQUAL "NONE")
    return()
  endif()
  if(ARG_PRECOMPILED STREQUAL "OWN")
    target_precompile_headers(${target} PRIVATE ${PENSTOCK_PRECOMPILED})
  else()
    target_precompile_headers(${target} REUSE_FROM penstock_core)
  endif()
endfunction()

# What matters of a library only where it is shared.
function(penstock_prepare_shared target)
  get_target_property(type ${target} TYPE)
  if(NOT type STREQUAL "SHARED_LIBRARY")
    return()
  endif()
  set(script ${PROJECT_SOURCE_DIR}/tools/cmake/exported_symbols.map)
  target_link_options(${target} PRIVATE -Wl,--version-script=${script})
  # Sources stay compatible, binaries only within a minor version. Without a symbol of its own it can
  # use core's precompiled headers.
  set_target_properties(${target} PROPERTIES
    LINK_DEPENDS ${script} DEFINE_SYMBOL "" INSTALL_RPATH "$ORIGIN"
    VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}.${PROJECT_VERSION_MINOR})
endfunction()

# Command line, JSON and reports run once: optimising their templates took a third of the build.
function(penstock_compile_quickly target)
  set_property(SOURCE ${ARGN} TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_OPTIONS -O1)
endfunction()

# Makes what all test programs share: their main, and precompiled headers, of which Boost.Test's costs
# more than most tests. Compiled as for a program, or no program could use them.
function(penstock_add_test_main)
  add_library(penstock_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
  set_target_properties(penstock_test_main PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(penstock_test_main PRIVATE -fPIE)
  target_precompile_headers(penstock_test_main PRIVATE
    <boost/test/unit_test.hpp> <array> <filesystem> <fstream> <optional> <span> <thread>)
  penstock_compile_as_test(penstock_test_main)
endfunction()

function(penstock_compile_as_test target)
  target_compile_options(${target} PRIVATE ${PENSTOCK_WARNINGS})
  if(PENSTOCK_QUICK_TEST_BUILD)
    target_compile_options(${target} PRIVATE -O0)
  endif()
  target_compile_definitions(${target} PRIVATE BOOST_TEST_DYN_LINK)
  target_link_libraries(${target} PRIVATE Boost::unit_test_framework)
endfunction()

# Adds the test program test_<name>, one ctest entry.
function(penstock_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(test_${name} ${ARG_SOURCES})
  penstock_compile_as_test(test_${name})
  target_precompile_headers(test_${name} REUSE_FROM penstock_test_main)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(test_${name} PRIVATE penstock_test_main ${ARG_LIBRARIES})
  add_test(NAME ${name} COMMAND test_${name} --color_output=no)
  # Far above the slowest: a test that hangs must not hold the others up. OpenMP threads that spin
  # while they wait take the cores from the tests beside them. Where a GPU answers, runs compute on the CPU
  # all the same, but for tests that name a module.
  set_tests_properties(${name} PROPERTIES
    TIMEOUT 300 ENVIRONMENT "OMP_WAIT_POLICY=passive;PENSTOCK_CUDA_MODULE=none")
endfunction()

# Tests that work through many pixels themselves. Headers were precompiled without optimising.
function(penstock_optimise_tests)
  if(PENSTOCK_QUICK_TEST_BUILD)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
