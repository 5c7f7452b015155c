# What the consumer tests have in common.
cmake_minimum_required(VERSION 3.24)

# Runs a command; a failure ends the test with all that it said. `result` gets its stdout.
function(run result what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE failure OUTPUT_VARIABLE out ERROR_VARIABLE err)
  if(failure)
    message(FATAL_ERROR "${what}: expected exit code 0, found ${failure}:\n${out}\n${err}")
  endif()
  set(${result} "${out}" PARENT_SCOPE)
endfunction()

# Runs a program that says "NAME: ok" when it is.
function(run_ok program name)
  run(said "run ${program}" ${program})
  if(NOT said STREQUAL "${name}: ok\n")
    message(FATAL_ERROR "${program}: expected \"${name}: ok\", found:\n${said}")
  endif()
  message(STATUS "${program}: ok")
endfunction()

if(NOT CCACHE)
  set(CCACHE "")  # CCACHE-NOTFOUND
endif()

# Configures and builds the consumer project in FOLDER/<name> with the arguments given.
function(build_project name)
  run(said "configure ${name}" ${CMAKE_COMMAND} -S ${PROJECT} -B ${FOLDER}/${name} -G ${GENERATOR}
      -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_CXX_FLAGS=${FLAGS}
      -DCMAKE_CXX_COMPILER_LAUNCHER=${CCACHE} ${ARGN})
  run(said "build ${name}" ${CMAKE_COMMAND} --build ${FOLDER}/${name} --parallel 2)
endfunction()

# What an installed header includes must be of the standard library or installed beside it: nobody
# needs another library's headers to compile against Penstock.
function(check_headers include_folder)
  file(GLOB_RECURSE headers RELATIVE ${include_folder} ${include_folder}/*)
  list(LENGTH headers num_headers)
  if(num_headers LESS 20 OR NOT "streamer/streamer.h" IN_LIST headers)
    message(FATAL_ERROR "${include_folder}: expected the public headers, found: ${headers}")
  endif()
  foreach(header IN LISTS headers)
    file(STRINGS ${include_folder}/${header} lines REGEX "^[ \t]*#[ \t]*include")
    foreach(line IN LISTS lines)
      string(REGEX MATCH "[\"<].*" name "${line}")
      string(REGEX REPLACE "^\"([^\"]*)\".*" "\\1" neighbour "${name}")
      if(name MATCHES "^<[a-z_]+>" OR neighbour IN_LIST headers)
        continue()
      endif()
      message(FATAL_ERROR "${header}: expected includes of installed headers and of the standard "
                          "library only, found: ${line}")
    endforeach()
  endforeach()
  foreach(internal streamer/shard/hdf5_layout.h streamer/pipeline/batch_graph.h
          streamer/read/jpeg_decoder.h train/run/run_setup.h train/store/checkpoint_reader.h
          tools/command.h)
    if(internal IN_LIST headers)
      message(FATAL_ERROR "${internal}: expected no internal header installed, found it")
    endif()
  endforeach()
  message(STATUS "${num_headers} headers: ok")
endfunction()

# Compiles a program with nothing but what pkg-config says of a library.
function(build_by_pkgconfig library source prefix)
  file(GLOB_RECURSE pc ${prefix}/*/${library}.pc)
  cmake_path(GET pc PARENT_PATH pc_folder)
  run(flags "pkg-config" ${CMAKE_COMMAND} -E env PKG_CONFIG_PATH=${pc_folder}
      ${PKG_CONFIG} --cflags --libs ${library})
  separate_arguments(flags UNIX_COMMAND "${flags}")
  separate_arguments(compile UNIX_COMMAND "${FLAGS}")
  cmake_path(GET pc_folder PARENT_PATH lib_folder)
  run(said "compile by pkg-config" ${COMPILER} -std=c++20 ${compile} ${source}
      -o ${FOLDER}/by_${library} ${flags} -Wl,-rpath,${lib_folder})
endfunction()

# Starts an example without its arguments: it links and loads.
function(check_usage library example)
  execute_process(COMMAND ${FOLDER}/by_${library} RESULT_VARIABLE code OUTPUT_VARIABLE out)
  if(NOT code EQUAL 2 OR NOT out MATCHES "usage: ${example}")
    message(FATAL_ERROR "${example}: expected its usage and 2, found ${code}: ${out}")
  endif()
endfunction()

# By pkg-config: the consumer, and where there are examples one of each other component.
function(check_pkgconfig prefix)
  find_program(PKG_CONFIG pkg-config)
  if(NOT PKG_CONFIG)
    message("SKIPPED: pkg-config is not there")
    return()
  endif()
  build_by_pkgconfig(penstock-streamer ${PROJECT}/consumer.cpp ${prefix})
  run_ok(${FOLDER}/by_penstock-streamer "consumer")
  if(EXAMPLES)
    build_by_pkgconfig(penstock-augment ${EXAMPLES}/own_transform.cpp ${prefix})
    check_usage(penstock-augment own_transform)
    build_by_pkgconfig(penstock-train ${EXAMPLES}/own_operation_and_loss.cpp ${prefix})
    run(said "an example of the trainer" ${FOLDER}/by_penstock-train 1)
    build_by_pkgconfig(penstock-run ${EXAMPLES}/embedded_run.cpp ${prefix})
    check_usage(penstock-run embedded_run)
  endif()
endfunction()
