# Builds the streamer anew from its sources: inside another project by add_subdirectory, and as shared
# libraries that are installed and used by find_package and pkg-config.
#   cmake -DSOURCE=... -DFOLDER=... -DPROJECT=... -DGENERATOR=... -DCOMPILER=... -DFLAGS=...
#         -DCCACHE=... -P from_source.cmake
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

file(REMOVE_RECURSE ${FOLDER})
# Without precompiled headers ccache takes what the first build compiled into the second.
set(options -DPENSTOCK_PRECOMPILE=OFF -DPENSTOCK_WERROR=ON)

build_project(by_add_subdirectory -DPENSTOCK_SOURCE=${SOURCE} ${options})
run_ok(${FOLDER}/by_add_subdirectory/consumer "consumer")
# It leaves the project around it alone: nothing but the streamer, no tests, no install rules.
file(READ ${FOLDER}/by_add_subdirectory/CMakeCache.txt cache)
foreach(foreign BUILD_TESTING CCACHE: Boost_ DNNL_ OPENCV_)
  if(cache MATCHES "\n${foreign}")
    message(FATAL_ERROR "the cache of the project around: expected no ${foreign}, found it")
  endif()
endforeach()
run(said "install the project around"
    ${CMAKE_COMMAND} --install ${FOLDER}/by_add_subdirectory --prefix ${FOLDER}/nothing)
if(EXISTS ${FOLDER}/nothing)
  message(FATAL_ERROR "installing the project around: expected nothing of Penstock, found some")
endif()

set(project ${PROJECT})
set(PROJECT ${SOURCE})
set(prefix ${FOLDER}/prefix)
build_project(shared -DBUILD_SHARED_LIBS=ON -DPENSTOCK_TRAIN=OFF ${options})
set(PROJECT ${project})
run(said "install" ${CMAKE_COMMAND} --install ${FOLDER}/shared --prefix ${prefix})
check_headers(${prefix}/include/penstock)

# Who compiles against shared libraries needs no other package: none is found, none is missed.
build_project(by_find_package -DCMAKE_PREFIX_PATH=${prefix} -DPENSTOCK_COMPONENTS=streamer
              -DCMAKE_DISABLE_FIND_PACKAGE_TBB=ON -DCMAKE_DISABLE_FIND_PACKAGE_PkgConfig=ON)
run_ok(${FOLDER}/by_find_package/consumer "consumer")
check_pkgconfig(${prefix})

# Only Penstock's own names leave them.
find_program(NM nm)
file(GLOB libraries ${prefix}/lib*/libpenstock_*.so ${prefix}/lib*/*/libpenstock_*.so)
list(LENGTH libraries num_libraries)
if(NOT num_libraries EQUAL 2)
  message(FATAL_ERROR "shared libraries: expected core and streamer, found: ${libraries}")
endif()
foreach(library IN LISTS libraries)
  if(NOT NM)
    message("SKIPPED: nm is not there")
    break()
  endif()
  run(symbols "nm" ${NM} -D --defined-only --format=posix ${library})
  string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
  list(LENGTH symbols num_symbols)
  list(FILTER symbols EXCLUDE REGEX "8penstock")
  if(num_symbols LESS 50 OR NOT symbols STREQUAL "")
    message(FATAL_ERROR "${library}: expected Penstock's own names, found ${num_symbols} and among "
                        "them: ${symbols}")
  endif()
  message(STATUS "${library}: ${num_symbols} names: ok")
endforeach()
file(REMOVE_RECURSE ${FOLDER})
