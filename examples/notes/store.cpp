#include "store.hpp"

#include <sqlite3.h>

namespace notes {

/// Values are bound, never written into the statement.
class Store::Statement {
 public:
  Statement(sqlite3* database, std::string_view sql) : database_(database) {
    check(sqlite3_prepare_v2(database, sql.data(), static_cast<int>(sql.size()), &statement_,
                             nullptr) == SQLITE_OK);
  }
  ~Statement() { sqlite3_finalize(statement_); }
  Statement(const Statement&) = delete;
  Statement& operator=(const Statement&) = delete;

  Statement& bind(std::int64_t value) {
    check(sqlite3_bind_int64(statement_, ++bound_, value) == SQLITE_OK);
    return *this;
  }

  Statement& bind(const std::string& text) {
    check(sqlite3_bind_text(statement_, ++bound_, text.data(), static_cast<int>(text.size()),
                            SQLITE_TRANSIENT) == SQLITE_OK);
    return *this;
  }

  /// Whether there is a row.
  bool step() {
    const int result = sqlite3_step(statement_);
    check(result == SQLITE_ROW || result == SQLITE_DONE);
    return result == SQLITE_ROW;
  }

  /// Of a row with id, title and text.
  Note note() const {
    Note note;
    note.id = sqlite3_column_int64(statement_, 0);
    note.title = text(1);
    note.text = text(2);
    return note;
  }

 private:
  std::string text(int column) const {
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(statement_, column));
    return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_, column))};
  }

  void check(bool good) const {
    if (!good) throw std::runtime_error(std::string("SQLite: ") + sqlite3_errmsg(database_));
  }

  sqlite3* database_;
  sqlite3_stmt* statement_ = nullptr;
  int bound_ = 0;
};

void Store::Close::operator()(sqlite3* database) const noexcept { sqlite3_close(database); }

Store::Store(const std::string& file) {
  sqlite3* database = nullptr;
  const bool opened = sqlite3_open(file.c_str(), &database) == SQLITE_OK;
  database_.reset(database);
  if (!opened) throw std::runtime_error(file + " cannot be opened");
  Statement(database, "PRAGMA journal_mode = WAL").step();
  Statement(database,
            "CREATE TABLE IF NOT EXISTS notes"
            " (id INTEGER PRIMARY KEY, title TEXT NOT NULL, text TEXT NOT NULL)")
      .step();
}

Note Store::add(const NewNote& note) {
  const std::scoped_lock lock(mutex_);
  Statement insert(database_.get(),
                   "INSERT INTO notes (title, text) VALUES (?, ?) RETURNING id, title, text");
  insert.bind(note.title).bind(note.text).step();
  return insert.note();
}

Note Store::get(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  Statement select(database_.get(), "SELECT id, title, text FROM notes WHERE id = ?");
  if (!select.bind(id).step()) throw NotFound{id};
  return select.note();
}

std::vector<Note> Store::newest(int limit) {
  const std::scoped_lock lock(mutex_);
  Statement select(database_.get(), "SELECT id, title, text FROM notes ORDER BY id DESC LIMIT ?");
  select.bind(limit);
  std::vector<Note> notes;
  while (select.step()) notes.push_back(select.note());
  return notes;
}

Note Store::replace(std::int64_t id, const NewNote& note) {
  const std::scoped_lock lock(mutex_);
  Statement update(database_.get(),
                   "UPDATE notes SET title = ?, text = ? WHERE id = ? RETURNING id, title, text");
  if (!update.bind(note.title).bind(note.text).bind(id).step()) throw NotFound{id};
  return update.note();
}

void Store::erase(std::int64_t id) {
  const std::scoped_lock lock(mutex_);
  Statement erase(database_.get(), "DELETE FROM notes WHERE id = ? RETURNING id");
  if (!erase.bind(id).step()) throw NotFound{id};
}

}  // namespace notes
