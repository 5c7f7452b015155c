# Builds a fuzz target for libFuzzer in a folder of its own and runs it for SECONDS; says SKIPPED where
# there is no clang with libFuzzer.
#
#   cmake -DTARGET=shard_fuzz -DMAX_BYTES=8192 -DSOURCE=. -DFOLDER=build/fuzz -DGENERATOR=Ninja
#         -DSECONDS=10 -P tests/fuzz/run_fuzz.cmake

function(run_or_stop)
  execute_process(COMMAND ${ARGV} RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${ARGV}\n${said}")
  endif()
endfunction()

find_program(CLANG NAMES clang++ clang++-18 clang++-17 clang++-16 clang++-15 clang++-14)
set(probe ${FOLDER}/probe)
file(WRITE ${probe}.cpp "extern \"C\" int LLVMFuzzerTestOneInput(const char*, unsigned long) { return 0; }")
if(CLANG)
  execute_process(COMMAND ${CLANG} -fsanitize=fuzzer,address,undefined ${probe}.cpp -o ${probe}
                  RESULT_VARIABLE has_no_libfuzzer OUTPUT_QUIET ERROR_QUIET)
endif()
if(NOT CLANG OR has_no_libfuzzer)
  message("SKIPPED: no clang++ with libFuzzer (Debian: clang, Ubuntu: clang and libclang-rt-18-dev)")
  return()
endif()

run_or_stop(${CMAKE_COMMAND} -S ${SOURCE} -B ${FOLDER} -G ${GENERATOR} -DCMAKE_CXX_COMPILER=${CLANG}
            -DPENSTOCK_FUZZ=ON -DPENSTOCK_TRAIN=OFF)
run_or_stop(${CMAKE_COMMAND} --build ${FOLDER} --target ${TARGET})

# A corpus from before is gone on with: each run starts where the last one came to.
file(MAKE_DIRECTORY ${FOLDER}/${TARGET}-corpus)
# An input takes milliseconds and a few MiB.
execute_process(
  COMMAND ${FOLDER}/${TARGET} ${FOLDER}/${TARGET}-corpus -max_total_time=${SECONDS}
          -max_len=${MAX_BYTES} -timeout=10 -rss_limit_mb=1024 -artifact_prefix=${FOLDER}/ -print_final_stats=1 -verbosity=1
  RESULT_VARIABLE result OUTPUT_VARIABLE said ERROR_VARIABLE said)
string(REGEX MATCHALL "stat::[^\n]*|Done [^\n]*" summary "${said}")
string(REPLACE ";" "\n" summary "${summary}")
message("${summary}")
if(NOT result EQUAL 0)
  message(FATAL_ERROR "${said}")
endif()
