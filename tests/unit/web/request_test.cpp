#include "livetls/web/request.hpp"

#include <gtest/gtest.h>

#include <stdexcept>

namespace livetls::web {
namespace {

Request to(std::string target) {
  Request request;
  request.target = std::move(target);
  return request;
}

TEST(Request, SplitsItsTargetAtTheQuery) {
  EXPECT_EQ(to("/a%2Fb?c=d?e").path(), "/a%2Fb");
  EXPECT_EQ(to("/a%2Fb?c=d?e").query(), "c=d?e");
  EXPECT_EQ(to("/a").path(), "/a");
  EXPECT_EQ(to("/a").query(), "");
}

TEST(Request, DecodesQueryParametersAsFormsEncodeThem) {
  const Request request = to("/?q=a+b%26c&empty=&bare&q=second&na%6De=x%3Dy");
  EXPECT_EQ(request.query_param("q"), "a b&c");
  EXPECT_EQ(request.query_param("empty"), "");
  EXPECT_EQ(request.query_param("bare"), "");
  EXPECT_EQ(request.query_param("name"), "x=y");
  EXPECT_EQ(request.query_param("absent"), std::nullopt);
  EXPECT_EQ(to("/").query_param("q"), std::nullopt);
}

TEST(Request, ParameterAndConnectionThatItDoesNotHaveAreErrorsOfTheProgram) {
  EXPECT_THROW(to("/").param("id"), std::invalid_argument);
  EXPECT_THROW(to("/").connection(), std::logic_error);
}

}  // namespace
}  // namespace livetls::web
