# Installs this build into a folder of its own and uses it from there: by find_package, with the
# examples as a second project, and by pkg-config.
#   cmake -DBUILD=... -DFOLDER=... -DPROJECT=... -DEXAMPLES=... -DGENERATOR=... -DCOMPILER=...
#         -DFLAGS=... -DCCACHE=... -P installed.cmake
include(${CMAKE_CURRENT_LIST_DIR}/steps.cmake)

file(REMOVE_RECURSE ${FOLDER})
set(prefix ${FOLDER}/prefix)
run(said "install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${prefix})
check_headers(${prefix}/include/penstock)
# Moved away from where it was installed to: nothing may remember that place.
file(RENAME ${prefix} ${FOLDER}/moved)
set(prefix ${FOLDER}/moved)

run(version "the installed program" ${prefix}/bin/penstock --version)
if(NOT version MATCHES "penstock ")
  message(FATAL_ERROR "penstock --version: expected a version, found: ${version}")
endif()
build_project(by_find_package -DCMAKE_PREFIX_PATH=${prefix}
              "-DPENSTOCK_COMPONENTS=streamer augment train")
run_ok(${FOLDER}/by_find_package/consumer "consumer")
run_ok(${FOLDER}/by_find_package/train_consumer "train consumer")
check_pkgconfig(${prefix})

set(PROJECT ${EXAMPLES})
build_project(examples -DCMAKE_PREFIX_PATH=${prefix})
run(said "an example" ${FOLDER}/examples/write_dataset ${FOLDER}/stripes)
run(said "an embedded run" ${FOLDER}/examples/embedded_run ${FOLDER}/stripes ${FOLDER}/run)
if(NOT said MATCHES "\n3 epochs, 30 steps\n")
  message(FATAL_ERROR "embedded_run: expected 3 epochs of 10 steps, found: ${said}")
endif()

# A component that there is not: find_package says which there are.
execute_process(
  COMMAND ${CMAKE_COMMAND} -S ${CMAKE_CURRENT_LIST_DIR}/project -B ${FOLDER}/no_such -G ${GENERATOR}
          -DCMAKE_PREFIX_PATH=${prefix} -DPENSTOCK_COMPONENTS=turbine
  RESULT_VARIABLE failure OUTPUT_QUIET ERROR_VARIABLE err)
string(REGEX REPLACE "[ \n]+" " " err "${err}")
if(NOT failure OR NOT err MATCHES "no component turbine, it has: core;streamer;augment;train;run")
  message(FATAL_ERROR "find_package of a component turbine: expected a refusal, found: ${err}")
endif()
file(REMOVE_RECURSE ${FOLDER})
