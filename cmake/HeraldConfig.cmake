# Herald for programs that are built by CMake:
#
#   find_package(Herald 0.1 REQUIRED COMPONENTS microhttpd sqlite)
#   target_link_libraries(service PRIVATE Herald::microhttpd Herald::sqlite)
#
# Herald::herald is the core, and needs no component. Each adapter that is installed is a component
# and a target, which brings the core. What the libraries need is in their .pc files, so this needs
# pkg-config (FindPkgConfig).

set(Herald_FOUND FALSE)
find_package(PkgConfig QUIET)
if(NOT PKG_CONFIG_FOUND)
  set(Herald_NOT_FOUND_MESSAGE "Herald needs pkg-config, which was not found.")
  return()
endif()

# The .pc files that were installed with this file come first. What is found stays in the cache of
# the build, so the names there are others for another place or version.
get_filename_component(_herald_pc "${CMAKE_CURRENT_LIST_DIR}/../../pkgconfig" ABSOLUTE)
set(_herald_path "$ENV{PKG_CONFIG_PATH}")
set(ENV{PKG_CONFIG_PATH} "${_herald_pc}:${_herald_path}")
string(MD5 _herald_id "${_herald_pc} ${Herald_VERSION}")
set(Herald_FOUND TRUE)
foreach(_herald_component herald ${Herald_FIND_COMPONENTS})
  if(_herald_component STREQUAL "herald")
    set(_herald_package "herald")
  else()
    set(_herald_package "herald-${_herald_component}")
  endif()
  set(_herald_found "Herald_${_herald_id}_${_herald_component}")
  pkg_check_modules(${_herald_found} QUIET IMPORTED_TARGET "${_herald_package}")
  set(Herald_${_herald_component}_FOUND ${${_herald_found}_FOUND})
  if(Herald_${_herald_component}_FOUND)
    if(NOT TARGET Herald::${_herald_component})
      add_library(Herald::${_herald_component} INTERFACE IMPORTED)
      target_link_libraries(Herald::${_herald_component}
        INTERFACE PkgConfig::${_herald_found})
    endif()
  elseif(_herald_component STREQUAL "herald" OR Herald_FIND_REQUIRED_${_herald_component})
    set(Herald_FOUND FALSE)
    string(APPEND Herald_NOT_FOUND_MESSAGE
      "pkg-config does not find ${_herald_package}, or what that needs. ")
  endif()
endforeach()
set(ENV{PKG_CONFIG_PATH} "${_herald_path}")
if(NOT Herald_FOUND)
  file(GLOB _herald_installed RELATIVE "${_herald_pc}" "${_herald_pc}/herald-*.pc")
  string(REGEX REPLACE "herald-([^;]*)\\.pc" "\\1" _herald_installed "${_herald_installed}")
  string(APPEND Herald_NOT_FOUND_MESSAGE "Installed components: ${_herald_installed}")
endif()
