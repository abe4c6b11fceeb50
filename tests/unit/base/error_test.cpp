#include "livetls/base/error.hpp"

#include <gtest/gtest.h>

#include <boost/system/system_error.hpp>
#include <set>

#include "livetls/base/result.hpp"

namespace livetls {
namespace {

TEST(Error, EveryReasonHasASentenceOfItsOwn) {
  std::set<std::string> sentences;
  for (int code = 1; code <= static_cast<int>(Errc::tls_failure); ++code) {
    const auto sentence = make_error_code(static_cast<Errc>(code)).message();
    EXPECT_EQ(sentence.find("unknown"), std::string::npos) << code << ": " << sentence;
    EXPECT_TRUE(sentences.insert(sentence).second) << "twice: " << sentence;
  }
  EXPECT_NE(livetls_category().message(9999).find("9999"), std::string::npos);
}

TEST(Error, MessageLeadsWithTheContext) {
  const Error error{Errc::input_empty, "/etc/key.pem"};
  EXPECT_EQ(error.message(), "/etc/key.pem: " + make_error_code(Errc::input_empty).message());
  EXPECT_EQ(Error{Errc::input_empty}.message(), make_error_code(Errc::input_empty).message());
  EXPECT_TRUE(error == Errc::input_empty);
  EXPECT_FALSE(error == Errc::pem_torn);
}

TEST(Error, AValueThatIsNotThereThrowsTheErrorWithItsContext) {
  const Result<int> result = Error{Errc::pem_torn, "/etc/key.pem"};
  try {
    static_cast<void>(result.value());
    FAIL() << "nothing was thrown";
  } catch (const boost::system::system_error& thrown) {
    EXPECT_EQ(thrown.code(), make_error_code(Errc::pem_torn));
    EXPECT_NE(std::string(thrown.what()).find("/etc/key.pem"), std::string::npos);
  }
}

}  // namespace
}  // namespace livetls
