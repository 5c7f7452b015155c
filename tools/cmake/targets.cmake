# One way to make every library and every test of the tree.

set(PENSTOCK_WARNINGS -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion)
if(PENSTOCK_WERROR)
  list(APPEND PENSTOCK_WARNINGS -Werror)
endif()

# Adds penstock_<name>, known outside as penstock::<name>. Includes are written from the root.
function(penstock_add_library name)
  cmake_parse_arguments(ARG "" "" "SOURCES;HEADERS" ${ARGN})
  set(target penstock_${name})
  add_library(${target} STATIC ${ARG_SOURCES})
  add_library(penstock::${name} ALIAS ${target})
  target_sources(${target} PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}
                 FILES ${ARG_HEADERS})
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_compile_options(${target} PRIVATE ${PENSTOCK_WARNINGS})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name})
endfunction()

# Command line, JSON and reports run once: optimising their templates took a third of the build.
function(penstock_compile_quickly target)
  set_property(SOURCE ${ARGN} TARGET_DIRECTORY ${target} APPEND PROPERTY COMPILE_OPTIONS -O1)
endfunction()

# Makes what all test programs share: their main, and Boost.Test's header, precompiled: it costs more
# than most tests. Compiled as for a program, or no program could use the header.
function(penstock_add_test_main)
  add_library(penstock_test_main OBJECT ${PROJECT_SOURCE_DIR}/tests/test_main.cpp)
  set_target_properties(penstock_test_main PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(penstock_test_main PRIVATE -fPIE)
  target_precompile_headers(penstock_test_main PRIVATE <boost/test/unit_test.hpp>)
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
  # Far above the slowest: a test that hangs must not hold the others up.
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()

# Tests that work through many pixels themselves. The header was precompiled without optimising.
function(penstock_optimise_tests)
  if(PENSTOCK_QUICK_TEST_BUILD)
    set_source_files_properties(${ARGN} PROPERTIES COMPILE_OPTIONS -O2 SKIP_PRECOMPILE_HEADERS ON)
  endif()
endfunction()
