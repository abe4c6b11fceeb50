#include "core.hpp"

#include <array>
#include <bit>
#include <stdexcept>
#include <utility>

#include "livetls/base/random_bytes.hpp"

namespace livetls::node {
namespace {

std::vector<SecretBytes> take_secrets(std::vector<Acceptor>& acceptors, const SecretBytes& cookie) {
  std::vector<SecretBytes> secrets;
  for (Acceptor& acceptor : acceptors) secrets.push_back(take_secret(acceptor.cookie, cookie));
  return secrets;
}

std::uint64_t random_number() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes;
  random_bytes(bytes);
  return std::bit_cast<std::uint64_t>(bytes);
}

}  // namespace

SecretBytes take_secret(std::string& text, const SecretBytes& otherwise) {
  if (text.empty()) return otherwise;
  SecretBytes secret(text.begin(), text.end());
  wipe(text.data(), text.size());
  text.clear();
  return secret;
}

Core::Core(Runtime& on, NodeName called, NodeOptions with)
    : runtime(on),
      name(std::move(called)),
      cookie(take_secret(with.cookie)),
      acceptor_cookies(take_secrets(with.acceptors, cookie)),
      routes(make_ready(std::exchange(with.routes, {}), with, cookie)),
      incarnation(random_number()),
      options(std::move(with)) {
  for (std::size_t i = 0; i < runtime.threads(); ++i) {
    tasks.push_back(std::make_unique<TaskGroup>(runtime.executor(i)));
  }
}

TaskGroup& Core::tasks_on(const Executor& executor) {
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (runtime.executor(i) == executor) return *tasks[i];
  }
  throw std::logic_error("no thread of this runtime");
}

}  // namespace livetls::node
