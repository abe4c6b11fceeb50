# The functions that the CMakeLists.txt of the sub-folders are written with.

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
  install(TARGETS ${target} EXPORT livetls)
  install(DIRECTORY include/ TYPE INCLUDE)
endfunction()

# livetls_add_program(<target> SOURCES <file>... [DEPENDS <target>...])
#
# A program, in bin/ of the build folder.
function(livetls_add_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "SOURCES;DEPENDS")
  add_executable(${target} ${arg_SOURCES})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${arg_DEPENDS} livetls_warnings)
endfunction()

# livetls_add_test(<target> LABEL <label> SOURCES <file>... [DEPENDS <target>...] [TIMEOUT <seconds>] [RUN_SERIAL])
#
# A GoogleTest program (GTest::gmock_main is linked). Each of its tests is a ctest test of its own, so that one that
# hangs costs its time-out and no more, and that they spread over the processors. One label only: CMake 3.25 loses
# the others on the way (tests/guarantees.cmake.in adds one).
function(livetls_add_test target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "RUN_SERIAL" "LABEL;TIMEOUT" "SOURCES;DEPENDS")
  livetls_add_program(${target} SOURCES ${arg_SOURCES} DEPENDS ${arg_DEPENDS} GTest::gmock_main)
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 60)
  endif()
  include(GoogleTest)
  # PRE_TEST: the tests are listed when ctest starts, not at every link.
  gtest_discover_tests(${target} DISCOVERY_MODE PRE_TEST DISCOVERY_TIMEOUT 60
    PROPERTIES TIMEOUT ${arg_TIMEOUT} LABELS "${arg_LABEL}" RUN_SERIAL ${arg_RUN_SERIAL})
endfunction()
