#include "pki/name_constraints.hpp"

#include <gtest/gtest.h>

#include <list>

namespace livetls {
namespace {

using Type = GeneralName::Type;

struct Name {
  Type type;
  std::string value;
};

class NameConstraintsTest : public testing::Test {
 protected:
  NamesAllowed check(const std::vector<Name>& names) {
    ParsedCertificate certificate{};
    for (const Name& name : names) certificate.extensions.alternative_names.push_back(kept(name));
    return ConstraintCheck().check(certificate, true, constraints);
  }
  bool allows(const std::vector<Name>& names) { return check(names) == NamesAllowed::yes; }

  void permit(const Name& name) { constraints.permitted.push_back({kept(name)}); }
  void exclude(const Name& name) { constraints.excluded.push_back({kept(name)}); }

  bool permits(Type type, const std::string& base, const std::string& name) {
    constraints = {};
    permit({type, base});
    return allows({{type, name}});
  }
  bool permits(const std::string& base, const std::string& name) {
    return permits(Type::dns, base, name);
  }
  bool excludes(const std::string& base, const std::string& name) {
    constraints = {};
    exclude({Type::dns, base});
    return !allows({{Type::dns, name}});
  }

  GeneralName kept(const Name& name) {
    const std::string& text = texts_.emplace_back(name.value);
    return {name.type, {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}};
  }

  NameConstraints constraints;

