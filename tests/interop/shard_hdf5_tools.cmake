# h5ls, h5dump and h5repack on a shard: what they show, and that what h5repack writes is read, extracted and
# repaired to the last byte. Says SKIPPED where hdf5-tools is not installed.
#
#   cmake -DPENSTOCK=penstock -DMAKER=penstock-fixtures -DFOLDER=build/x -P tests/interop/shard_hdf5_tools.cmake

foreach(tool h5ls h5dump h5repack)
  find_program(${tool} ${tool})
  if(NOT ${tool})
    message("SKIPPED: no ${tool} (Debian: hdf5-tools)")
    return()
  endif()
endforeach()

function(run_or_stop)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}: ${result}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(expect_exit_code expected)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL expected)
    message(FATAL_ERROR "${ARGN}: expected exit code ${expected}, found ${result}\n${said}")
  endif()
  set(said "${said}" PARENT_SCOPE)
endfunction()

function(expect_part part)
  string(FIND "${said}" "${part}" at)
  if(at EQUAL -1)
    message(FATAL_ERROR "expected '${part}' in\n${said}")
  endif()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
file(MAKE_DIRECTORY ${FOLDER})
run_or_stop(${MAKER} shapes ${FOLDER}/photos --train 40 --validation 10 --test 10)
run_or_stop(${PENSTOCK} convert ${FOLDER}/photos ${FOLDER}/d.ds --quiet)
set(shard ${FOLDER}/d.ds/train-00000.h5)

run_or_stop(${h5ls} ${shard})
foreach(part "class_names              Dataset {10}" "images                   Dataset {"
        "index                    Dataset {40}")
  expect_part("${part}")
endforeach()
# The labels of the first record, and the names of the classes in the order of their folders.
run_or_stop(${h5dump} -d /class_names ${shard})
expect_part("\"crescent\",")
expect_part("(9): \"triangle\"")
run_or_stop(${h5dump} -d /index -s 0 -c 1 ${shard})
expect_part("class_idx")
run_or_stop(${h5dump} -d /images -s 0 -c 3 ${shard})
expect_part("255, 216, 255")  # a JPEG's first bytes
run_or_stop(${h5dump} -a /split ${shard})
expect_part("\"train\"")

file(COPY ${shard} DESTINATION ${FOLDER}/as_converted)
set(rewrites "plain" "no_user_block")
foreach(rewrite IN LISTS rewrites)
  # h5repack copies the user block, unless it is given another: without one that holds, HDF5 alone leads.
  run_or_stop(${h5repack} ${FOLDER}/as_converted/train-00000.h5 ${shard}.new)
  file(RENAME ${shard}.new ${shard})
  if(rewrite STREQUAL "no_user_block")
    run_or_stop(dd if=/dev/zero of=${shard} bs=4096 count=1 conv=notrunc)
  endif()
  expect_exit_code(3 ${PENSTOCK} plan ${FOLDER}/d.ds)
  if(rewrite STREQUAL "plain")
    expect_part("penstock repair ${FOLDER}/d.ds")
  endif()
  expect_exit_code(3 ${PENSTOCK} verify ${FOLDER}/d.ds --json)
  expect_part("\"num_damaged_samples\": 0")
  run_or_stop(${PENSTOCK} extract ${FOLDER}/d.ds ${FOLDER}/again_${rewrite} --quiet)
  run_or_stop(diff -r ${FOLDER}/photos ${FOLDER}/again_${rewrite})
  run_or_stop(${PENSTOCK} repair ${FOLDER}/d.ds --remove-damaged --quiet)
  run_or_stop(cmp ${shard} ${FOLDER}/as_converted/train-00000.h5)
endforeach()

# Chunks and filters are not taken.
run_or_stop(${h5repack} -l images:CHUNK=1000 -f images:GZIP=1 ${FOLDER}/as_converted/train-00000.h5 ${shard}.new)
file(RENAME ${shard}.new ${shard})
run_or_stop(dd if=/dev/zero of=${shard} bs=4096 count=1 conv=notrunc)
expect_exit_code(3 ${PENSTOCK} verify ${FOLDER}/d.ds)
expect_part("expected contiguous bytes")
file(REMOVE_RECURSE ${FOLDER})
