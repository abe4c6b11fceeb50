#pragma once

// Notes in a SQLite database.

#include <boost/describe.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

struct sqlite3;

namespace notes {

struct NewNote {
  std::string title;
  std::string text;
};
BOOST_DESCRIBE_STRUCT(NewNote, (), (title, text))

struct Note : NewNote {
  std::int64_t id = 0;
};
BOOST_DESCRIBE_STRUCT(Note, (NewNote), (id))

struct NotFound {
  std::int64_t id;
};

/// Thread safety: all of it; one at a time works. Throws NotFound, and std::runtime_error where the
/// database fails.
class Store {
 public:
  explicit Store(const std::string& file);

  Note add(const NewNote& note);
  Note get(std::int64_t id);
  std::vector<Note> newest(int limit);
  Note replace(std::int64_t id, const NewNote& note);
  void erase(std::int64_t id);

 private:
  class Statement;

  struct Close {
    void operator()(sqlite3* database) const noexcept;
  };

  std::mutex mutex_;
  std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace notes
