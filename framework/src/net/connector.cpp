#include "livetls/net/connector.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <mutex>
#include <stdexcept>
#include <utility>

#include "livetls/base/log.hpp"
#include "livetls/tls/client_context.hpp"
#include "livetls/tls/tls_engine.hpp"
#include "net/apply_tcp_options.hpp"
#include "net/dial.hpp"

namespace livetls {
namespace {

constexpr std::size_t kMaxSessions = 1000;

void check(const ConnectorOptions& options) {
  const auto none = std::chrono::steady_clock::duration::zero();
  if (options.connect_timeout <= none || options.attempt_delay <= none ||
      options.handshake_timeout <= none) {
    throw std::invalid_argument("the durations of ConnectorOptions must be above zero");
  }
  check(options.tcp);
}

/// What is shown, and who is believed.
struct Credentials {
  std::optional<Certificate> certificate;
  std::optional<TrustBundle> roots;
};

Credentials credentials_of(const CertManager* manager, const ConnectorOptions& options) {
  if (manager == nullptr) return {std::nullopt, options.roots};
  if (!options.roots_of_manager) return {manager->certificate(), options.roots};
  auto [certificate, roots] = manager->credentials();
  return {std::move(certificate), std::move(roots)};
}

bool is_tcp(const StreamSocket& socket) {
  boost::system::error_code ended;
  const int family = socket.local_endpoint(ended).protocol().family();
  return !ended && family != AF_UNIX;
}

std::string to_string(const Target& target) {
  return target.port == 0 ? target.host : target.host + ":" + std::to_string(target.port);
}

bool is_pinned(const Connection& connection, const std::vector<Fingerprint>& pins) {
  const auto peer = connection.peer_certificate();
  return peer && std::ranges::find(pins, peer->public_key_fingerprint) != pins.end();
}

/// A session belongs to whom it was made with, under what was asked of them.
std::string session_key(const Target& target, const ServerName& name) {
  return to_string(target) + " " + name.text();
}

}  // namespace

/// What connections are made with while our certificate is the same, and the sessions of those.
class Connector::Trust {
 public:
  Trust(const ConnectorOptions& options, Credentials credentials, bool skip_verify)
      : context_(ClientContext::create({.roots = std::move(credentials.roots),
                                        .policy = options.policy,
                                        .certificate = std::move(credentials.certificate),
                                        .alpn = options.alpn,
                                        .insecure_skip_verify = skip_verify,
                                        .channel_binding = options.channel_binding})
                     .value()) {}

  bool is_of(const Credentials& credentials) const {
    const ClientOptions& options = context_->options();
    return options.certificate == credentials.certificate && options.roots == credentials.roots;
  }

  const std::shared_ptr<const ClientContext>& context() const { return context_; }

  /// For one connection only (RFC 8446, appendix C.4): who listens cannot tell that it is the same
  /// client's.
  std::optional<ClientSession> take_session(const std::string& key) {
    const std::scoped_lock lock(mutex_);
    const auto node = sessions_.extract(key);
    return node ? std::optional(node.mapped()) : std::nullopt;
  }

  void keep_session(const std::string& key, ClientSession session) {
    const std::scoped_lock lock(mutex_);
    if (sessions_.size() == kMaxSessions) sessions_.erase(sessions_.begin());
    sessions_.insert_or_assign(key, std::move(session));
  }

 private:
  std::shared_ptr<const ClientContext> context_;
  std::mutex mutex_;
  std::map<std::string, ClientSession> sessions_;
};

struct Connector::Current {
  std::mutex mutex;
  std::array<std::shared_ptr<Trust>, 2> trust;  // the second for who skips verification
};

Connector::Connector(std::shared_ptr<const CertManager> manager, ConnectorOptions options)
    : manager_(std::move(manager)),
      options_(std::move(options)),
      current_(std::make_unique<Current>()) {
  check(options_);
  if (options_.plain) return;
  if (options_.roots_of_manager) {
    if (!manager_ || options_.roots) {
      throw std::invalid_argument("roots_of_manager takes a manager, and no other roots");
    }
  } else if (!options_.roots && !options_.insecure_skip_verify) {
    options_.roots = TrustBundle::system().value();
  }
  trust_for(options_.insecure_skip_verify).value();
}

Connector::~Connector() = default;

/// Made anew when our certificate or whom we believe has changed.
Result<std::shared_ptr<Connector::Trust>> Connector::trust_for(bool skip_verify) {
  Credentials credentials = credentials_of(manager_.get(), options_);
  if (options_.roots_of_manager && !credentials.roots) return Error(Errc::no_client_roots);
  const std::scoped_lock lock(current_->mutex);
  std::shared_ptr<Trust>& trust = current_->trust[skip_verify ? 1 : 0];
  if (!trust || !trust->is_of(credentials)) {
    trust = std::make_shared<Trust>(options_, std::move(credentials), skip_verify);
  }
  return trust;
}

Task<Result<std::unique_ptr<Connection>>> Connector::connect(Target target) {
  const auto name =
      ServerName::parse(target.server_name.empty() ? target.host : target.server_name);
  if (!options_.plain && !name) co_return name.error();
  const DialTimes times{options_.connect_timeout, options_.attempt_delay};
  auto socket = co_await dial(target.host, target.port, times);
  if (!socket) co_return socket.error();
  if (is_tcp(*socket)) apply(options_.tcp, socket->native_handle());
  if (options_.plain) {
    co_return std::make_unique<Connection>(std::move(*socket), nullptr);
  }
  const bool skip_verify = options_.insecure_skip_verify || target.insecure_skip_verify;
  if (skip_verify) {
    log(LogLevel::warning, "connecting to " + to_string(target) +
                               " without verifying who answers (insecure_skip_verify)");
  }
  const auto trusted = trust_for(skip_verify);
  if (!trusted) co_return trusted.error();
  const std::shared_ptr<Trust>& trust = *trusted;
  const std::string key = session_key(target, *name);
  const bool resumes = options_.resume && target.pins.empty();
  auto session = resumes ? trust->take_session(key) : std::nullopt;
  auto connection =
      std::make_unique<Connection>(std::move(*socket), trust->context(), *name, std::move(session));
  connection->deadline().expires_after(options_.handshake_timeout);
  const auto error = co_await connection->handshake();
  connection->deadline().clear();
  if (error) {
    const std::string_view reason = connection->refusal_reason();
    std::string where = to_string(target);
    if (!reason.empty()) where.append(": ").append(reason);
    co_return Error(error, std::move(where));
  }
  if (!target.pins.empty() && !is_pinned(*connection, target.pins)) {
    co_return Error(Errc::peer_not_pinned, to_string(target));
  }
  if (resumes) {
    connection->keep_session(
        [trust, key](ClientSession made) { trust->keep_session(key, std::move(made)); });
  }
  co_return connection;
}

}  // namespace livetls
