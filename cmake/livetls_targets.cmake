# The functions that the CMakeLists.txt of the sub-folders are written with.
#
# Where LIVETLS_SYSTEM_TOO is on, each program has a twin that is linked with the system's wolfSSL in place of the one
# that LIVETLS_WOLFSSL names: `<target>_system`, in bin-system/, of the same objects. Twins are no part of `all`.

# livetls_add_library(<name> SOURCES <file>... [DEPENDS <target>...] [PRIVATE_DEPENDS <target>...])
#
# The library livetls::<name>: public headers in include/, private ones in src/, installed and exported.
function(livetls_add_library name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS;PRIVATE_DEPENDS")
  set(target livetls_${name})
  add_library(${target} STATIC ${arg_SOURCES})
  add_library(livetls::${name} ALIAS ${target})
  set_target_properties(${target} PROPERTIES EXPORT_NAME ${name} CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_features(${target} PUBLIC cxx_std_20)
  target_include_directories(${target}
    PUBLIC $<BUILD_INTERFACE:${CMAKE_CURRENT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>
    PRIVATE ${CMAKE_CURRENT_SOURCE_DIR}/src)
  target_link_libraries(${target}
    PUBLIC ${arg_DEPENDS}
    PRIVATE ${arg_PRIVATE_DEPENDS} $<BUILD_INTERFACE:livetls_warnings>)
  target_compile_options(${target} PRIVATE ${livetls_coverage_flags})
  livetls_precompile(${target} library)
endfunction()

# livetls_install_library(<name>)   Beside its public headers.
function(livetls_install_library name)
  install(TARGETS livetls_${name} EXPORT livetls)
  install(DIRECTORY include/ TYPE INCLUDE)
endfunction()

# livetls_add_program(<target> SOURCES <file>... [DEPENDS <target>...] [NAME <file name>] [PRECOMPILED <set>]
#                     [SEES_WOLFSSL])
#
# A program, in bin/ of the build folder. SEES_WOLFSSL: its sources include wolfSSL's headers, so that its twin has to
# be compiled as well.
function(livetls_add_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "SEES_WOLFSSL" "NAME;PRECOMPILED" "SOURCES;DEPENDS")
  if(NOT arg_PRECOMPILED)
    set(arg_PRECOMPILED program)
  endif()
  if(NOT arg_NAME)
    set(arg_NAME ${target})
  endif()
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES OUTPUT_NAME ${arg_NAME} CXX_EXTENSIONS OFF)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} livetls_warnings)
  livetls_precompile(${target} ${arg_PRECOMPILED})
  if(LIVETLS_SYSTEM_TOO)
    if(arg_SEES_WOLFSSL)
      add_executable(${target}_system EXCLUDE_FROM_ALL ${arg_SOURCES})
      livetls_precompile(${target}_system ${arg_PRECOMPILED})
    else()
      add_executable(${target}_system EXCLUDE_FROM_ALL $<TARGET_OBJECTS:${target}>)
    endif()
    set_target_properties(${target}_system PROPERTIES OUTPUT_NAME ${arg_NAME} CXX_EXTENSIONS OFF LINKER_LANGUAGE CXX
      RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin-system LIVETLS_IS_SYSTEM_TWIN ON)
    target_compile_features(${target}_system PRIVATE cxx_std_20)
    target_link_libraries(${target}_system PRIVATE ${arg_DEPENDS} livetls_warnings)
  endif()
endfunction()

# livetls_of_wolfssl(<result> <target>)
#
# What a target links that needs one of two: `<target>` in programs, `<target>_system` in their twins.
function(livetls_of_wolfssl result target)
  set(${result} ${target} PARENT_SCOPE)
  if(LIVETLS_SYSTEM_TOO)
    set(${result} $<IF:$<BOOL:$<TARGET_PROPERTY:LIVETLS_IS_SYSTEM_TWIN>>,${target}_system,${target}> PARENT_SCOPE)
  endif()
endfunction()

# livetls_add_test(<target> LABEL <label> [TIMEOUT <seconds>] [RUN_SERIAL] <arguments of livetls_add_program>...)
#
# A GoogleTest program (GTest::gmock_main is linked). Each of its tests is a ctest test of its own, so that one that
# hangs costs its time-out and no more, and that they spread over the processors. `ctest -C system` runs its twin.
# One label only: CMake 3.25 loses the others on the way (tests/guarantees.cmake.in adds one).
function(livetls_add_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RUN_SERIAL" "LABEL;TIMEOUT" "DEPENDS")
  livetls_add_program(${target} ${arg_UNPARSED_ARGUMENTS} DEPENDS ${arg_DEPENDS} GTest::gmock_main PRECOMPILED test)
  target_compile_options(${target} PRIVATE ${livetls_test_options})
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  set(properties TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABEL}" RUN_SERIAL ${arg_RUN_SERIAL})
  _livetls_discover_tests(${target} lists ${target} "${properties}")
  set(lists_of_twin "")
  if(LIVETLS_SYSTEM_TOO)
    target_compile_options(${target}_system PRIVATE ${livetls_test_options})
    _livetls_discover_tests(${target}_system lists_of_twin ${target} "${properties}")
  endif()
  set(choice ${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake)
  file(CONFIGURE OUTPUT ${choice} @ONLY CONTENT [[
if(CTEST_CONFIGURATION_TYPE STREQUAL "system")
  include("@lists_of_twin@" OPTIONAL)
else()
  include("@lists@")
endif()
]])
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${choice})
endfunction()

# Leaves the file that adds the tests of a program to ctest in `result`, and its names in the variable
# `<list>_TESTS` there. PRE_TEST: the tests are listed when ctest starts, not at every link.
function(_livetls_discover_tests target result list properties)
  include(GoogleTest)
  get_property(before DIRECTORY PROPERTY TEST_INCLUDE_FILES)
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60 TEST_LIST ${list}_TESTS
    PROPERTIES ${properties})
  get_property(after DIRECTORY PROPERTY TEST_INCLUDE_FILES)
  list(REMOVE_ITEM after ${before})
  set_property(DIRECTORY PROPERTY TEST_INCLUDE_FILES ${before})
  set(${result} ${after} PARENT_SCOPE)
endfunction()
