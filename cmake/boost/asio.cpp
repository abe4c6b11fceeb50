// Boost.Asio's own code, once: see livetls_boost.cmake.
#include <boost/asio/impl/src.hpp>
