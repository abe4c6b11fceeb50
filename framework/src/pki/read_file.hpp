#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "livetls/base/result.hpp"
#include "livetls/base/secret_bytes.hpp"

namespace livetls {

/// The whole of a regular file of at most `limit` bytes. Never blocks on a FIFO or a device.
/// Errors: file_unreadable (the context says why), input_too_large. They do not name the file.
Result<SecretBytes> read_file(const std::filesystem::path& file, std::size_t limit);

/// The file's name for an error, unless somebody has given the PEM text in its place.
std::string shown_name(const std::filesystem::path& file);

}  // namespace livetls
