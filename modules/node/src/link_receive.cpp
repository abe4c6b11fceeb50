// What a link does with what comes from the peer.

#include <boost/asio/cancellation_state.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/this_coro.hpp>
#include <exception>
#include <string>
#include <utility>

#include "link.hpp"
#include "livetls/base/describe.hpp"
#include "livetls/base/log.hpp"

namespace livetls::node {

namespace asio = boost::asio;

namespace {

constexpr std::size_t kMaxReasonBytes = 1024;

/// Frames in a line. There is credit for a quarter of them; ends of subscriptions cost none.
constexpr std::size_t kMaxLine = 16 * 1024;

Error reason_in(const Frame& frame) {
  if (frame.is_unknown_service) return Error(NodeErrc::unknown_service);
  return Error(NodeErrc::handler_failed, frame.payload);
}

/// A task that was cancelled throws, too, and that is no fault of its handler.
bool was_cancelled(const asio::cancellation_state& state) {
  return state.cancelled() != asio::cancellation_type::none;
}

}  // namespace

Result<void> Link::receive(const std::shared_ptr<Lane>& lane, Frame&& frame) {
  switch (frame.kind) {
    case FrameKind::message:
    case FrameKind::request:
    case FrameKind::subscribe: return receive_new(lane, std::move(frame));
    case FrameKind::reply:
    case FrameKind::failure: receive_reply(frame); return {};
    case FrameKind::event: return receive_event(frame);
    case FrameKind::end: receive_end(frame); return {};
    case FrameKind::unsubscribe: return receive_unsubscribe(*lane, std::move(frame));
    case FrameKind::credit: receive_credit(*lane, frame); return {};
    case FrameKind::leave: peer_leaves(*lane); return {};
    case FrameKind::settled: lane_is_settled(); return {};
    case FrameKind::ping:
    case FrameKind::fin: return {};
  }
  return {};
}

void Link::receive_reply(Frame& frame) {
  if (const auto reply = find(replies_, frame.id)) {
    if (frame.kind == FrameKind::reply) {
      reply->complete(Payload(std::move(frame.payload), frame.is_json));
    } else {
      reply->complete(reason_in(frame));
    }
  }
  forget_reply(frame.id);
}

Result<void> Link::receive_event(Frame& frame) {
  const auto subscription = find(subscriptions_, frame.id).lock();
  if (subscription && !subscription->add(Payload(std::move(frame.payload), frame.is_json))) {
    return Error(NodeErrc::protocol_violation, "more events than were asked for");
  }
  return {};
}

void Link::receive_end(const Frame& frame) {
  const bool is_fault = frame.is_unknown_service || !frame.payload.empty();
  if (const auto subscription = find(subscriptions_, frame.id).lock()) {
    subscription->end(is_fault ? reason_in(frame) : Error());
  }
  forget_events(frame.id);
}

/// What it is about may wait for its turn.
Result<void> Link::receive_unsubscribe(Lane& lane, Frame&& frame) {
  const auto line = lane.lines.find(frame.stream);
  if (line == lane.lines.end()) {
    end_served(frame.id);
  } else if (line->second.size() < kMaxLine) {
    line->second.push_back(std::move(frame));
  } else {
    return Error(NodeErrc::protocol_violation, "more is ended than was begun");
  }
  return {};
}

void Link::receive_credit(Lane& lane, const Frame& frame) {
  if (frame.id == 0) return lane.outbox.grant(frame.stream);
  if (const auto served = find(served_, frame.id)) served->grant(frame.stream);
}

Result<void> Link::receive_new(const std::shared_ptr<Lane>& lane, Frame&& frame) {
  // A frame may be sent while there is any credit left.
  const std::size_t allowed = kInitialCredit + max_cost(core_->options.max_message_bytes);
  lane->taken += cost(frame);
  if (lane->taken > allowed) {
    return Error(NodeErrc::protocol_violation, "more than there was credit for");
  }
  ++being_handled_;
  ++core_->counters.messages_received;
  const std::uint32_t stream = frame.stream;
  const auto [line, is_first] = lane->lines.try_emplace(stream);
  line->second.push_back(std::move(frame));
  if (is_first) core_->tasks_on(lane->executor).spawn(work_off(lane, stream));
  return {};
}

/// nullptr where there is none.
template <class Handler>
auto Link::service_for(const std::map<std::string, Handler, std::less<>>& services,
                       const Frame& frame) const -> decltype(&*services.begin()) {
  const auto service = services.find(frame.service);
  if (service != services.end()) return &*service;
  ++core_->counters.unknown_services;
  return nullptr;
}

/// What came in one stream, in order: each message is waited for, requests are begun, but not while
/// too many replies wait to be read by the peer. Not at once, since messages often come many at a
/// time: one coroutine for all of them.
Task<void> Link::work_off(std::shared_ptr<Lane> lane, std::uint32_t stream) {
  const auto self = shared_from_this();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  co_await asio::post(lane->executor, use_task);
  std::vector<Frame>& line = lane->lines.at(stream);
  std::vector<Frame> frames;
  while (!line.empty()) {
    frames.swap(line);
    for (Frame& frame : frames) {
      if (frame.kind != FrameKind::message) {
        if (!lane->outbox.has_room_for_answers()) co_await wait_to_answer(lane);
        begin(lane, std::move(frame));
        continue;
      }
      const std::size_t credit = cost(frame);
      const auto* const service = service_for(core_->options.services.messages, frame);
      if (service == nullptr) {
        log(LogLevel::warning,
            "a message from " + peer_->name.text() + " for a service that is not here");
      }
      try {
        if (service != nullptr) co_await service->second(message_of(frame));
      } catch (...) {
        if (was_cancelled(cancellation)) throw;
        handler_threw(service->first);
      }
      done_with(*lane, credit);
    }
    frames.clear();
  }
  lane->lines.erase(stream);
  if (is_leaving()) lane->wake();
}

void Link::begin(const std::shared_ptr<Lane>& lane, Frame frame) {
  TaskGroup& tasks = core_->tasks_on(lane->executor);
  if (frame.kind == FrameKind::request) {
    tasks.spawn(handle_request(lane, std::move(frame)));
  } else if (frame.kind == FrameKind::subscribe) {
    auto served = serve(lane, frame);
    tasks.spawn(handle_subscribe(lane, std::move(frame), std::move(served)));
  } else {
    end_served(frame.id);
  }
}

Message Link::message_of(Frame& frame) const {
  return {peer_, std::move(frame.service), Payload(std::move(frame.payload), frame.is_json)};
}

/// Back to the peer goes what it may send again, a good part at a time.
void Link::done_with(Lane& lane, std::size_t credit) {
  lane.to_give_back += credit;
  if (lane.to_give_back >= static_cast<std::size_t>(kInitialCredit) / 4) {
    const std::size_t given = std::exchange(lane.to_give_back, 0);
    lane.taken -= given;
    Frame frame{.kind = FrameKind::credit, .stream = static_cast<std::uint32_t>(given)};
    lane.outbox.put(frame);
  }
  --being_handled_;
  if (is_leaving()) nudge();
}

/// Where it is caught.
void Link::handler_threw(const std::string& service) const {
  ++core_->counters.failed_handlers;
  log(LogLevel::error, "service " + service + " threw: " + describe(std::current_exception()));
}

Task<void> Link::handle_request(std::shared_ptr<Lane> lane, Frame frame) {
  const auto self = shared_from_this();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const std::size_t credit = cost(frame);
  const auto* const service = service_for(core_->options.services.requests, frame);
  Frame answer{.kind = FrameKind::failure, .id = frame.id};
  if (service == nullptr) {
    answer.is_unknown_service = true;
  } else {
    try {
      Result<Payload> reply = co_await service->second(message_of(frame));
      if (reply && reply->bytes().size() <= max_payload_) {
        answer.kind = FrameKind::reply;
        answer.is_json = reply->is_json();
        answer.payload = std::move(*reply).bytes();
      } else {
        answer.payload =
            reply ? "the reply is too large" : reply.error().message().substr(0, kMaxReasonBytes);
      }
    } catch (...) {
      if (!was_cancelled(cancellation)) handler_threw(service->first);
      answer.payload = "it failed";
    }
  }
  lane->outbox.put(answer);
  done_with(*lane, credit);
}

Task<void> Link::handle_subscribe(std::shared_ptr<Lane> lane, Frame frame,
                                  std::shared_ptr<ServedSubscription> served) {
  const auto self = shared_from_this();
  const auto cancellation = co_await asio::this_coro::cancellation_state;
  const std::size_t credit = cost(frame);
  const auto* const service = service_for(core_->options.services.events, frame);
  Frame end{.kind = FrameKind::end, .id = frame.id};
  if (service == nullptr) {
    end.is_unknown_service = true;
  } else {
    try {
      co_await service->second(message_of(frame), *served);
    } catch (...) {
      if (!was_cancelled(cancellation)) handler_threw(service->first);
      end.payload = "it failed";
    }
  }
  {
    const std::scoped_lock lock(mutex_);
    served_.erase(frame.id);
  }
  lane->outbox.put(end);
  done_with(*lane, credit);
}

/// Known from now on, to what may end it.
std::shared_ptr<ServedSubscription> Link::serve(const std::shared_ptr<Lane>& lane,
                                                const Frame& frame) {
  auto served = std::make_shared<ServedSubscription>(weak_from_this(), lane, frame.id);
  bool is_over = false;
  {
    const std::scoped_lock lock(mutex_);
    is_over = stage_ != Stage::up || !served_.emplace(frame.id, served).second;
  }
  if (is_over) served->end(NodeErrc::link_down);
  return served;
}

void Link::end_served(std::uint64_t id) {
  if (const auto served = find(served_, id)) served->end(NodeErrc::cancelled);
}

}  // namespace livetls::node