 private:
  std::list<std::string> texts_;
};

/// RFC 5280, section 4.2.1.10.
TEST_F(NameConstraintsTest, PermitNamesThatHaveLabelsBeforeTheirs) {
  EXPECT_TRUE(permits("example.com", "example.com"));
  EXPECT_TRUE(permits("example.com", "a.example.com"));
  EXPECT_TRUE(permits("example.com", "a.b.EXAMPLE.com."));
  EXPECT_TRUE(permits("Example.COM", "a.example.com"));
  EXPECT_TRUE(permits("", "anything.example"));
  EXPECT_TRUE(permits(".example.com", "a.example.com"));
  EXPECT_FALSE(permits(".example.com", "example.com"));
  EXPECT_FALSE(permits("example.com", "notexample.com"));
  EXPECT_FALSE(permits("example.com", "com"));
  EXPECT_FALSE(permits("example.com", "example.com.evil"));
}

TEST_F(NameConstraintsTest, PermitWildcardsThatStayBelow) {
  EXPECT_TRUE(permits("example.com", "*.example.com"));
  EXPECT_TRUE(permits(".example.com", "*.example.com"));
  EXPECT_TRUE(permits("example.com", "*.a.example.com"));
  EXPECT_FALSE(permits("a.example.com", "*.example.com"));
  EXPECT_FALSE(permits("example.com", "*.com"));
}

TEST_F(NameConstraintsTest, ExcludeWhateverMayMeetTheirs) {
  EXPECT_TRUE(excludes("secret.example", "secret.example"));
  EXPECT_TRUE(excludes("secret.example", "secret.example."));
  EXPECT_TRUE(excludes("secret.example", "a.secret.example"));
  EXPECT_TRUE(excludes("a.secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes(".a.secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes("secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes(".secret.example", "*.secret.example"));
  EXPECT_TRUE(excludes("", "any.example"));
  EXPECT_FALSE(excludes("secret.example", "notsecret.example"));
  EXPECT_FALSE(excludes("secret.example", "example"));
  EXPECT_FALSE(excludes("a.b.example", "*.c.example"));
}

TEST_F(NameConstraintsTest, AreAboutAllNamesOfTheirType) {
  permit({Type::dns, "a.example"});
  permit({Type::dns, "b.example"});
  exclude({Type::dns, "x.b.example"});
  EXPECT_TRUE(allows({{Type::dns, "a.example"}, {Type::dns, "y.b.example"}}));
  EXPECT_FALSE(allows({{Type::dns, "a.example"}, {Type::dns, "c.example"}}));
  EXPECT_FALSE(allows({{Type::dns, "a.example"}, {Type::dns, "x.b.example"}}));
  EXPECT_TRUE(allows({{Type::ip, std::string("\x0a\0\0\1", 4)}})) << "of another type";
}

TEST_F(NameConstraintsTest, CompareAddressesUnderTheirMask) {
  const auto ip = [](std::initializer_list<int> bytes) {
    std::string text;
    for (const int byte : bytes) text += static_cast<char>(byte);
    return Name{Type::ip, text};
  };
  permit(ip({10, 0, 0, 0, 255, 0, 0, 0}));
  exclude(ip({10, 1, 2, 0, 255, 255, 255, 0}));
  EXPECT_TRUE(allows({ip({10, 9, 9, 9})}));
  EXPECT_FALSE(allows({ip({11, 9, 9, 9})}));
  EXPECT_FALSE(allows({ip({10, 1, 2, 3})}));
  EXPECT_FALSE(allows({{Type::ip, std::string(16, 0)}})) << "IPv6, where only IPv4 is permitted";
}

TEST_F(NameConstraintsTest, CompareMailboxes) {
  const auto mail = [&](const char* base, const char* name) {
    return permits(Type::email, base, name);
  };
  EXPECT_TRUE(mail("a.example", "me@A.example"));
  EXPECT_FALSE(mail("a.example", "me@b.a.example"));
  EXPECT_TRUE(mail(".a.example", "me@b.a.example"));
  EXPECT_FALSE(mail(".a.example", "me@a.example"));
  EXPECT_TRUE(mail("me@a.example", "me@a.EXAMPLE"));
  EXPECT_FALSE(mail("me@a.example", "ME@a.example"));
  EXPECT_FALSE(mail("me@a.example", "you@a.example"));
  EXPECT_FALSE(mail("a.example", "a.example")) << "no mailbox";
}

TEST_F(NameConstraintsTest, CompareTheHostsOfUris) {
  const auto uri = [&](const char* base, const char* name) {
    return permits(Type::uri, base, name);
  };
  EXPECT_TRUE(uri("a.example", "https://a.example/path"));
  EXPECT_TRUE(uri("a.example", "spiffe://A.example"));
  EXPECT_TRUE(uri("a.example", "https://user@a.example:8443?x"));
  EXPECT_FALSE(uri("a.example", "https://b.a.example"));
  EXPECT_TRUE(uri(".a.example", "https://b.a.example"));
  EXPECT_FALSE(uri("a.example", "https://b.example/@a.example"));
  EXPECT_FALSE(uri("a.example", "https://a.example@b.example"));
  EXPECT_FALSE(uri("a.example", "https://a.example:80@b.example")) << "its user is a.example:80";
}

TEST_F(NameConstraintsTest, AreUnknownWhereTheyCannotBeApplied) {
  permit({Type::uri, "a.example"});
  for (const char* name : {"urn:a.example", "https://10.0.0.1/", "https://[::1]/", "https:///x"}) {
    EXPECT_EQ(check({{Type::uri, name}}), NamesAllowed::unknown) << name;
  }
  constraints = {};
  permit({Type::dns, "a.example"});
  for (const char* name : {".a.example", "b..a.example", ""}) {
    EXPECT_EQ(check({{Type::dns, name}}), NamesAllowed::unknown) << name;
  }
  permit({Type::email, "a.example"});
  for (const char* name : {"a.example", "me@b.example@a.example", "@a.example", "me@"}) {
    EXPECT_EQ(check({{Type::email, name}}), NamesAllowed::unknown) << name;
  }
  constraints = {};
  permit({Type::registered_id, "x"});
  EXPECT_EQ(check({{Type::registered_id, "x"}}), NamesAllowed::unknown);
  EXPECT_EQ(check({{Type::dns, "a.example"}}), NamesAllowed::yes);
  constraints = {};
  constraints.permitted.push_back({kept({Type::dns, "a.example"}), true});
  EXPECT_EQ(check({{Type::dns, "a.example"}}), NamesAllowed::unknown) << "a distance";
}

/// What readers of URIs would not agree on.
TEST_F(NameConstraintsTest, AreUnknownForUrisThatCanBeReadInTwoWays) {
  permit({Type::uri, "good.example"});
  for (const std::string name :
       {"https:/evil.example/x://good.example", "urn:evil:admin?://good.example",
        "https:\\\\evil.example/://good.example/", "https://evil.example\\@good.example/",
        "//evil.example/://good.example", "://good.example", "1://good.example",
        "https://good.example:80x", "https://g%6fod.example", "https:// good.example"}) {
    EXPECT_EQ(check({{Type::uri, name}}), NamesAllowed::unknown) << name;
  }
  constraints = {};
  exclude({Type::uri, "evil.example"});
  for (const std::string name : {"https://ev%69l.example/", "https://evil.example\\foo",
                                 "https://2130706433/", "https://evil.example..:443/"}) {
    EXPECT_EQ(check({{Type::uri, name}}), NamesAllowed::unknown) << name;
  }
}

/// A constraint that cannot be read must not be taken for one that allows.
TEST_F(NameConstraintsTest, AreUnknownWhereTheyAreMalformedThemselves) {
  const std::vector<std::pair<Name, Name>> pairs = {
      {{Type::email, "@evil.example"}, {Type::email, "a@evil.example"}},
      {{Type::dns, "*.evil.example"}, {Type::dns, "a.evil.example"}},
      {{Type::dns, "..evil.example"}, {Type::dns, "a.evil.example"}},
      {{Type::dns, "."}, {Type::dns, "a.evil.example"}},
      {{Type::uri, "https://evil.example"}, {Type::uri, "https://evil.example/"}},
      {{Type::uri, "evil.example:443"}, {Type::uri, "https://evil.example:443/"}},
  };
  for (const auto& [base, name] : pairs) {
    constraints = {};
    exclude(base);
    EXPECT_EQ(check({name}), NamesAllowed::unknown) << base.value;
    constraints = {};
    permit(base);
    EXPECT_EQ(check({name}), NamesAllowed::unknown) << base.value;
  }
}

/// The budget is of work, not of names.
TEST_F(NameConstraintsTest, DoNotReadALongNameForEachOfManySubtrees) {
  for (int i = 0; i < 1'000; ++i) exclude({Type::uri, "x"});
  EXPECT_FALSE(allows({{Type::uri, "https://" + std::string(80'000, 'a') + ".example/"}}));
  constraints = {};
  for (int i = 0; i < 1'000; ++i) exclude({Type::dns, std::string(60'000, 'a')});
  EXPECT_FALSE(allows({{Type::dns, "a.example"}}));
}

TEST_F(NameConstraintsTest, AreNotComparedForEver) {
  std::vector<Name> names;
  for (int i = 0; i < 400; ++i) {
    names.push_back({Type::dns, std::to_string(i) + ".example"});
    exclude({Type::ip, std::string(8, '\xff')});
  }
  EXPECT_FALSE(allows(names));
  constraints.excluded.resize(ConstraintCheck::kMaxWork / (names.size() + 1) - 1);
  EXPECT_TRUE(allows(names));
}

}  // namespace
}  // namespace livetls
