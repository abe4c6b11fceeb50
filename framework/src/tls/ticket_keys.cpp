#include "livetls/tls/ticket_keys.hpp"

#include <algorithm>

#include "livetls/base/random_bytes.hpp"
#include "pki/crypto.hpp"

namespace livetls {
namespace {

using Bytes = std::span<const std::uint8_t>;

constexpr std::size_t kSecretBytes = 32;
constexpr std::array<std::uint8_t, 8> kMagic = {'l', 't', 'l', 's', 't', 'k', '0', '1'};

/// How far a ticket may come from the future: the clocks of machines that share secrets differ.
constexpr std::chrono::seconds kClockSkew = std::chrono::minutes(5);

void put_number(std::uint64_t number, std::span<std::uint8_t> into) {
  for (std::size_t i = into.size(); i-- > 0; number >>= 8) {
    into[i] = static_cast<std::uint8_t>(number & 0xff);
  }
}

std::uint64_t number_in(Bytes bytes) {
  std::uint64_t number = 0;
  for (const std::uint8_t byte : bytes) number = number << 8 | byte;
  return number;
}

std::uint64_t to_number(std::chrono::sys_seconds time) {
  return static_cast<std::uint64_t>(time.time_since_epoch().count());
}

std::chrono::sys_seconds to_time(std::uint64_t number) {
  return std::chrono::sys_seconds(std::chrono::seconds(static_cast<std::int64_t>(number)));
}

/// One key for each policy, so that a ticket of one is noise under another.
Result<SecretBytes> ticket_key(const SecretBytes& secret, const TicketKeys::PolicyDigest& policy) {
  static constexpr std::string_view kPurpose = "livetls session ticket";
  std::array<std::uint8_t, kPurpose.size() + std::tuple_size_v<TicketKeys::PolicyDigest>> info;
  std::ranges::copy(policy, std::ranges::copy(kPurpose, info.begin()).out);
  return crypto::hkdf_sha256(secret, info, kSecretBytes);
}

}  // namespace

TicketKeys::TicketKeys(Options options) : options_(std::move(options)), epochs_(fresh_epochs()) {}

std::chrono::sys_seconds TicketKeys::now() const {
  if (options_.now) return options_.now();
  return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

TicketKeys::Epoch TicketKeys::fresh_epoch() {
  SecretBytes random(kNameBytes + kSecretBytes);
  random_bytes(random);
  Epoch epoch;
  std::copy_n(random.begin(), kNameBytes, epoch.name.begin());
  epoch.secret.assign(random.begin() + kNameBytes, random.end());
  return epoch;
}

std::shared_ptr<const TicketKeys::Epochs> TicketKeys::fresh_epochs() const {
  return std::make_shared<const Epochs>(
      Epochs{fresh_epoch(), fresh_epoch(), fresh_epoch(), now() + options_.epoch});
}

/// The epochs of now. The first to notice that the current one is over makes the step; the others
/// go on with what there is, which opens and seals as well.
std::shared_ptr<const TicketKeys::Epochs> TicketKeys::epochs() const {
  std::shared_ptr<const Epochs> seen = epochs_.load();
  const std::chrono::sys_seconds time = now();
  if (time < seen->current_until) return seen;
  const std::unique_lock lock(changes_, std::try_to_lock);
  if (!lock) return seen;
  seen = epochs_.load();
  if (time < seen->current_until) return seen;

  // After a pause of more than an epoch, what was current is too old to be the previous one.
  const bool long_over = time >= seen->current_until + options_.epoch;
  auto stepped =
      long_over ? fresh_epochs()
                : std::make_shared<const Epochs>(Epochs{seen->current, seen->next, fresh_epoch(),
                                                        seen->current_until + options_.epoch});
  epochs_.store(stepped);
  return stepped;
}

bool TicketKeys::know(std::span<const std::uint8_t> ticket) const {
  if (ticket.size() < kNameBytes) return false;
  const auto known = epochs();
  const auto name = ticket.first(kNameBytes);
  return std::ranges::equal(name, known->previous.name) ||
         std::ranges::equal(name, known->current.name) ||
         std::ranges::equal(name, known->next.name);
}

void TicketKeys::revoke_all() {
  const std::scoped_lock lock(changes_);
  epochs_.store(fresh_epochs());
}

Result<TicketKeys::Sealed> TicketKeys::seal(std::span<std::uint8_t> ticket,
                                            const PolicyDigest& policy,
                                            std::chrono::sys_seconds authenticated_at) const {
  if (ticket.size() < kOverheadBytes) return Error{Errc::ticket_refused, "no room"};
  const auto current = epochs();
  const auto key = ticket_key(current->current.secret, policy);
  if (!key) return key.error();
  Sealed sealed;
  random_bytes(sealed.nonce);
  sealed.name = current->current.name;
  put_number(to_number(authenticated_at), ticket.last(kOverheadBytes));
  if (const auto done = crypto::aes_gcm_seal(*key, sealed.nonce, sealed.name, ticket, sealed.tag);
      !done) {
    return done.error();
  }
  return sealed;
}

Result<TicketKeys::Opened> TicketKeys::open(std::span<std::uint8_t> ticket, const Sealed& sealed,
                                            const PolicyDigest& policy) const {
  const auto known = epochs();
  const Epoch* epoch = nullptr;
  for (const Epoch* candidate : {&known->current, &known->previous, &known->next}) {
    if (candidate->name == sealed.name) epoch = candidate;
  }
  if (epoch == nullptr || ticket.size() < kOverheadBytes) return Error{Errc::ticket_refused};
  const auto key = ticket_key(epoch->secret, policy);
  if (!key) return key.error();
  if (!crypto::aes_gcm_open(*key, sealed.nonce, sealed.name, ticket, sealed.tag)) {
    return Error{Errc::ticket_refused};
  }
  const std::chrono::sys_seconds authenticated_at = to_time(number_in(ticket.last(kOverheadBytes)));
  // Not subtracted: a machine that shares the secrets may have sealed any number.
  const std::chrono::sys_seconds time = now();
  if (authenticated_at < time - options_.max_age || authenticated_at > time + kClockSkew) {
    return Error{Errc::ticket_refused, "its age"};
  }
  return Opened{authenticated_at, epoch != &known->current};
}

// The exported form: a magic number, the end of the current epoch, and three names and secrets.

SecretBytes TicketKeys::export_secrets() const {
  const auto known = epochs();
  SecretBytes out(kMagic.begin(), kMagic.end());
  out.resize(out.size() + 8);
  put_number(to_number(known->current_until), std::span(out).last(8));
  for (const Epoch* epoch : {&known->previous, &known->current, &known->next}) {
    out.insert(out.end(), epoch->name.begin(), epoch->name.end());
    out.insert(out.end(), epoch->secret.begin(), epoch->secret.end());
  }
  return out;
}

Result<void> TicketKeys::import_secrets(std::span<const std::uint8_t> exported) {
  constexpr std::size_t kEpochBytes = kNameBytes + kSecretBytes;
  constexpr std::size_t kHeadBytes = kMagic.size() + 8;
  if (exported.size() != kHeadBytes + 3 * kEpochBytes ||
      !std::ranges::equal(exported.first(kMagic.size()), kMagic)) {
    return Error{Errc::ticket_secrets_malformed};
  }
  Epochs epochs;
  epochs.current_until = to_time(number_in(exported.subspan(kMagic.size(), 8)));
  Bytes rest = exported.subspan(kHeadBytes);
  for (Epoch* epoch : {&epochs.previous, &epochs.current, &epochs.next}) {
    std::copy_n(rest.begin(), kNameBytes, epoch->name.begin());
    epoch->secret.assign(rest.begin() + kNameBytes, rest.begin() + kEpochBytes);
    rest = rest.subspan(kEpochBytes);
  }
  if (epochs.previous.name == epochs.current.name || epochs.current.name == epochs.next.name ||
      epochs.next.name == epochs.previous.name) {
    return Error{Errc::ticket_secrets_malformed, "two epochs have one name"};
  }
  const std::scoped_lock lock(changes_);
  epochs_.store(std::make_shared<const Epochs>(std::move(epochs)));
  return {};
}

}  // namespace livetls
