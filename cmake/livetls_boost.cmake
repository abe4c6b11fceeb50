# LIVETLS_SEPARATE_BOOST: the code of Boost.Asio and Boost.Beast is compiled once, in a library of its own, and not in
# every source that includes them, which makes a quarter of what the libraries take to compile. All of a program must
# be compiled one way or the other, so the library tells those that use it; and as the other parts of a user's program
# are not told, what is shipped is compiled without.
if(LIVETLS_SEPARATE_BOOST)
  add_library(livetls_boost STATIC
    ${CMAKE_CURRENT_LIST_DIR}/boost/asio.cpp ${CMAKE_CURRENT_LIST_DIR}/boost/beast.cpp)
  set_target_properties(livetls_boost PROPERTIES EXPORT_NAME boost CXX_EXTENSIONS OFF POSITION_INDEPENDENT_CODE ON)
  target_compile_features(livetls_boost PUBLIC cxx_std_20)
  target_compile_definitions(livetls_boost PUBLIC
    BOOST_ASIO_SEPARATE_COMPILATION BOOST_BEAST_SEPARATE_COMPILATION)
  target_link_libraries(livetls_boost PUBLIC Boost::headers Threads::Threads)
  install(TARGETS livetls_boost EXPORT livetls)
  set(livetls_boost livetls_boost)
else()
  set(livetls_boost Boost::headers Threads::Threads)
endif()
