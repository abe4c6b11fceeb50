# Finds the wolfSSL that LIVETLS_WOLFSSL names, and says at the end of the configuration which one it is.

# Where the library compiled by cmake/build_wolfssl is; stops where it has not been compiled yet.
function(livetls_tuned_wolfssl_prefix result)
  set(command ${PROJECT_SOURCE_DIR}/cmake/build_wolfssl)
  set(arguments "")
  if(LIVETLS_SANITIZE)
    set(arguments --sanitize ${LIVETLS_SANITIZE})
  endif()
  # Other switches there mean another library here.
  set_property(DIRECTORY ${PROJECT_SOURCE_DIR} APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${command})
  execute_process(COMMAND ${command} --print-prefix ${arguments}
    OUTPUT_VARIABLE prefix OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE status)
  if(NOT status EQUAL 0)
    list(JOIN arguments " " arguments)
    message(FATAL_ERROR
      "The tuned wolfSSL has not been compiled on this machine yet. Either\n"
      "    ./dev setup                        installs what is missing and compiles it (about a minute)\n"
      "    cmake/build_wolfssl ${arguments}\n"
      "                                       only compiles it\n"
      "    -DLIVETLS_WOLFSSL=system           uses the packaged library, which is slower\n"
      "    -DLIVETLS_WOLFSSL=/its/prefix      uses another one")
  endif()
  set(${result} ${prefix} PARENT_SCOPE)
endfunction()

if(LIVETLS_WOLFSSL STREQUAL "tuned")
  livetls_tuned_wolfssl_prefix(WolfSSL_ROOT)
elseif(LIVETLS_WOLFSSL STREQUAL "system")
  set(WolfSSL_ROOT "")
else()
  set(WolfSSL_ROOT ${LIVETLS_WOLFSSL})
endif()
find_package(WolfSSL 5.5.4 REQUIRED)

# For what includes wolfSSL's headers beside the provider: livetls_of_wolfssl(... livetls_wolfssl) chooses.
add_library(livetls_wolfssl INTERFACE)
target_link_libraries(livetls_wolfssl INTERFACE WolfSSL::wolfssl)
if(LIVETLS_SYSTEM_TOO)
  find_library(LIVETLS_SYSTEM_WOLFSSL wolfssl REQUIRED)
  add_library(livetls_wolfssl_system INTERFACE)
  target_link_libraries(livetls_wolfssl_system INTERFACE ${LIVETLS_SYSTEM_WOLFSSL})
endif()

function(livetls_wolfssl_summary)
  set(speed "not tuned: no assembly, handshakes cost about twice as much")
  if(WolfSSL_IS_FAST)
    set(speed "fast: with assembly")
  endif()
  set(middlebox "no (some middleboxes may drop TLS 1.3; RFC 8446, D.4)")
  if(WolfSSL_MIDDLEBOX_COMPAT)
    set(middlebox "yes")
  endif()
  message(STATUS "wolfSSL ${WolfSSL_VERSION} (${LIVETLS_WOLFSSL}): ${WolfSSL_LIBRARY}")
  message(STATUS "  speed:                 ${speed}")
  message(STATUS "  middlebox-compatible:  ${middlebox}")
endfunction()
