#include "livetls/base/describe.hpp"

#include "livetls/base/error.hpp"

namespace livetls {

std::string describe(const std::exception_ptr& thrown) {
  try {
    std::rethrow_exception(thrown);
  } catch (const std::exception& error) {
    return error.what();
  } catch (const Error& error) {
    return error.message();
  } catch (...) {
    return "an exception of unknown type";
  }
}

}  // namespace livetls
