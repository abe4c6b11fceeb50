#include "livetls/web/form.hpp"

#include <gtest/gtest.h>

#include "livetls/web/multipart.hpp"
#include "livetls/web/testing.hpp"

namespace shop {

struct Search {
  std::string q;
  int page;
  std::optional<bool> exact;
  std::vector<int> sizes;
};
BOOST_DESCRIBE_STRUCT(Search, (), (q, page, exact, sizes))

}  // namespace shop

namespace livetls::web {
namespace {

// ---- urlencoded --------------------------------------------------------------------------------

class FormTest : public testing::Test {
 protected:
  FormTest() {
    router_.post("/", [](Form<shop::Search> form) {
      std::string text = form->q + "," + std::to_string(form->page);
      if (form->exact) text += *form->exact ? ",exact" : ",loose";
      for (const int size : form->sizes) text += "," + std::to_string(size);
      return text;
    });
  }

  std::string post(const char* body,
                   const char* type = "application/x-www-form-urlencoded; charset=utf-8") {
    const Response response = TestClient(router_).post("/", body, type);
    return response.status_code == 200 ? response.body : std::to_string(response.status_code);
  }

  Router router_;
};

TEST_F(FormTest, IsReadIntoAStruct) {
  EXPECT_EQ(post("q=a+b%26c&page=2"), "a b&c,2");
  EXPECT_EQ(post("page=2&q=&exact=true&sizes=1&sizes=2&other=x&&"), ",2,exact,1,2");
  EXPECT_EQ(post("page=2&q=J%C3%B6rg&exact=0&q=second"), "J\xc3\xb6rg,2,loose");
}

TEST_F(FormTest, IsRefusedWithItsReason) {
  EXPECT_EQ(post("q=a"), "422");
  EXPECT_EQ(post("q=a&page=x"), "422");
  EXPECT_EQ(post("q=a&page=2&sizes=1&sizes=x"), "422");
  EXPECT_EQ(post("q=%zz&page=2"), "400");
  EXPECT_EQ(post("q=%00&page=2"), "400");
  EXPECT_EQ(post("q=a&page=2", "text/plain"), "415");
}

// ---- multipart ---------------------------------------------------------------------------------

/// Hands a body out in pieces of one size.
class Pieces final : public BodySource {
 public:
  Pieces(std::string_view text, std::size_t size) : rest_(text), size_(size) {}
  bool is_at_end() const noexcept override { return rest_.empty(); }
  Task<bool> receive(std::string& into, std::uint64_t) override {
    into += rest_.substr(0, size_);
    const bool any = !rest_.empty();
    rest_.remove_prefix(std::min(rest_.size(), size_));
    co_return any;
  }

 private:
  std::string_view rest_;
  std::size_t size_;
};

Task<std::string> describe(Request& request, MultipartReader::Limits limits) {
  MultipartReader form(request, limits);
  std::string text;
  while (const auto part = co_await form.next()) {
    text += part->name + "(" + part->file_name.value_or("-") + "," +
            std::string(part->headers["Content-Type"]) + ")=";
    text += co_await form.read_text() + ";";
  }
  co_return text;
}

std::string parts(std::string_view body, std::size_t piece = 7,
                  std::string_view type = "multipart/form-data; boundary=\"b d\"",
                  MultipartReader::Limits limits = {}) {
  Router router;
  router.post("/",
              Handler::streaming([limits](Request& request) { return describe(request, limits); }));
  Pieces pieces(body, piece);
  Request request;
  request.method = Method::post;
  request.headers.set("Content-Type", type);
  request.receive_from(pieces, 1'000'000);
  const Response response = TestClient(router).send(request);
  return response.status_code == 200 ? response.body : std::to_string(response.status_code);
}

const std::string kForm =
    "preamble\r\n--b d\r\nContent-Disposition: form-data; name=\"text\"\r\n\r\nhello\r\n--b "
    "d  \r\ncontent-disposition: Form-Data; name=file; filename=\"C:\\\\dir/a \\\"b\\\".txt\"\r\n"
    "Content-Type: text/plain\r\n\r\n\r\n--b\r\n--b\r\r\n--b d\r\n"
    "Content-Disposition: form-data; name=\"empty\"\r\n\r\n\r\n--b d--\r\nepilogue";

TEST(Multipart, IsReadWhateverThePieces) {
  for (std::size_t piece = 1; piece <= kForm.size(); ++piece) {
    EXPECT_EQ(parts(kForm, piece),
              "text(-,)=hello;file(a \"b\".txt,text/plain)=\r\n--b\r\n--b\r;empty(-,)=;")
        << piece;
  }
  EXPECT_EQ(parts("--b d--"), "");
}

TEST(Multipart, PartsMayBePassedOver) {
  Router router;
  router.post("/", [](Request& request) -> Task<std::string> {
    MultipartReader form(request);
    std::string names;
    while (const auto part = co_await form.next()) names += part->name + ";";
    const bool more = co_await form.next() != std::nullopt;
    co_return names + (more ? "more" : "end");
  });
  TestClient client(router);
  EXPECT_EQ(client.post("/", kForm, "multipart/form-data; boundary=\"b d\"").body,
            "text;file;empty;end");
}

TEST(Multipart, IsRefusedWhereItIsMalformed) {
  EXPECT_EQ(parts(kForm, 7, "text/plain"), "415");
  EXPECT_EQ(parts(kForm, 7, "multipart/form-data"), "400");
  EXPECT_EQ(parts(kForm, 7, "multipart/form-data; boundary="), "400");
  EXPECT_EQ(parts(kForm, 7, "multipart/form-data; boundary=" + std::string(71, 'b')), "400");
  for (std::size_t end = 0; end < kForm.find("--\r\nepilogue"); ++end) {
    EXPECT_EQ(parts(std::string_view(kForm).substr(0, end)), "400") << end;
  }
  EXPECT_EQ(parts("--b d x\r\nContent-Disposition: form-data; name=a\r\n\r\n\r\n--b d--"), "400");
  EXPECT_EQ(parts("--b d\r\nContent-Disposition: form-data\r\n\r\n\r\n--b d--"), "400");
  EXPECT_EQ(parts("--b d\r\nContent-Disposition: attachment; name=a\r\n\r\n\r\n--b d--"), "400");
  EXPECT_EQ(parts("--b d\r\nno field\r\n\r\n\r\n--b d--"), "400");
  EXPECT_EQ(parts("--b d\r\n\r\n\r\n--b d--"), "400");
  EXPECT_EQ(parts("--b d\r\nX: " + std::string(10'000, 'x')), "400");
}

TEST(Multipart, HasLimits) {
  EXPECT_EQ(parts(kForm, 7, "multipart/form-data; boundary=\"b d\"", {.max_parts = 2}), "413");
  const std::string large = "--b d\r\nContent-Disposition: form-data; name=a\r\n\r\n" +
                            std::string(65 * 1024, 'x') + "\r\n--b d--";
  EXPECT_EQ(parts(large, 1024), "413");
}

}  // namespace
}  // namespace livetls::web
