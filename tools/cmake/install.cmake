# What `cmake --install` puts where. Read last, when every library knows what it links.

include(GNUInstallDirs)
include(CMakePackageConfigHelpers)
get_property(PENSTOCK_INSTALLED GLOBAL PROPERTY PENSTOCK_INSTALLED)
set(PENSTOCK_PACKAGE_DIR ${CMAKE_INSTALL_LIBDIR}/cmake/penstock)

# Lists what the program that links a static penstock_<name> has to link too. A shared one has
# brought it.
function(penstock_link_needs name result)
  get_target_property(type penstock_${name} TYPE)
  set(needs "")
  if(type STREQUAL "STATIC_LIBRARY")
    get_target_property(needs penstock_${name} LINK_LIBRARIES)
    # Its own libraries are exported; what is only included is not needed; ::@ is CMake's own mark.
    list(FILTER needs EXCLUDE REGEX "^penstock::|^\\$<BUILD_INTERFACE:|^::@")
    list(REMOVE_DUPLICATES needs)
  endif()
  set(${result} ${needs} PARENT_SCOPE)
endfunction()

# Lists the other components that penstock_<name> links.
function(penstock_own_needs name result)
  get_target_property(needs penstock_${name} LINK_LIBRARIES)
  list(FILTER needs INCLUDE REGEX "^penstock::")
  list(TRANSFORM needs REPLACE "^penstock::" "")
  set(${result} ${needs} PARENT_SCOPE)
endfunction()

# The line of penstockConfig.cmake that finds a target again. One that is not known here would fail in
# somebody else's build.
function(penstock_find_line need result)
  set(line "")
  if(need MATCHES "^PkgConfig::(.+)$")
    set(line "penstock_find_module(${CMAKE_MATCH_1} ${PENSTOCK_MODULE_${CMAKE_MATCH_1}})")
  elseif(need STREQUAL "TBB::tbb")
    set(line "find_dependency(TBB CONFIG)")
  elseif(need STREQUAL "Threads::Threads")
    set(line "find_dependency(Threads)")
  elseif(need STREQUAL "OpenMP::OpenMP_CXX")
    set(line "find_dependency(OpenMP COMPONENTS CXX)")
  elseif(need STREQUAL "penstock_dnnl")
    set(line "penstock_find_dnnl()")
  elseif(NOT need STREQUAL CMAKE_DL_LIBS)
    message(FATAL_ERROR "install: ${need}: expected a target that penstock_find_line knows. Add the "
                        "line that finds it to tools/cmake/install.cmake")
  endif()
  set(${result} "${line}" PARENT_SCOPE)
endfunction()

# The name under which pkg-config or the linker knows a target of ours.
function(penstock_pkgconfig_names need modules libraries)
  if(need MATCHES "^PkgConfig::(.+)$")
    set(${modules} "${${modules}} ${PENSTOCK_MODULE_${CMAKE_MATCH_1}}" PARENT_SCOPE)
  elseif(need STREQUAL "TBB::tbb")
    set(${modules} "${${modules}} tbb" PARENT_SCOPE)
  elseif(need STREQUAL "Threads::Threads")
    set(${libraries} "${${libraries}} -pthread" PARENT_SCOPE)
  elseif(need STREQUAL "OpenMP::OpenMP_CXX")
    set(${libraries} "${${libraries}} ${OpenMP_CXX_FLAGS}" PARENT_SCOPE)
  elseif(need STREQUAL "penstock_dnnl")
    set(${libraries} "${${libraries}} -ldnnl" PARENT_SCOPE)
  elseif(need STREQUAL CMAKE_DL_LIBS)
    set(${libraries} "${${libraries}} -l${CMAKE_DL_LIBS}" PARENT_SCOPE)
  else()
    message(FATAL_ERROR "install: ${need}: expected a target that penstock_pkgconfig_names knows")
  endif()
endfunction()

# Headers lie in include/penstock and are included from there by the paths they have in the tree:
# "streamer/pipeline/loader.h".
set(PENSTOCK_FIND_LINES "")
foreach(name IN LISTS PENSTOCK_INSTALLED)
  install(TARGETS penstock_${name} EXPORT penstock_${name}
          FILE_SET HEADERS DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}/penstock)
  install(EXPORT penstock_${name} NAMESPACE penstock:: FILE penstock_${name}.cmake
          DESTINATION ${PENSTOCK_PACKAGE_DIR})
  penstock_own_needs(${name} components)
  string(APPEND PENSTOCK_FIND_LINES "set(penstock_components_of_${name} ${components})\n")
  penstock_link_needs(${name} needs)
  string(APPEND PENSTOCK_FIND_LINES "macro(penstock_find_needs_of_${name})\n")
  foreach(need IN LISTS needs)
    penstock_find_line(${need} line)
    if(line)
      string(APPEND PENSTOCK_FIND_LINES "  ${line}\n")
    endif()
  endforeach()
  string(APPEND PENSTOCK_FIND_LINES "endmacro()\n")
endforeach()

configure_package_config_file(tools/cmake/penstockConfig.cmake.in
  ${PROJECT_BINARY_DIR}/generated/penstockConfig.cmake INSTALL_DESTINATION ${PENSTOCK_PACKAGE_DIR})
# Sources stay compatible within a minor version until 1.0.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/generated/penstockConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/generated/penstockConfig.cmake
              ${PROJECT_BINARY_DIR}/generated/penstockConfigVersion.cmake
        DESTINATION ${PENSTOCK_PACKAGE_DIR})

# By where the file lies, so that `cmake --install --prefix` may put it anywhere.
file(RELATIVE_PATH PENSTOCK_PREFIX_FROM_PC
     ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})

# penstock-NAME.pc of these libraries, with what they need beside `requires`.
function(penstock_install_pkgconfig PENSTOCK_PC_NAME requires)
  set(PENSTOCK_PC_REQUIRES "${requires}")
  set(PENSTOCK_PC_LIBS "")
  foreach(name IN LISTS ARGN)
    string(APPEND PENSTOCK_PC_LIBS " -lpenstock_${name}")
  endforeach()
  foreach(name IN LISTS ARGN)
    penstock_link_needs(${name} needs)
    foreach(need IN LISTS needs)
      penstock_pkgconfig_names(${need} PENSTOCK_PC_REQUIRES PENSTOCK_PC_LIBS)
    endforeach()
  endforeach()
  set(file ${PROJECT_BINARY_DIR}/generated/penstock-${PENSTOCK_PC_NAME}.pc)
  configure_file(tools/cmake/penstock-library.pc.in ${file} @ONLY)
  install(FILES ${file} DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endfunction()

penstock_install_pkgconfig(streamer "" streamer core)
if(augment IN_LIST PENSTOCK_INSTALLED)
  penstock_install_pkgconfig(augment " penstock-streamer" augment)
endif()
if(train IN_LIST PENSTOCK_INSTALLED)
  penstock_install_pkgconfig(train " penstock-streamer" train)
endif()
if(run IN_LIST PENSTOCK_INSTALLED)
  penstock_install_pkgconfig(run " penstock-train penstock-augment penstock-streamer" run)
endif()
