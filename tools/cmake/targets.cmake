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

# Adds the test program test_<name>, one ctest entry. Boost.Test's header is precompiled: it costs
# more than most tests.
function(penstock_add_test name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(test_${name} ${PROJECT_SOURCE_DIR}/tests/test_main.cpp ${ARG_SOURCES})
  set_source_files_properties(${PROJECT_SOURCE_DIR}/tests/test_main.cpp
                              PROPERTIES SKIP_PRECOMPILE_HEADERS ON)
  target_precompile_headers(test_${name} PRIVATE <boost/test/unit_test.hpp>)
  target_include_directories(test_${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_options(test_${name} PRIVATE ${PENSTOCK_WARNINGS})
  target_compile_definitions(test_${name} PRIVATE BOOST_TEST_DYN_LINK)
  target_link_libraries(test_${name} PRIVATE ${ARG_LIBRARIES} Boost::unit_test_framework)
  add_test(NAME ${name} COMMAND test_${name} --color_output=no)
  # Far above the slowest: a test that hangs must not hold the others up.
  set_tests_properties(${name} PROPERTIES TIMEOUT 300)
endfunction()
