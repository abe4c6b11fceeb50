# Finds wolfSSL and checks that it has what livetls needs.
#
#   WolfSSL_ROOT               where to look, and nowhere else; empty: where the system keeps its libraries
#
#   WolfSSL::wolfssl           the target to link
#   WolfSSL_VERSION            of the headers
#   WolfSSL_IS_FAST            compiled with assembly
#   WolfSSL_MIDDLEBOX_COMPAT   its TLS 1.3 server looks like TLS 1.2 to middleboxes (RFC 8446, D.4)
#
# wolfSSL's structures depend on the switches that it was compiled with. They are recorded in <wolfssl/options.h>:
# include that before any other header of wolfSSL.

include(CheckCXXSourceCompiles)
include(FindPackageHandleStandardArgs)
find_package(Threads REQUIRED)

# What an earlier configuration found elsewhere does not count.
if(NOT "${WolfSSL_ROOT}" STREQUAL "${WolfSSL_ROOT_OF_LAST_SEARCH}")
  unset(WolfSSL_INCLUDE_DIR CACHE)
  unset(WolfSSL_LIBRARY CACHE)
endif()
set(WolfSSL_ROOT_OF_LAST_SEARCH "${WolfSSL_ROOT}" CACHE INTERNAL "")

if(WolfSSL_ROOT)
  set(_wolfssl_where PATHS ${WolfSSL_ROOT} NO_DEFAULT_PATH)
endif()
find_path(WolfSSL_INCLUDE_DIR wolfssl/options.h PATH_SUFFIXES include ${_wolfssl_where})
find_library(WolfSSL_LIBRARY NAMES wolfssl PATH_SUFFIXES lib lib64 ${_wolfssl_where})
mark_as_advanced(WolfSSL_INCLUDE_DIR WolfSSL_LIBRARY)
unset(_wolfssl_where)

if(WolfSSL_INCLUDE_DIR)
  file(STRINGS ${WolfSSL_INCLUDE_DIR}/wolfssl/version.h _wolfssl_version REGEX "LIBWOLFSSL_VERSION_STRING")
  string(REGEX REPLACE ".*\"([0-9.]+).*" "\\1" WolfSSL_VERSION "${_wolfssl_version}")
  file(STRINGS ${WolfSSL_INCLUDE_DIR}/wolfssl/options.h _wolfssl_options REGEX "^#define")
  unset(_wolfssl_version)
endif()

# Whether wolfSSL was compiled with a switch.
function(_wolfssl_option name result)
  if("${_wolfssl_options}" MATCHES "#define ${name}(;|$| )")
    set(${result} TRUE PARENT_SCOPE)
  else()
    set(${result} FALSE PARENT_SCOPE)
  endif()
endfunction()

# Compiles and links `statement` against the library; the answer is kept for as long as the library is the same.
function(_wolfssl_probe variable statement)
  set(CMAKE_REQUIRED_INCLUDES ${WolfSSL_INCLUDE_DIR})
  set(CMAKE_REQUIRED_LIBRARIES ${WolfSSL_LIBRARY} m Threads::Threads)
  set(CMAKE_REQUIRED_QUIET ON)
  _wolfssl_sanitizer(CMAKE_REQUIRED_FLAGS)
  check_cxx_source_compiles("
    #include <wolfssl/options.h>
    #include <wolfssl/ssl.h>
    int main() { ${statement}; }" ${variable})
  set(${variable} ${${variable}} PARENT_SCOPE)
endfunction()

# An instrumented library links only together with its sanitizer's runtime.
function(_wolfssl_sanitizer result)
  set(${result} "" PARENT_SCOPE)
  if(EXISTS ${WolfSSL_ROOT}/livetls-wolfssl.txt)
    file(STRINGS ${WolfSSL_ROOT}/livetls-wolfssl.txt flags REGEX "-fsanitize=")
    if(flags MATCHES "-fsanitize=[a-z]+")
      set(${result} ${CMAKE_MATCH_0} PARENT_SCOPE)
    endif()
  endif()
endfunction()

# What livetls needs. One program tries all of it; only if that fails, one for each finds out what is missing.
set(_wolfssl_needs "SNI" "TLS 1.3" "switching certificates (wolfSSL_set_SSL_CTX, --enable-opensslall)"
    "session tickets" "ALPN")
set(_wolfssl_probes
  "wolfSSL_CTX_set_servername_callback(nullptr, nullptr), wolfSSL_UseSNI(nullptr, WOLFSSL_SNI_HOST_NAME, nullptr, 0)"
  "wolfTLSv1_3_server_method(), wolfSSL_CTX_SetMinVersion(nullptr, WOLFSSL_TLSV1_3)"
  "wolfSSL_set_SSL_CTX(nullptr, nullptr)"
  "wolfSSL_CTX_set_TicketEncCb(nullptr, nullptr)"
  "wolfSSL_UseALPN(nullptr, nullptr, 0, 0)")

function(_wolfssl_check_needs missing)
  string(MD5 key "${WolfSSL_LIBRARY} ${WolfSSL_VERSION}")
  list(JOIN _wolfssl_probes ", " everything)
  _wolfssl_probe(WolfSSL_HAS_ALL_${key} "${everything}")
  if(WolfSSL_HAS_ALL_${key})
    return()
  endif()
  foreach(need probe IN ZIP_LISTS _wolfssl_needs _wolfssl_probes)
    string(MAKE_C_IDENTIFIER "WolfSSL_HAS_${need}_${key}" variable)
    _wolfssl_probe(${variable} "${probe}")
    if(NOT ${variable})
      list(APPEND found_missing "${need}")
    endif()
  endforeach()
  list(JOIN found_missing ", " found_missing)
  set(${missing} "${WolfSSL_LIBRARY} lacks: ${found_missing}" PARENT_SCOPE)
endfunction()

if(WolfSSL_INCLUDE_DIR AND WolfSSL_LIBRARY)
  _wolfssl_check_needs(_wolfssl_missing)
  if(_wolfssl_missing)
    set(WolfSSL_USABLE FALSE)
  else()
    set(WolfSSL_USABLE TRUE)
  endif()
  _wolfssl_option("WOLFSSL_SP_(X86_64|ARM64)_ASM" WolfSSL_IS_FAST)
  _wolfssl_option(WOLFSSL_TLS13_MIDDLEBOX_COMPAT WolfSSL_MIDDLEBOX_COMPAT)
  # Before 5.7 the switch exists but the server never does it.
  if(WolfSSL_VERSION VERSION_LESS 5.7)
    set(WolfSSL_MIDDLEBOX_COMPAT FALSE)
  endif()
endif()

find_package_handle_standard_args(WolfSSL
  REQUIRED_VARS WolfSSL_LIBRARY WolfSSL_INCLUDE_DIR WolfSSL_USABLE
  VERSION_VAR WolfSSL_VERSION
  REASON_FAILURE_MESSAGE "${_wolfssl_missing}")

if(WolfSSL_FOUND AND NOT TARGET WolfSSL::wolfssl)
  add_library(WolfSSL::wolfssl UNKNOWN IMPORTED)
  set_target_properties(WolfSSL::wolfssl PROPERTIES
    IMPORTED_LOCATION ${WolfSSL_LIBRARY}
    INTERFACE_INCLUDE_DIRECTORIES ${WolfSSL_INCLUDE_DIR}
    INTERFACE_LINK_LIBRARIES "Threads::Threads;m")
endif()
