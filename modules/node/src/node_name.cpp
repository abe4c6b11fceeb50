#include "livetls/node/node_name.hpp"

#include "livetls/node/error.hpp"

namespace livetls::node {

Result<NodeName> NodeName::parse(std::string_view text) {
  constexpr std::string_view kTaken =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
  const std::size_t at = text.find('@');
  const std::string_view name = text.substr(0, at);
  if (text.size() > kMaxBytes || at == text.npos || name.empty() ||
      name.find_first_not_of(kTaken) != name.npos) {
    return Error(NodeErrc::invalid_name, std::string(text.substr(0, kMaxBytes)));
  }
  const auto host = ServerName::parse(text.substr(at + 1));
  if (!host) return Error(NodeErrc::invalid_name, std::string(text));
  return NodeName(std::string(name) + "@" + host->text(), *host);
}

}  // namespace livetls::node
