# The streamer alone asks for none of the trainer's packages: in a new folder the cache, which names
# all that was looked for, holds none of them. A folder that was configured with the trainer can be
# configured again without it.
#   cmake -DSOURCE=... -DFOLDER=... -DGENERATOR=... -P streamer_alone.cmake

function(configure_with_train train)
  execute_process(
    COMMAND ${CMAKE_COMMAND} -S ${SOURCE} -B ${FOLDER} -G ${GENERATOR} -DPENSTOCK_CUDA=OFF
            -DPENSTOCK_TRAIN=${train}
    RESULT_VARIABLE failure
    OUTPUT_VARIABLE output
    ERROR_VARIABLE output)
  if(failure)
    message(FATAL_ERROR "PENSTOCK_TRAIN=${train}: expected a configured tree, found:\n${output}")
  endif()
endfunction()

# Fails unless the trainer's packages are all in the cache (`there` is ON) or none is (OFF).
function(expect_trainer_packages there)
  file(READ ${FOLDER}/CMakeCache.txt cache)
  foreach(package DNNL HWY TOMLPLUSPLUS LIBARCHIVE CLI11 fmt OpenMP OPENCV LIBTIFF LIBWEBP LIBGIF Boost)
    set(is_there OFF)
    if(cache MATCHES "\n${package}_")
      set(is_there ON)
    endif()
    if(NOT is_there STREQUAL there)
      message(FATAL_ERROR "${package} in the cache: expected ${there}, found ${is_there}")
    endif()
  endforeach()
endfunction()

file(REMOVE_RECURSE ${FOLDER})
configure_with_train(OFF)
expect_trainer_packages(OFF)
configure_with_train(ON)
expect_trainer_packages(ON)
configure_with_train(OFF)
