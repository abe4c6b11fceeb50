#pragma once

#include <boost/system/error_code.hpp>
#include <type_traits>

#include "livetls/base/error.hpp"

namespace livetls::node {

enum class NodeErrc {
  invalid_name = 1,  ///< no "name@host"

  // Why there is no link
  no_route,              ///< nobody says where the node is
  link_down,             ///< it ended, or could not be made, while something waited for it
  wrong_version,         ///< the nodes have no version of the protocol in common
  wrong_cookie,          ///< or somebody between the nodes
  wrong_name,            ///< another node answered than was called
  peer_not_verified,     ///< no certificate that leads to a root trusted here
  host_not_certified,    ///< the peer's certificate is for other hosts than its name says
  no_channel_binding,    ///< TLS 1.2 was agreed on, or one side is plain
  dialled_both_ways,     ///< the other node's call goes on, this one ends
  too_many_connections,  ///< for one link, or handshakes at the same time
  handshake_malformed,

  // Messages
  message_too_large,
  queue_full,
  unknown_service,  ///< the peer has no handler for it
  handler_failed,   ///< the peer's threw, or said so
  cancelled,        ///< nobody waits for the events any more
  protocol_violation,
};

const boost::system::error_category& node_category() noexcept;
boost::system::error_code make_error_code(NodeErrc code) noexcept;

}  // namespace livetls::node

namespace boost::system {
template <>
struct is_error_code_enum<livetls::node::NodeErrc> : std::true_type {};
}  // namespace boost::system
