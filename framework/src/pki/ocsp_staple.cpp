#include "livetls/pki/ocsp_staple.hpp"

#include <utility>

#include "pki/der.hpp"
#include "pki/parsed_certificate.hpp"
#include "pki/read_time.hpp"

namespace livetls {
namespace {

constexpr std::uint8_t kEnumerated = 0x0a;
constexpr std::uint8_t kSuccessful = 0;

constexpr std::uint8_t kGood = der::context_primitive(0);

struct SingleResponse {
  der::Span serial;
  std::uint8_t certificate_status = 0;
  std::chrono::sys_seconds this_update;
  std::chrono::sys_seconds next_update;
};

/// RFC 6960, section 4.2.1
SingleResponse read_single_response(der::Reader single) {
  SingleResponse result;
  der::Reader id = single.enter(der::kSequence);
  id.content(der::kSequence);  // hash algorithm
  id.content(der::kOctetString);
  id.content(der::kOctetString);
  result.serial = id.content(der::kInteger);
  id.expect_end();
  result.certificate_status = single.any().tag;
  result.this_update = read_time(single);
  der::Reader next_update = single.enter(der::context_constructed(0));
  result.next_update = read_time(next_update);
  return result;
}

SingleResponse read_response_data(der::Reader data) {
  data.skip_optional(der::context_constructed(0));  // version
  data.any();                                       // responder
  data.content(der::kGeneralizedTime);              // produced at
  der::Reader responses = data.enter(der::kSequence);
  const SingleResponse single = read_single_response(responses.enter(der::kSequence));
  responses.expect_end();
  return single;
}

}  // namespace

Result<OcspStaple> OcspStaple::from_der(std::span<const std::uint8_t> response) {
  if (response.size() > kMaxInputBytes) return Error{Errc::input_too_large};
  bool failed = false;
  der::Reader outer(response, failed);
  der::Reader parts = outer.enter(der::kSequence);
  outer.expect_end();
  const der::Span status = parts.content(kEnumerated);
  if (failed || status.size() != 1) return Error{Errc::staple_malformed};
  if (status.front() != kSuccessful) {
    return Error{Errc::staple_not_good,
                 "the responder answered with error " + std::to_string(status.front())};
  }
  der::Reader wrapper = parts.enter(der::context_constructed(0));
  der::Reader bytes = wrapper.enter(der::kSequence);
  bytes.content(der::kObjectId);
  der::Reader octets = bytes.enter(der::kOctetString);
  der::Reader basic = octets.enter(der::kSequence);
  const SingleResponse single = read_response_data(basic.enter(der::kSequence));
  if (failed || single.serial.empty()) return Error{Errc::staple_malformed};
  if (single.certificate_status != kGood) {
    return Error{Errc::staple_not_good, "the certificate " + serial_text(single.serial) +
                                            " is revoked, or unknown to the responder"};
  }
  return OcspStaple(std::make_shared<const State>(State{serial_text(single.serial),
                                                        single.this_update,
                                                        single.next_update,
                                                        {response.begin(), response.end()}}));
}

}  // namespace livetls
