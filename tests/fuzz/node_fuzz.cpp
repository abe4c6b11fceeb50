// What another node says: its hello, the verdict on ours, and frames. What is taken is said again
// as it came.
//
// Input: which of the three (1 byte), then its bytes.

#include <string>
#include <string_view>

#include "frame.hpp"
#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "handshake.hpp"

namespace livetls::fuzz {
namespace {

void check(FuzzInput input) {
  const std::uint32_t what = input.number(1) % 3;
  const auto bytes = copy(input.rest());
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (what == 0) {
    const auto hello = node::parse_hello(text);
    if (!hello) return;
    require(hello->connection < hello->connections, "a connection is one of those there are");
    require(node::to_bytes(*hello) == text, "a hello is said as it came");
  } else if (what == 1) {
    const auto proof = node::parse_verdict(text);
    if (proof) require(node::accept_with(*proof) == text, "a proof is said as it came");
  } else {
    const auto frame = node::parse_frame(text);
    if (!frame) return;
    std::string again;
    node::append(*frame, again);
    require(again.substr(4) == text, "a frame is said as it came");
    require(node::cost(*frame) > frame->payload.size(), "all that is received costs credit");
  }
}

const Target kTarget("node", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
