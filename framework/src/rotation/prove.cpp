// A client and a server engine joined by memory: what a stranger will do after the publication is
// done once before it.

#include "rotation/prove.hpp"

#include <boost/asio/buffer.hpp>
#include <set>

#include "livetls/tls/tls_engine.hpp"

namespace livetls {
namespace {

/// Serves one context, whatever is asked for.
class OneContext final : public ContextSource {
 public:
  explicit OneContext(std::shared_ptr<const ServerContext> context)
      : context_(std::move(context)) {}
  Result<Served> select(const ClientHello&) const override { return Served{.context = context_}; }

 private:
  std::shared_ptr<const ServerContext> context_;
};

/// Whether anything moved.
bool move_output(TlsEngine& from, TlsEngine& to, std::vector<std::uint8_t>& buffer) {
  if (from.output_size() == 0) return false;
  from.take_output(buffer);
  for (std::size_t moved = 0; moved < buffer.size();) {
    const std::size_t count =
        boost::asio::buffer_copy(to.input_space(), boost::asio::buffer(buffer) + moved);
    to.input_arrived(count);
    moved += count;
  }
  return true;
}

/// The server's answer to a client that verifies nothing and presents `certificate`.
Error try_handshake(TlsEngine client, TlsEngine server) {
  using Next = TlsEngine::Step::Next;
  std::vector<std::uint8_t> buffer;
  for (;;) {
    const auto at_client = client.handshake();
    const bool sent = move_output(client, server, buffer);
    const auto at_server = server.handshake();
    if (at_server.next == Next::failed) return at_server.error;
    const bool answered = move_output(server, client, buffer);
    if (at_client.next == Next::failed) return at_client.error;
    if (at_client.next == Next::done && at_server.next == Next::done) return {};
    if (!sent && !answered) return Errc::handshake_failed;
  }
}

ServerName name_for(const std::string& identity, const Certificate& certificate) {
  std::string text = identity;
  if (identity == "default" && !certificate.leaf().dns_names.empty()) {
    text = certificate.leaf().dns_names.front();
  }
  if (text.starts_with("*.")) text.replace(0, 1, "wildcard");
  const auto name = ServerName::parse(text);
  return name ? *name : ServerName::parse("localhost").value();
}

/// Nobody here has a certificate that the clients' roots vouch for: a server that wants one shows
/// that it works by asking.
bool asked_for_certificate(const Error& error) {
  return error == Errc::peer_sent_no_certificate || error == Errc::peer_untrusted;
}

std::string describe(const Certificate& certificate) {
  const CertificateInfo& leaf = certificate.leaf();
  return leaf.subject + " (" + std::string(to_string(leaf.key_type)) + ")";
}

Error prove(const std::string& identity, const std::shared_ptr<const ServerContext>& context,
            TlsVersion version) {
  const auto client =
      ClientContext::create({.policy = {version, version}, .insecure_skip_verify = true});
  if (!client) return client.error();
  const auto config = std::make_shared<const ServerConfig>(
      ServerConfig{.contexts = std::make_shared<OneContext>(context)});
  const Error error = try_handshake(TlsEngine(*client, name_for(identity, context->certificate())),
                                    TlsEngine(config));
  const bool wants_certificate = requires_certificate(context->policy().client_auth);
  return wants_certificate && asked_for_certificate(error) ? Error() : error;
}

}  // namespace

std::vector<FailedProof> prove(const std::shared_ptr<const Snapshot>& snapshot) {
  std::vector<FailedProof> failures;
  std::set<const ServerContext*> proved;
  const auto prove_certificate = [&](const ReadyIdentity& identity, std::size_t index) {
    const auto context = identity.context(index);
    if (context && !proved.insert(context->get()).second) return;
    const TlsPolicy& policy = identity.policy(index).tls;
    for (const TlsVersion version : {TlsVersion::tls1_2, TlsVersion::tls1_3}) {
      if (version < policy.min_version || version > policy.max_version) continue;
      const Error error = context ? prove(identity.name(), *context, version) : context.error();
      if (!error.code) continue;
      failures.push_back({identity.name(), describe(identity.certificate(index)), version, error});
    }
  };
  snapshot->for_each([&](const ReadyIdentity& identity) {
    for (std::size_t i = 0; i < identity.size(); ++i) prove_certificate(identity, i);
  });
  return failures;
}

}  // namespace livetls
