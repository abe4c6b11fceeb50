#pragma once

#include <exception>
#include <string>

namespace livetls {

/// What an exception says, whatever it is. For the operator.
std::string describe(const std::exception_ptr& thrown);

}  // namespace livetls
