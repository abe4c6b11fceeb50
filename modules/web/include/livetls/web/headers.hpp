#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace livetls::web {

/// The header fields of a message, in their order. Names are compared without regard to case, and a
/// name may occur several times.
///
/// `set` and `add` throw std::invalid_argument for a name that is no token and for a value with a
/// line break, NUL or another control character (RFC 9110, section 5.5), so that no input that ends
/// up in a header can begin a header or a message of its own.
class Headers {
 public:
  struct Field {
    std::string name;
    std::string value;
  };
  using const_iterator = std::vector<Field>::const_iterator;

  /// The first value; empty where there is none. Both end with the next change.
  std::string_view operator[](std::string_view name) const noexcept;
  std::optional<std::string_view> find(std::string_view name) const noexcept;

  bool contains(std::string_view name) const noexcept { return find(name).has_value(); }
  std::size_t count(std::string_view name) const noexcept;

  /// Replaces all fields of this name.
  void set(std::string_view name, std::string_view value);

  /// Leaves fields of the same name as they are.
  void add(std::string_view name, std::string_view value);

  void erase(std::string_view name) noexcept;

  const_iterator begin() const noexcept { return fields_.begin(); }
  const_iterator end() const noexcept { return fields_.end(); }
  std::size_t size() const noexcept { return fields_.size(); }
  bool empty() const noexcept { return fields_.empty(); }

 private:
  std::vector<Field> fields_;
};

}  // namespace livetls::web
