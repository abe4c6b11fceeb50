#include "links.hpp"

#include <algorithm>
#include <utility>

#include "link.hpp"

namespace livetls::node {

std::shared_ptr<Link> Links::find(const std::string& peer) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(peer);
  return entry == entries_.end() || !entry->second.leaving.empty() ? nullptr : entry->second.up;
}

bool Links::is_linked(const std::string& peer) const {
  const std::scoped_lock lock(mutex_);
  const auto entry = entries_.find(peer);
  return entry != entries_.end() && entry->second.up;
}

std::vector<std::shared_ptr<Link>> Links::all() const {
  std::vector<std::shared_ptr<Link>> links;
  const std::scoped_lock lock(mutex_);
  for (const auto& [peer, entry] : entries_) {
    if (entry.up) links.push_back(entry.up);
    if (entry.forming) links.push_back(entry.forming);
  }
  return links;
}

bool Links::begin_call(const std::string& peer) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[peer];
  if (entry.up || entry.forming) return false;
  entry.calling = true;
  return true;
}

void Links::end_call(const std::string& peer) {
  {
    const std::scoped_lock lock(mutex_);
    entries_[peer].calling = false;
  }
  changed_->check();
}

Result<std::shared_ptr<Link>> Links::join(const std::string& us, const std::string& peer,
                                          const Hello& hello,
                                          const std::function<std::shared_ptr<Link>()>& make) {
  std::shared_ptr<Link> given_up;
  std::shared_ptr<Link> joined;
  {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_[peer];
    if (entry.forming && entry.forming->id() == hello.link) return entry.forming;
    if (hello.connection != 0) return Error(NodeErrc::link_down, "a connection of no link");
    if (entry.calling && us < peer) return Error(NodeErrc::dialled_both_ways);
    joined = make();
    given_up = std::exchange(entry.forming, joined);
  }
  if (given_up) given_up->fail(Error(NodeErrc::link_down, "called again"));
  return joined;
}

void Links::set_up(const std::shared_ptr<Link>& link) {
  std::shared_ptr<Link> replaced;
  bool was_left = false;
  {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_[link->peer().name.text()];
    if (entry.forming == link) entry.forming.reset();
    replaced = std::exchange(entry.up, link);
    was_left = replaced && replaced->incarnation() == link->incarnation();
    if (was_left) entry.leaving.push_back(replaced);
  }
  if (was_left) {
    replaced->leave();
  } else if (replaced) {
    replaced->fail(Error(NodeErrc::link_down, "called again"));
  }
  changed_->check();
}

void Links::set_leaving(const std::shared_ptr<Link>& link) {
  const std::scoped_lock lock(mutex_);
  Entry& entry = entries_[link->peer().name.text()];
  if (entry.up == link) entry.leaving.push_back(std::exchange(entry.up, nullptr));
}

void Links::set_down(const Link& link) {
  std::shared_ptr<Link> last;  // released without the lock
  {
    const std::scoped_lock lock(mutex_);
    Entry& entry = entries_[link.peer().name.text()];
    if (entry.up.get() == &link) last = std::exchange(entry.up, nullptr);
    if (entry.forming.get() == &link) last = std::exchange(entry.forming, nullptr);
    const auto left = std::ranges::find(entry.leaving, &link, &std::shared_ptr<Link>::get);
    if (left != entry.leaving.end()) {
      last = std::move(*left);
      entry.leaving.erase(left);
    }
  }
  changed_->check();
}

}  // namespace livetls::node
