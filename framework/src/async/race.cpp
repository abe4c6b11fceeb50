#include "livetls/async/race.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/experimental/parallel_group.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <utility>

namespace livetls {

namespace asio = boost::asio;
namespace experimental = asio::experimental;

namespace {

auto started(Executor executor, std::vector<Task<void>> tasks) {
  using Operation = decltype(asio::co_spawn(executor, std::declval<Task<void>>(), asio::deferred));
  std::vector<Operation> operations;
  operations.reserve(tasks.size());
  for (Task<void>& task : tasks) {
    operations.push_back(asio::co_spawn(executor, std::move(task), asio::deferred));
  }
  return experimental::make_parallel_group(std::move(operations));
}

std::vector<Task<void>> both(Task<void> one, Task<void> other) {
  std::vector<Task<void>> tasks;
  tasks.push_back(std::move(one));
  tasks.push_back(std::move(other));
  return tasks;
}

}  // namespace

Task<std::size_t> first_of(std::vector<Task<void>> tasks) {
  const Executor executor = co_await asio::this_coro::executor;
  auto group = started(executor, std::move(tasks));
  const auto [order, thrown] = co_await group.async_wait(experimental::wait_for_one(), use_task);
  const std::size_t first = order.front();
  if (thrown[first]) std::rethrow_exception(thrown[first]);
  co_return first;
}

Task<std::size_t> first_of(Task<void> one, Task<void> other) {
  return first_of(both(std::move(one), std::move(other)));
}

Task<void> all_of(std::vector<Task<void>> tasks) {
  const Executor executor = co_await asio::this_coro::executor;
  auto group = started(executor, std::move(tasks));
  const auto [order, thrown] =
      co_await group.async_wait(experimental::wait_for_one_error(), use_task);
  for (const std::size_t task : order) {
    if (thrown[task]) std::rethrow_exception(thrown[task]);
  }
}

Task<void> all_of(Task<void> one, Task<void> other) {
  return all_of(both(std::move(one), std::move(other)));
}

}  // namespace livetls
