#include "livetls/node/error.hpp"

#include <boost/system/error_category.hpp>

namespace livetls::node {
namespace {

class NodeCategory final : public boost::system::error_category {
 public:
  const char* name() const noexcept override { return "livetls.node"; }

  std::string message(int code) const override {
    switch (static_cast<NodeErrc>(code)) {
      case NodeErrc::invalid_name: return "a node's name is name@host";
      case NodeErrc::no_route: return "nobody says where this node is";
      case NodeErrc::link_down: return "the link is down";
      case NodeErrc::wrong_version: return "no version of the protocol in common";
      case NodeErrc::wrong_cookie: return "the cookies differ, or somebody sits between the nodes";
      case NodeErrc::wrong_name: return "another node answered";
      case NodeErrc::peer_not_verified: return "the peer's certificate is missing or not trusted";
      case NodeErrc::host_not_certified: return "the peer's certificate is not for its host";
      case NodeErrc::no_channel_binding: return "the connection cannot be bound: TLS 1.3 is needed";
      case NodeErrc::dialled_both_ways: return "the nodes called each other: one call goes on";
      case NodeErrc::too_many_connections: return "too many connections or handshakes";
      case NodeErrc::handshake_malformed: return "the node handshake is malformed";
      case NodeErrc::message_too_large: return "a message is too large";
      case NodeErrc::queue_full: return "too much waits to be sent";
      case NodeErrc::unknown_service: return "the node has no such service";
      case NodeErrc::handler_failed: return "the service failed";
      case NodeErrc::cancelled: return "nobody waits for it any more";
      case NodeErrc::protocol_violation: return "the peer broke the protocol of links";
    }
    return "unknown";
  }
};

}  // namespace

const boost::system::error_category& node_category() noexcept {
  static const NodeCategory category;
  return category;
}

boost::system::error_code make_error_code(NodeErrc code) noexcept {
  return {static_cast<int>(code), node_category()};
}

}  // namespace livetls::node
