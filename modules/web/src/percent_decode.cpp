#include "percent_decode.hpp"

#include <boost/url/pct_string_view.hpp>

namespace livetls::web {

std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  const auto encoded = boost::urls::make_pct_string_view(text);
  if (!encoded) return std::nullopt;
  boost::urls::encoding_opts options;
  options.space_as_plus = plus_is_space;
  std::string decoded = encoded->decode(options);
  if (decoded.find('\0') != std::string::npos) return std::nullopt;
  return decoded;
}

}  // namespace livetls::web
