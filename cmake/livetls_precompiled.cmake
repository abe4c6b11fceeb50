# Precompiled headers: what the sources include of the standard library, of Boost and of GoogleTest, compiled once for
# each way in which sources are compiled. No header of ours is in them: after a change of one, everything would be
# compiled again.
#
# livetls_precompile(<target> <set>)   <set> is `library`, `program` or `test`
#
# A source must include what it uses all the same: the preset `release` compiles without (LIVETLS_PRECOMPILE=OFF), and
# ./dev lint reads every source so.

set(livetls_precompiled_headers
  <algorithm> <array> <atomic> <charconv> <chrono> <cstdint> <cstring> <deque> <exception> <filesystem> <fstream>
  <functional> <future> <iostream> <limits> <list> <map> <memory> <mutex> <optional> <random> <set> <span> <sstream>
  <stdexcept> <string> <string_view> <system_error> <thread> <tuple> <type_traits> <unordered_map> <utility> <variant>
  <vector>
  <boost/asio/any_completion_handler.hpp>
  <boost/asio/any_io_executor.hpp>
  <boost/asio/as_tuple.hpp>
  <boost/asio/awaitable.hpp>
  <boost/asio/basic_waitable_timer.hpp>
  <boost/asio/bind_cancellation_slot.hpp>
  <boost/asio/buffer.hpp>
  <boost/asio/cancellation_signal.hpp>
  <boost/asio/co_spawn.hpp>
  <boost/asio/compose.hpp>
  <boost/asio/error.hpp>
  <boost/asio/generic/stream_protocol.hpp>
  <boost/asio/io_context.hpp>
  <boost/asio/ip/tcp.hpp>
  <boost/asio/post.hpp>
  <boost/asio/read.hpp>
  <boost/asio/this_coro.hpp>
  <boost/asio/use_awaitable.hpp>
  <boost/asio/write.hpp>
  <boost/system/result.hpp>
  <boost/system/system_error.hpp>)

# The precompiled header of a set: a target, which the others of the set take it from.
function(_livetls_add_precompiled target set)
  set(source ${PROJECT_BINARY_DIR}/${target}.cpp)
  file(CONFIGURE OUTPUT ${source} CONTENT "// Nothing but a reason to compile the header.\n" @ONLY)
  add_library(${target} OBJECT ${source})
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS OFF)
  target_compile_features(${target} PRIVATE cxx_std_20)
  target_link_libraries(${target} PRIVATE ${livetls_boost} livetls_warnings)  # -Wpedantic defines a macro
  target_precompile_headers(${target} PRIVATE ${livetls_precompiled_headers})
  if(set STREQUAL "library")
    set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE ON)
    target_compile_options(${target} PRIVATE ${livetls_coverage_flags})
  elseif(set STREQUAL "test")
    target_link_libraries(${target} PRIVATE Boost::json GTest::gmock)
    target_compile_options(${target} PRIVATE ${livetls_test_options})
    target_precompile_headers(${target} PRIVATE <gmock/gmock.h> <gtest/gtest.h> <boost/asio/use_future.hpp>)
  endif()
endfunction()

function(livetls_precompile target set)
  if(NOT LIVETLS_PRECOMPILE)
    return()
  endif()
  set(precompiled livetls_precompiled_${set})
  if(NOT TARGET ${precompiled})
    _livetls_add_precompiled(${precompiled} ${set})
  endif()
  target_precompile_headers(${target} REUSE_FROM ${precompiled})
endfunction()
