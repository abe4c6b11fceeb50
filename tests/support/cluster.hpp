#pragma once

#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <csignal>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "support/programs.hpp"
#include "support/subprocess.hpp"
#include "support/temporary_directory.hpp"
#include "support/test_ca.hpp"

namespace livetls::test {

/// Nodes in processes of their own (cluster_node.cpp) that all send to all.
class Cluster {
 public:
  explicit Cluster(std::vector<std::string> names) : names_(std::move(names)) {
    directory_.write("roots.pem", ca_.root_pem());
    for (const std::string& name : names_) {
      renew(name);
      start(name);
    }
  }

  /// A process that has none of the cluster's certificates, and knows all the rest.
  void start_stranger(const std::string& name) {
    const CertificateAuthority other = CertificateAuthority::create().value();
    write(name, other.issue({}).value());
    start(name);
  }

  void start(const std::string& name) {
    std::vector<std::string> command{built_program("livetls_cluster_node"), name,
                                     directory_.path().string()};
    for (const std::string& other : names_) {
      if (other != name) command.push_back(other);
    }
    auto node = std::make_unique<Subprocess>(std::move(command));
    node->read_until("ready\n");
    nodes_[name] = std::move(node);
  }

  void kill(const std::string& name) { nodes_.erase(name); }  // Subprocess kills with SIGKILL

  /// Another certificate, in its files.
  void renew(const std::string& name) {
    write(name, ca_.issue({.organization = name + std::to_string(++renewals_)}).value());
  }

  /// All at once, and waits for what each says then.
  void signal_all(int number, const std::string& answer) {
    for (const std::string& name : names_) nodes_.at(name)->signal(number);
    for (const std::string& name : names_) nodes_.at(name)->read_until(answer + "\n");
  }

  boost::json::object report(const std::string& name, const std::string& command = "report") {
    nodes_.at(name)->write(command + "\n");
    std::string line = nodes_.at(name)->read_until("}\n");
    return boost::json::parse(line).as_object();
  }

  int stop(const std::string& name) {
    const int code = nodes_.at(name)->wait().exit_code;
    nodes_.erase(name);
    return code;
  }

  const std::vector<std::string>& names() const { return names_; }

 private:
  void write(const std::string& name, const Certificate& certificate) {
    const SecretBytes key = certificate.private_key().to_pem();
    directory_.write(name + ".pem", certificate.to_pem());
    directory_.write(name + ".key", std::string(key.begin(), key.end()));
  }

  const std::vector<std::string> names_;
  const CertificateAuthority ca_ = CertificateAuthority::create().value();
  const TemporaryDirectory directory_;
  std::uint64_t renewals_ = 0;
  std::map<std::string, std::unique_ptr<Subprocess>> nodes_;
};

}  // namespace livetls::test
