# How livetls' own code is compiled. Nothing here reaches a project that only uses livetls.

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)  # for clang-tidy and editors
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

  find_program(LIVETLS_CCACHE ccache)
  if(LIVETLS_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER ${LIVETLS_CCACHE})
  endif()
endif()

set(livetls_sanitize_flags "")
if(LIVETLS_SANITIZE STREQUAL "address")
  # vptr: it looks at memory through a pipe, and takes a shortage of descriptors, which a test makes, for a broken object.
  set(livetls_sanitize_flags
    -fsanitize=address,undefined -fno-sanitize=vptr -fno-sanitize-recover=undefined -fno-omit-frame-pointer)
elseif(LIVETLS_SANITIZE STREQUAL "thread")
  set(livetls_sanitize_flags -fsanitize=thread -fno-omit-frame-pointer)
elseif(LIVETLS_SANITIZE)
  message(FATAL_ERROR "LIVETLS_SANITIZE is empty, 'address' or 'thread', not '${LIVETLS_SANITIZE}'")
endif()
if(LIVETLS_BUILD_FUZZ)
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR LIVETLS_SANITIZE)
    message(FATAL_ERROR "LIVETLS_BUILD_FUZZ needs clang, and brings its own sanitizers; see the preset 'fuzz'")
  endif()
  # Not LIVETLS_SANITIZE, so that wolfSSL is the ordinary one: fuzzing is to find its way through our code.
  # function: clang 14 cannot assemble coroutines with it.
  set(livetls_sanitize_flags
    -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize=vptr,function -fno-sanitize-recover=undefined
    -fno-omit-frame-pointer)
endif()
if(LIVETLS_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False where the compiler instruments: fences that Boost.Asio uses beside locks (tsan), variants that hold no error
  # (maybe-uninitialized), the frames of coroutines (mismatched-new-delete). The other presets keep these warnings.
  list(APPEND livetls_sanitize_flags -Wno-tsan -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()
add_compile_options(${livetls_sanitize_flags})
add_link_options(${livetls_sanitize_flags})

# The warnings; the livetls_add_* functions link it.
add_library(livetls_warnings INTERFACE)
target_compile_options(livetls_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Woverloaded-virtual -Wextra-semi
  $<$<BOOL:${LIVETLS_WERROR}>:-Werror>)
