// Boost.Beast's own code, once: see livetls_boost.cmake.
#include <boost/beast/src.hpp>
