# How livetls' own code is compiled. Nothing here reaches a project that only uses livetls.

if(PROJECT_IS_TOP_LEVEL)
  if(NOT CMAKE_BUILD_TYPE AND NOT CMAKE_CONFIGURATION_TYPES)
    set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "Build type" FORCE)
  endif()
  set(CMAKE_EXPORT_COMPILE_COMMANDS ON)  # for clang-tidy and editors
  set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)

  # basedir, nohashdir: a clone elsewhere finds what this one has compiled. sloppiness: as ccache's manual says for
  # precompiled headers.
  find_program(LIVETLS_CCACHE ccache)
  if(LIVETLS_CCACHE AND NOT DEFINED CMAKE_CXX_COMPILER_LAUNCHER)
    set(CMAKE_CXX_COMPILER_LAUNCHER env CCACHE_BASEDIR=${PROJECT_SOURCE_DIR} CCACHE_NOHASHDIR=1
      CCACHE_SLOPPINESS=pch_defines,time_macros ${LIVETLS_CCACHE})
  endif()
  if(LIVETLS_PRECOMPILE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    add_compile_options(-fpch-preprocess)  # what ccache needs
  elseif(LIVETLS_PRECOMPILE)
    add_compile_options("SHELL:-Xclang -fno-pch-timestamp")
  endif()

  # mold links in a fraction of the time of the usual linker.
  find_program(LIVETLS_MOLD mold)
  find_program(LIVETLS_LLD ld.lld)
  if(LIVETLS_MOLD)
    add_link_options(-fuse-ld=mold)
  elseif(LIVETLS_LLD)
    add_link_options(-fuse-ld=lld)
  endif()
endif()

# Tests are compiled, but not optimised: what they test is.
set(livetls_test_options -O0)

set(livetls_sanitize_flags "")
set(livetls_coverage_flags "")
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
  if(NOT CMAKE_CXX_COMPILER_ID MATCHES "Clang" OR NOT LIVETLS_SANITIZE STREQUAL "address")
    message(FATAL_ERROR "LIVETLS_BUILD_FUZZ needs clang and LIVETLS_SANITIZE=address; see the preset 'asan'")
  endif()
  set(livetls_coverage_flags -fsanitize=fuzzer-no-link)  # of the libraries, which are what is fuzzed
endif()
if(LIVETLS_SANITIZE AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  # False where the compiler instruments: fences that Boost.Asio uses beside locks (tsan), variants that hold no error
  # (maybe-uninitialized), the frames of coroutines (mismatched-new-delete). The other presets keep these warnings.
  list(APPEND livetls_sanitize_flags -Wno-tsan -Wno-maybe-uninitialized -Wno-mismatched-new-delete)
endif()
add_compile_options(${livetls_sanitize_flags})
add_link_options(${livetls_sanitize_flags})

# For the few sources that would take more than 700 MB: g++ collects its garbage more often, and takes a quarter longer.
function(livetls_compile_in_little_memory)
  if(CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
    set_property(SOURCE ${ARGV} APPEND PROPERTY COMPILE_OPTIONS
      --param=ggc-min-expand=25 --param=ggc-min-heapsize=65536)
  endif()
endfunction()

# The warnings; the livetls_add_* functions link it.
add_library(livetls_warnings INTERFACE)
target_compile_options(livetls_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Woverloaded-virtual -Wextra-semi
  # g++ 12 is wrong about vectors of bytes and strings at -O3.
  $<$<AND:$<CXX_COMPILER_ID:GNU>,$<CONFIG:Release>>:-Wno-array-bounds;-Wno-restrict;-Wno-stringop-overread>
  # clang complains of what libstdc++ 12 does inside its own algorithms.
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>
  $<$<BOOL:${LIVETLS_WERROR}>:-Werror>)
