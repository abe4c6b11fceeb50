#include "differential/mutations.hpp"

#include <algorithm>
#include <cctype>

namespace livetls::test {
namespace {

const char* const kCa = "critical,CA:TRUE";
const char* const kCaUsage = "critical,keyCertSign,cRLSign";

CertificateSpec certificate(const std::string& subject, const std::string& key,
                            const std::string& issuer, const std::string& signer_key) {
  CertificateSpec spec;
  spec.subject = subject;
  spec.issuer = issuer;
  spec.key = key;
  spec.signer_key = signer_key;
  spec.extensions["subjectKeyIdentifier"] = "hash";
  spec.extensions["authorityKeyIdentifier"] = "keyid";
  return spec;
}

CertificateSpec ca(const std::string& subject, const std::string& key, const std::string& issuer,
                   const std::string& signer_key) {
  CertificateSpec spec = certificate(subject, key, issuer, signer_key);
  spec.extensions["basicConstraints"] = kCa;
  spec.extensions["keyUsage"] = kCaUsage;
  return spec;
}

/// root, upper, ca, leaf: as many of them as there are `levels` above the leaf.
Scenario chain_of(int levels, Purpose purpose) {
  Scenario scenario;
  scenario.purpose = purpose;
  auto& all = scenario.certificates;
  all["root"] = ca("Root", "p256:root", "Root", "p256:root");
  std::string issuer = "Root", key = "p256:root";
  if (levels >= 3) {
    all["upper"] = ca("Upper", "p256:upper", issuer, key);
    issuer = "Upper", key = "p256:upper";
  }
  if (levels >= 2) {
    all["ca"] = ca("Issuing CA", "p256:ca", issuer, key);
    issuer = "Issuing CA", key = "p256:ca";
  }
  all["leaf"] = certificate("leaf", "p256:leaf", issuer, key);
  all["leaf"].extensions["subjectAltName"] = "DNS:host.good.example";
  all["leaf"].extensions["keyUsage"] = "critical,digitalSignature";
  all["leaf"].extensions["extendedKeyUsage"] = "serverAuth,clientAuth";
  scenario.sent = {"leaf"};
  if (levels >= 2) scenario.sent.push_back("ca");
  if (levels >= 3) scenario.sent.push_back("upper");
  scenario.trusted = {"root"};
  return scenario;
}

/// What a mutation is about may not be there in a shorter chain: then it changes nothing.
using Change = std::function<void(CertificateSpec&)>;

std::function<void(Scenario&)> to(const std::string& name, Change change) {
  return [name, change = std::move(change)](Scenario& scenario) {
    const auto found = scenario.certificates.find(name);
    if (found != scenario.certificates.end()) change(found->second);
  };
}

std::function<void(Scenario&)> with(const std::string& name, const std::string& extension,
                                    const std::string& value) {
  return to(name, [=](CertificateSpec& spec) { spec.extensions[extension] = value; });
}

std::function<void(Scenario&)> without(const std::string& name, const std::string& extension) {
  return to(name, [=](CertificateSpec& spec) { spec.extensions.erase(extension); });
}

/// Adds to the leaf's names.
std::function<void(Scenario&)> named(const std::string& names) {
  return to("leaf", [=](CertificateSpec& spec) {
    std::string& value = spec.extensions["subjectAltName"];
    if (value.starts_with("DER:")) return;
    value += (value.empty() ? "" : ",") + names;
  });
}

/// A key of another kind, with whatever is signed by it.
std::function<void(Scenario&)> keyed(const std::string& name, const std::string& kind) {
  return [=](Scenario& scenario) {
    const auto found = scenario.certificates.find(name);
    if (found == scenario.certificates.end()) return;
    const std::string before = found->second.key, now = kind + ":" + name;
    found->second.key = now;
    for (auto& [other, spec] : scenario.certificates) {
      if (spec.signer_key == before) spec.signer_key = now;
    }
  };
}

struct Named {
  const char* name;
  const char* extension;
  const char* value;
};

void add_about_cas(std::vector<Mutation>& list) {
  constexpr Named kExtensions[] = {
      {"CA:FALSE", "basicConstraints", "critical,CA:FALSE"},
      {"CA:TRUE not critical", "basicConstraints", "CA:TRUE"},
      {"path length 0", "basicConstraints", "critical,CA:TRUE,pathlen:0"},
      {"path length 1", "basicConstraints", "critical,CA:TRUE,pathlen:1"},
      {"key usage without keyCertSign", "keyUsage", "critical,digitalSignature,cRLSign"},
      {"key usage keyCertSign alone", "keyUsage", "keyCertSign"},
      {"for servers only", "extendedKeyUsage", "serverAuth"},
      {"for clients only", "extendedKeyUsage", "clientAuth"},
      {"for any purpose", "extendedKeyUsage", "anyExtendedKeyUsage"},
      {"for code only", "extendedKeyUsage", "critical,codeSigning"},
      {"unknown extension", "1.2.3.4", "DER:0500"},
      {"unknown critical extension", "1.2.3.4", "critical,DER:0500"},
      {"unknown critical extension of a UUID", "2.25.329800735698586629295641978511506172918",
       "critical,DER:0500"},
      {"permits good.example", "nameConstraints", "critical,permitted;DNS:good.example"},
      {"permits .good.example", "nameConstraints", "permitted;DNS:.good.example"},
      {"permits other.example", "nameConstraints", "critical,permitted;DNS:other.example"},
      {"permits the empty DNS name", "nameConstraints", "critical,DER:3006a00430028200"},
      {"excludes good.example", "nameConstraints", "critical,excluded;DNS:good.example"},
      {"excludes evil.example", "nameConstraints", "critical,excluded;DNS:evil.example"},
      {"permits 10.0.0.0/8", "nameConstraints", "critical,permitted;IP:10.0.0.0/255.0.0.0"},
      {"excludes 10.0.0.0/8", "nameConstraints", "critical,excluded;IP:10.0.0.0/255.0.0.0"},
      {"permits fd00::/8", "nameConstraints",
       "critical,permitted;IP:fd00:0:0:0:0:0:0:0/ff00:0:0:0:0:0:0:0"},
      {"permits URIs of good.example", "nameConstraints", "critical,permitted;URI:good.example"},
      {"permits URIs below good.example", "nameConstraints",
       "critical,permitted;URI:.good.example"},
      {"excludes URIs below evil.example", "nameConstraints",
       "critical,excluded;URI:.evil.example"},
      {"permits mail at good.example", "nameConstraints", "critical,permitted;email:good.example"},
      {"permits mail below good.example", "nameConstraints",
       "critical,permitted;email:.good.example"},
      {"permits one mailbox", "nameConstraints", "critical,permitted;email:me@good.example"},
      {"excludes mail at evil.example", "nameConstraints", "critical,excluded;email:evil.example"},
      {"permits a registered ID", "nameConstraints", "critical,permitted;RID:1.2.3"},
      {"permits the directory CN=leaf", "nameConstraints",
       "critical,DER:3017a0153013a411300f310d300b06035504030c046c656166"},
      {"excludes the directory CN=leaf", "nameConstraints",
       "critical,DER:3017a1153013a411300f310d300b06035504030c046c656166"},
      {"permits the directory CN=LEAF, printable", "nameConstraints",
       "critical,DER:3017a0153013a411300f310d300b06035504031304"
       "4c454146"},
      {"excludes one host", "nameConstraints", "critical,excluded;DNS:host.good.example"},
      {"excludes another host", "nameConstraints", "excluded;DNS:a.good.example"},
      {"permits two, excludes one", "nameConstraints",
       "critical,permitted;DNS:good.example,permitted;DNS:evil.example,excluded;DNS:x.evil.example,"
       "permitted;IP:10.1.0.0/255.255.0.0"},
      {"permits a distance", "nameConstraints",
       "critical,DER:3015a0133011820c676f6f642e6578616d706c65800101"},
      {"has empty constraints", "nameConstraints", "critical,DER:3000"},
      {"requires a policy", "policyConstraints", "critical,requireExplicitPolicy:0"},
      {"requires a policy below", "policyConstraints", "critical,requireExplicitPolicy:1"},
      {"inhibits mapping", "policyConstraints", "critical,inhibitPolicyMapping:0"},
      {"inhibits any policy", "inhibitAnyPolicy", "critical,0"},
      {"policy 1.2.3", "certificatePolicies", "1.2.3"},
      {"policy 1.2.4", "certificatePolicies", "critical,1.2.4"},
      {"policies 1.2.3 and 1.2.4", "certificatePolicies", "1.2.3,1.2.4"},
      {"any policy", "certificatePolicies", "2.5.29.32.0"},
      {"maps 1.2.3 to 1.2.4", "policyMappings", "critical,1.2.3:1.2.4"},
      {"maps 1.2.4 to 1.2.3", "policyMappings", "1.2.4:1.2.3"},
      {"another key identifier", "subjectKeyIdentifier", "01020304"},
  };
  for (const std::string name : {"ca", "upper", "root"}) {
    for (const Named& one : kExtensions) {
      list.push_back({name + ": " + one.name, with(name, one.extension, one.value)});
    }
    for (const char* extension :
         {"basicConstraints", "keyUsage", "subjectKeyIdentifier", "authorityKeyIdentifier"}) {
      list.push_back({name + ": no " + extension, without(name, extension)});
    }
    list.push_back({name + ": version 1", to(name, [](CertificateSpec& spec) {
                      spec.version = 1;
                      spec.extensions.clear();
                    })});
  }
}

void add_about_leaves(std::vector<Mutation>& list) {
  constexpr Named kExtensions[] = {
      {"is a CA", "basicConstraints", "critical,CA:TRUE"},
      {"says CA:FALSE", "basicConstraints", "critical,CA:FALSE"},
      {"key usage keyEncipherment", "keyUsage", "critical,keyEncipherment"},
      {"key usage keyAgreement", "keyUsage", "keyAgreement"},
      {"key usage keyCertSign", "keyUsage", "keyCertSign"},
      {"key usage all", "keyUsage", "digitalSignature,keyEncipherment,keyAgreement,keyCertSign"},
      {"for servers", "extendedKeyUsage", "serverAuth"},
      {"for clients", "extendedKeyUsage", "clientAuth"},
      {"for any purpose", "extendedKeyUsage", "anyExtendedKeyUsage"},
      {"for code", "extendedKeyUsage", "codeSigning"},
      {"for servers, critical", "extendedKeyUsage", "critical,serverAuth,codeSigning"},
      {"unknown extension", "1.2.3.4", "DER:0500"},
      {"unknown critical extension", "1.2.3.4", "critical,DER:0500"},
      {"unknown critical extension of a UUID", "2.25.329800735698586629295641978511506172918",
       "critical,DER:0500"},
      {"policy 1.2.3", "certificatePolicies", "1.2.3"},
      {"policy 1.2.4", "certificatePolicies", "critical,1.2.4"},
      {"any policy", "certificatePolicies", "2.5.29.32.0"},
      {"another authority's key identifier", "authorityKeyIdentifier", "DER:3006800401020304"},
      {"critical names", "subjectAltName", "critical,DNS:host.good.example"},
      // dNSName host.good.example and directoryName CN=leaf
      {"a directory name, too", "subjectAltName",
       "DER:30268211686f73742e676f6f642e6578616d706c65a411300f310d300b06035504030c046c656166"},
      {"a policy twice removed", "certificatePolicies", "1.2.5"},
      {"must staple", "tlsfeature", "status_request"},
  };
  for (const Named& one : kExtensions) {
    list.push_back({std::string("leaf: ") + one.name, with("leaf", one.extension, one.value)});
  }
  for (const char* extension : {"keyUsage", "extendedKeyUsage", "subjectAltName",
                                "subjectKeyIdentifier", "authorityKeyIdentifier"}) {
    list.push_back({std::string("leaf: no ") + extension, without("leaf", extension)});
  }
  for (const char* names :
       {"DNS:evil.example", "DNS:sub.host.good.example", "DNS:notgood.example", "DNS:GOOD.EXAMPLE",
        "DNS:*.good.example", "DNS:*.evil.example", "IP:10.1.2.3", "IP:192.0.2.1",
        "IP:fd00:0:0:0:0:0:0:1", "URI:https://good.example/x", "URI:https://a.good.example:443/x",
        "URI:spiffe://evil.example/x", "URI:urn:x", "URI:https://192.0.2.1/x",
        "email:me@good.example", "email:me@a.good.example", "email:me@evil.example",
        "RID:1.2.3.4"}) {
    list.push_back({std::string("leaf: also ") + names, named(names)});
  }
  const auto subject = [](const char* text) {
    return to("leaf", [text](CertificateSpec& spec) { spec.subject = text; });
  };
  for (const char* text :
       {"", "/CN=host.good.example", "/CN=www.evil.example", "/CN=alice", "/O=Good/CN=leaf",
        "/CN=leaf/emailAddress=me@good.example", "/CN=leaf/emailAddress=me@evil.example"}) {
    list.push_back({std::string("leaf: is ") + text, subject(text)});
  }
  list.push_back({"leaf: a wildcard alone", with("leaf", "subjectAltName", "DNS:*.good.example")});
  list.push_back({"leaf: another name alone", with("leaf", "subjectAltName", "DNS:other.example")});
  list.push_back({"leaf: an address alone", with("leaf", "subjectAltName", "IP:10.1.2.3")});
}

void add_about_any(std::vector<Mutation>& list) {
  for (const std::string name : {"leaf", "ca", "upper", "root"}) {
    const auto add = [&](const std::string& what, Change change) {
      list.push_back({name + ": " + what, to(name, std::move(change))});
    };
    add("expired", [](CertificateSpec& s) { s.days_before = -20, s.days_after = -10; });
    add("not valid yet", [](CertificateSpec& s) { s.days_before = 10, s.days_after = 20; });
    add("damaged signature", [](CertificateSpec& s) { s.damaged = true; });
    add("signed with SHA-1", [](CertificateSpec& s) { s.digest = "SHA1"; });
    add("signed with SHA-384", [](CertificateSpec& s) { s.digest = "SHA384"; });
    add("signed with SHA-512", [](CertificateSpec& s) { s.digest = "SHA512"; });
    add("serial 0", [](CertificateSpec& s) { s.serial = "00"; });
    add("negative serial", [](CertificateSpec& s) { s.serial = "-7f"; });
    add("name as PrintableString", [](CertificateSpec& s) { s.name_type = 0x13; });
    add("issuer as PrintableString", [](CertificateSpec& s) { s.issuer_name_type = 0x13; });
    add("issuer as BMPString", [](CertificateSpec& s) { s.issuer_name_type = 0x1e; });
    add("issuer in capitals", [](CertificateSpec& s) {
      for (char& c : s.issuer) c = static_cast<char>(std::toupper(c));
    });
    add("issuer with other spaces", [](CertificateSpec& s) { s.issuer = " " + s.issuer + "  "; });
    add("issuer of another name", [](CertificateSpec& s) { s.issuer = "Nobody"; });
    add("signed by another key", [](CertificateSpec& s) { s.signer_key = "p256:unrelated"; });
    for (const char* kind : {"p384", "p521", "rsa2048", "rsa1024", "ed25519"}) {
      list.push_back({name + ": " + kind, keyed(name, kind)});
    }
    list.push_back({name + ": RSA, signs with PSS", [name](Scenario& scenario) {
                      keyed(name, "rsa2048")(scenario);
                      for (auto& [other, spec] : scenario.certificates) {
                        if (spec.signer_key == "rsa2048:" + name) spec.pss = true;
                      }
                    }});
  }
}

void add_about_what_is_sent(std::vector<Mutation>& list) {
  const auto add = [&](const std::string& name, std::function<void(Scenario&)> apply) {
    list.push_back({name, std::move(apply)});
  };
  add("the root is sent, too", [](Scenario& s) { s.sent.push_back("root"); });
  add("in the wrong order", [](Scenario& s) { std::reverse(s.sent.begin() + 1, s.sent.end()); });
  add("the leaf alone is sent", [](Scenario& s) { s.sent.resize(1); });
  add("each is sent twice", [](Scenario& s) {
    const auto sent = s.sent;
    s.sent.insert(s.sent.end(), sent.begin(), sent.end());
  });
  add("the CA is trusted", [](Scenario& s) {
    if (s.certificates.contains("ca")) s.trusted = {"ca"};
  });
  add("the CA is trusted, too", [](Scenario& s) {
    if (s.certificates.contains("ca")) s.trusted.push_back("ca");
  });
  add("the leaf is trusted", [](Scenario& s) { s.trusted = {"leaf"}; });
  add("another root is trusted", [](Scenario& s) {
    s.certificates["other"] = ca("Other", "p256:other", "Other", "p256:other");
    s.trusted = {"other"};
  });
  add("a namesake of the root is trusted, too", [](Scenario& s) {
    s.certificates["namesake"] = ca("Root", "p256:namesake", "Root", "p256:namesake");
    s.trusted.insert(s.trusted.begin(), "namesake");
  });
  add("a namesake without key identifiers is trusted, too", [](Scenario& s) {
    auto& namesake = s.certificates["bare-namesake"];
    namesake = ca("Root", "p256:namesake", "Root", "p256:namesake");
    namesake.extensions.erase("subjectKeyIdentifier");
    s.trusted.insert(s.trusted.begin(), "bare-namesake");
  });
  add("the root is cross-signed by one that is not trusted", [](Scenario& s) {
    s.certificates["cross"] = ca("Root", "p256:root", "Old Root", "p256:old");
    s.sent.push_back("cross");
  });
  add("the root is cross-signed by the one that is trusted", [](Scenario& s) {
    s.certificates["old"] = ca("Old Root", "p256:old", "Old Root", "p256:old");
    s.certificates["cross"] = ca("Root", "p256:root", "Old Root", "p256:old");
    s.sent.push_back("cross");
    s.trusted = {"old"};
  });
  add("an expired twin of the CA is sent first", [](Scenario& s) {
    if (!s.certificates.contains("ca")) return;
    auto& twin = s.certificates["twin"];
    twin = s.certificates["ca"];
    twin.days_before = -20, twin.days_after = -10;
    s.sent.insert(s.sent.begin() + 1, "twin");
  });
  add("a namesake of the CA is sent first", [](Scenario& s) {
    if (!s.certificates.contains("ca")) return;
    auto& twin = s.certificates["twin"];
    twin = s.certificates["ca"];
    twin.key = "p256:twin";
    s.sent.insert(s.sent.begin() + 1, "twin");
  });
  add("the CA has issued itself a new key", [](Scenario& s) {
    if (!s.certificates.contains("ca")) return;
    s.certificates["new"] = ca("Issuing CA", "p256:new", "Issuing CA", "p256:ca");
    s.certificates["leaf"].signer_key = "p256:new";
    s.sent.insert(s.sent.begin() + 1, "new");
  });
  add("something else is sent, too", [](Scenario& s) {
    s.certificates["else"] = ca("Else", "p256:else", "Nobody", "p256:nobody");
    s.sent.insert(s.sent.begin() + 1, "else");
  });
}

}  // namespace

std::string description_of(const Scenario& scenario) {
  std::string text = std::to_string(scenario.certificates.size() - 1) + " below the root, a ";
  text += scenario.purpose == Purpose::server_auth ? "server" : "client";
  for (const std::string& mutation : scenario.mutations) text += "; " + mutation;
  return text;
}

std::vector<Scenario> valid_scenarios() {
  std::vector<Scenario> list;
  for (const int levels : {2, 3, 1}) {
    for (const Purpose purpose : {Purpose::server_auth, Purpose::client_auth}) {
      list.push_back(chain_of(levels, purpose));
    }
  }
  return list;
}

std::vector<Mutation> mutations() {
  std::vector<Mutation> list;
  add_about_leaves(list);
  add_about_cas(list);
  add_about_any(list);
  add_about_what_is_sent(list);
  return list;
}

}  // namespace livetls::test
