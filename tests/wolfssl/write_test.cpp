// What follows a write that the transport did not take. livetls's engine has room for every record.

#include <gtest/gtest.h>

#include "livetls/pki/certificate_authority.hpp"
#include "wolfssl/raw_pair.hpp"

namespace livetls {
namespace {

using namespace test;

class WriteTest : public ::testing::TestWithParam<TlsVersion> {
 protected:
  /// Ready for the next write, with `text` in a record that could not be sent.
  void leave_unsent(std::string_view text) {
    ASSERT_TRUE(pair.handshake().done());
    pair.block_server(true);
    ASSERT_EQ(write(text), WOLFSSL_ERROR_WANT_WRITE);
    ASSERT_EQ(RawPair::read(pair.client), "");
    pair.block_server(false);
  }

  /// The number of bytes, or the reason why not.
  int write(std::string_view text) {
    const int count = wolfSSL_write(pair.server.get(), text.data(), static_cast<int>(text.size()));
    return count > 0 ? count : wolfSSL_get_error(pair.server.get(), count);
  }

  CertificateAuthority authority = CertificateAuthority::create().value();
  RawPair pair{client_ctx(GetParam(), authority.trust_bundle()),
               server_ctx(authority.issue().value())};
};

INSTANTIATE_TEST_SUITE_P(Versions, WriteTest,
                         ::testing::Values(TlsVersion::tls1_2, TlsVersion::tls1_3));

TEST_P(WriteTest, RepeatedWithTheSameDataAndSizeAfterWantWriteItSendsThemOnce) {
  leave_unsent("hello");
  EXPECT_EQ(write("hello"), 5);
  EXPECT_EQ(RawPair::read(pair.client), "hello");
}

TEST_P(WriteTest, WithOtherDataOfTheSameSizeTheOldAreSentAndTheNewLost) {
  leave_unsent("hello");
  EXPECT_EQ(write("world"), 5);
  EXPECT_EQ(RawPair::read(pair.client), "hello");
}

TEST_P(WriteTest, WithMoreDataTheirBeginningIsTakenForTheOld) {
  leave_unsent("hello");
  EXPECT_EQ(write("HELLO world"), 11);
  EXPECT_EQ(RawPair::read(pair.client), "hello world");
}

TEST_P(WriteTest, WithLessDataItFailsAndHasSentTheOld) {
  leave_unsent("hello");
  EXPECT_EQ(write("hi"), BAD_FUNC_ARG);
  EXPECT_EQ(RawPair::read(pair.client), "hello");
}

}  // namespace
}  // namespace livetls
