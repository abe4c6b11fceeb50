#include "connection_loop.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/this_coro.hpp>

#include "livetls/async/race.hpp"
#include "livetls/async/timer.hpp"
#include "livetls/base/log.hpp"

namespace livetls::node {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kWriteBytes = 64 * 1024;

/// `heard_all` where the peer has said that it is done.
Task<void> read_frames(std::shared_ptr<Link> link, std::shared_ptr<Lane> lane,
                       tcp::MessageStream& messages, bool& heard_all) {
  while (true) {
    const auto message = co_await messages.read();
    if (!message || !*message) {
      link->fail(message ? Error(NodeErrc::link_down, "the peer has ended it") : message.error());
      co_return;
    }
    auto frame = parse_frame((*message)->payload);
    heard_all = frame && frame->kind == FrameKind::fin;
    if (heard_all) co_return;
    const auto received =
        frame ? link->receive(lane, std::move(*frame)) : Result<void>(frame.error());
    if (!received) {
      log(LogLevel::warning,
          "the link to " + link->peer().name.text() + ": " + received.error().message());
      link->fail(received.error());
      co_return;
    }
  }
}

/// Until the link is down, or all was said.
Task<void> write_frames(std::shared_ptr<Core> core, std::shared_ptr<Link> link,
                        std::shared_ptr<Lane> lane, tcp::MessageStream& messages) {
  auto next_ping = Lane::Clock::now() + core->options.heartbeat;
  while (!link->is_down() && !lane->fin_sent) {
    std::string bytes = lane->outbox.take(kWriteBytes);
    if (bytes.empty()) bytes = link->farewell(*lane);
    if (bytes.empty()) {
      if (Lane::Clock::now() < next_ping) {  // however often it is woken for nothing
        lane->news.expires_at(next_ping);
        co_await lane->news.async_wait(asio::as_tuple(use_task));
        continue;
      }
      append(Frame{.kind = FrameKind::ping}, bytes);
    }
    link->room_made();
    const auto sent = co_await messages.write_framed(bytes);
    if (!sent) link->fail(sent.error());
    next_ping = Lane::Clock::now() + core->options.heartbeat;
  }
}

Task<void> leave_on_stop(std::shared_ptr<Link> link, Connection& connection) {
  co_await connection.stopped();
  link->leave();
  Timer never(connection.get_executor(), Lane::Clock::time_point::max());
  co_await never.async_wait(asio::as_tuple(use_task));
}

}  // namespace

Task<void> run_connection(std::shared_ptr<Core> core, OpenLane opened, Connection& connection,
                          tcp::MessageStream& messages) {
  const auto link = opened.link();
  const auto lane = opened.lane();
  messages.become(frame_framing(core->options.max_message_bytes),
                  {.idle_timeout = 3 * core->options.heartbeat, .reads_on_stop = true});
  bool heard_all = false;
  Task<void> reader = read_frames(link, lane, messages, heard_all);
  Task<void> writer = write_frames(core, link, lane, messages);
  Task<void> frames = all_of(std::move(reader), std::move(writer));
  Task<void> leaving = leave_on_stop(link, connection);
  const std::size_t first = co_await first_of(std::move(frames), std::move(leaving));
  if (first == 0 && heard_all && lane->fin_sent) opened.ended_in_order();
}

}  // namespace livetls::node
