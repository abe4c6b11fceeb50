// Session tickets come back from strangers, and ticket secrets from files: only what was sealed
// opens, only as it was sealed, and secrets that are refused change nothing.
//
// Input: a byte that says what is tried, then what that takes.

#include <algorithm>

#include "fuzz/fuzz_input.hpp"
#include "fuzz/require.hpp"
#include "fuzz/target.hpp"
#include "livetls/tls/ticket_keys.hpp"

namespace livetls::fuzz {
namespace {

using namespace std::chrono_literals;
using std::chrono::sys_seconds;

constexpr std::size_t kEpochBytes = TicketKeys::kNameBytes + 32;  // as exported: name and secret
constexpr std::size_t kFirstEpoch = 16;                           // where the names begin

/// Keys with a clock that stands still until it is set.
struct Keys {
  sys_seconds now{std::chrono::sys_days(std::chrono::year(2026) / 11 / 1)};
  TicketKeys keys{{.epoch = 1h, .max_age = 24h, .now = [this] { return now; }}};
};

/// A ticket as it travels.
struct Ticket {
  std::vector<std::uint8_t> bytes;
  TicketKeys::Sealed sealed;
};

TicketKeys::PolicyDigest policy_from(FuzzInput& input) {
  TicketKeys::PolicyDigest policy{};
  std::ranges::copy(input.take(policy.size()), policy.begin());
  return policy;
}

Ticket seal(const TicketKeys& keys, Bytes content, const TicketKeys::PolicyDigest& policy,
            sys_seconds authenticated_at) {
  Ticket ticket{copy(content), {}};
  ticket.bytes.resize(content.size() + TicketKeys::kOverheadBytes);
  ticket.sealed = keys.seal(ticket.bytes, policy, authenticated_at).value();
  return ticket;
}

/// By value: opening changes the bytes.
Result<TicketKeys::Opened> open(const TicketKeys& keys, Ticket ticket,
                                const TicketKeys::PolicyDigest& policy) {
  return keys.open(ticket.bytes, ticket.sealed, policy);
}

bool refused(const TicketKeys& keys, const Ticket& ticket, const TicketKeys::PolicyDigest& policy) {
  const auto opened = open(keys, ticket, policy);
  return !opened && opened.error() == Errc::ticket_refused;
}

/// What a stranger made up opens never, also not under the name of an epoch that is there.
void open_arbitrary(FuzzInput input) {
  const Keys with;
  Ticket ticket;
  const std::size_t epoch = input.number(1) % 4;
  const auto policy = policy_from(input);
  std::ranges::copy(input.take(TicketKeys::kNameBytes), ticket.sealed.name.begin());
  std::ranges::copy(input.take(TicketKeys::kNonceBytes), ticket.sealed.nonce.begin());
  std::ranges::copy(input.take(TicketKeys::kTagBytes), ticket.sealed.tag.begin());
  ticket.bytes = copy(input.rest());
  if (epoch < 3) {
    const auto exported = with.keys.export_secrets();
    std::copy_n(exported.begin() + static_cast<std::ptrdiff_t>(kFirstEpoch + epoch * kEpochBytes),
                TicketKeys::kNameBytes, ticket.sealed.name.begin());
  }
  require(refused(with.keys, ticket, policy), "what was not sealed does not open");
}

/// Changes one byte of all that travels.
void flip(Ticket& ticket, std::size_t position, std::uint8_t by) {
  std::vector<std::span<std::uint8_t>> parts = {ticket.sealed.name, ticket.sealed.nonce,
                                                ticket.sealed.tag, ticket.bytes};
  std::size_t total = 0;
  for (const auto part : parts) total += part.size();
  position %= total;
  for (const auto part : parts) {
    if (position < part.size()) {
      part[position] ^= by;
      return;
    }
    position -= part.size();
  }
}

void change_and_open(FuzzInput input) {
  Keys with;
  const std::size_t position = input.number(2);
  const auto by = static_cast<std::uint8_t>(std::max(input.number(1), 1U));
  const auto policy = policy_from(input);
  const Ticket ticket = seal(with.keys, input.rest(), policy, with.now);

  auto content = ticket;
  const auto opened = with.keys.open(content.bytes, content.sealed, policy);
  require(opened && !opened->renew && opened->authenticated_at == with.now, "it opens unchanged");
  require(std::ranges::equal(Bytes(content.bytes).first(input.rest().size()), input.rest()),
          "what was sealed comes out");

  Ticket changed = ticket;
  flip(changed, position, by);
  require(refused(with.keys, changed, policy), "a changed byte makes it useless");
  auto other = policy;
  other[position % other.size()] ^= by;
  require(refused(with.keys, ticket, other), "under another policy it does not open");
  Ticket shorter = ticket;
  shorter.bytes.resize(position % ticket.bytes.size());
  require(refused(with.keys, shorter, policy), "a part of it does not open");
  Ticket longer = ticket;
  longer.bytes.push_back(by);
  require(refused(with.keys, longer, policy), "with more behind it, it does not open");

  with.keys.revoke_all();
  require(refused(with.keys, ticket, policy), "revoked, it does not open");
}

/// Time goes on by up to ten epochs, in steps.
void grow_old(FuzzInput input) {
  Keys with;
  const auto number =
      static_cast<std::int64_t>(std::uint64_t{input.number(4)} << 32 | input.number(4));
  const sys_seconds authenticated_at = input.number(1) % 2 == 0
                                           ? sys_seconds(std::chrono::seconds(number))
                                           : with.now - std::chrono::seconds(number % 200'000);
  const sys_seconds sealed_at = with.now;
  const Ticket ticket = seal(with.keys, input.take(16), {}, authenticated_at);
  for (int step = 0; step < 10; ++step) {
    const auto opened = open(with.keys, ticket, {});
    const bool in_time = authenticated_at >= with.now - 24h && authenticated_at <= with.now + 5min;
    const auto epochs = (with.now - sealed_at) / 1h;
    if (opened) {
      require(in_time && opened->authenticated_at == authenticated_at, "only in its time");
      require(epochs < 2 && opened->renew == (epochs == 1), "in its epoch and the next one");
    } else {
      require(opened.error() == Errc::ticket_refused, "a ticket's one error");
      require(!in_time || epochs >= 2, "in its epoch and the next one it opens");
    }
    with.now += std::chrono::minutes(input.number(1));
  }
}

void import_arbitrary(FuzzInput input) {
  Keys with;
  const Ticket before = seal(with.keys, input.take(8), {}, with.now);
  const auto old = with.keys.export_secrets();
  const auto imported = copy(input.rest());
  const auto result = with.keys.import_secrets(imported);
  if (!result) {
    require(result.error() == Errc::ticket_secrets_malformed, "an import's one error");
    require(with.keys.export_secrets() == old, "a refused import changes nothing");
    require(open(with.keys, before, {}).has_value(), "a refused import ends no session");
    return;
  }
  const auto exported = with.keys.export_secrets();
  const Ticket ticket = seal(with.keys, before.bytes, {}, with.now);
  require(open(with.keys, ticket, {}).has_value(), "what imported secrets seal opens");
  Keys other;
  require(other.keys.import_secrets(exported).has_value(), "what is exported can be imported");
  require(open(other.keys, ticket, {}).has_value(), "and opens what was sealed");
  require(other.keys.export_secrets() == exported, "and is the same");
}

void check(FuzzInput input) {
  switch (input.number(1) % 4) {
    case 0: return open_arbitrary(input);
    case 1: return change_and_open(input);
    case 2: return grow_old(input);
    default: return import_arbitrary(input);
  }
}

const Target kTarget("ticket", [](Bytes input) { check(input); });

}  // namespace
}  // namespace livetls::fuzz
