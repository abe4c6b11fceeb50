#include "pki/signature_algorithms.hpp"

#include <algorithm>
#include <iterator>

#include "pki/object_ids.hpp"

namespace livetls {
namespace {

struct Row {
  der::Span object_id;
  SignatureAlgorithm algorithm;
};

const Row kRows[] = {
    {oid::kEcdsaWithSha256, {0x0403}},
    {oid::kEcdsaWithSha384, {0x0503}},
    {oid::kEcdsaWithSha512, {0x0603}},
    {oid::kSha256WithRsa, {0x0401}},
    {oid::kSha384WithRsa, {0x0501}},
    {oid::kSha512WithRsa, {0x0601}},
    {oid::kEd25519, {0x0807}},
    {oid::kMd2WithRsa, {0, true}},
    {oid::kMd5WithRsa, {0, true}},
    {oid::kSha1WithRsa, {0x0201, true}},
    {oid::kEcdsaWithSha1, {0x0203, true}},
};

struct PssRow {
  der::Span hash;
  SignatureAlgorithm algorithm;
  std::uint8_t salt_bytes;
};

const PssRow kPssRows[] = {
    {oid::kSha256, {0x0804}, 32},
    {oid::kSha384, {0x0805}, 48},
    {oid::kSha512, {0x0806}, 64},
};

/// AlgorithmIdentifier of a hash, whose parameters are NULL or left out.
der::Span read_hash(der::Reader algorithm) {
  const auto hash = algorithm.content(der::kObjectId);
  algorithm.skip_optional(der::kNull);
  algorithm.expect_end();
  return hash;
}

/// RSASSA-PSS-params (RFC 4055, section 3.1), whose defaults are those of SHA-1.
SignatureAlgorithm pss_algorithm(der::Span parameters) {
  bool failed = false;
  der::Reader outer(parameters, failed);
  der::Reader fields = outer.enter(der::kSequence);
  outer.expect_end();
  der::Reader hash_field = fields.enter(der::context_constructed(0));
  const auto hash = read_hash(hash_field.enter(der::kSequence));
  hash_field.expect_end();
  der::Reader mask_field = fields.enter(der::context_constructed(1));
  der::Reader mask = mask_field.enter(der::kSequence);
  const auto generator = mask.content(der::kObjectId);
  const auto mask_hash = read_hash(mask.enter(der::kSequence));
  mask.expect_end();
  mask_field.expect_end();
  der::Reader salt_field = fields.enter(der::context_constructed(2));
  const auto salt_bytes = salt_field.content(der::kInteger);
  salt_field.expect_end();
  fields.expect_end();
  const auto row = std::ranges::find_if(
      kPssRows, [&](const PssRow& known) { return std::ranges::equal(known.hash, hash); });
  const bool known = !failed && row != std::end(kPssRows) && std::ranges::equal(mask_hash, hash) &&
                     std::ranges::equal(generator, oid::kMgf1) && salt_bytes.size() == 1 &&
                     salt_bytes.front() == row->salt_bytes;
  return known ? row->algorithm : SignatureAlgorithm{};
}

}  // namespace

SignatureAlgorithm read_signature_algorithm(der::Reader algorithm) {
  const auto object_id = algorithm.content(der::kObjectId);
  const auto parameters = algorithm.at_end() ? der::Span() : algorithm.any().whole;
  algorithm.expect_end();
  if (std::ranges::equal(object_id, oid::kRsaPss)) return pss_algorithm(parameters);
  const auto found = std::ranges::find_if(
      kRows, [&](const Row& row) { return std::ranges::equal(row.object_id, object_id); });
  return found == std::end(kRows) ? SignatureAlgorithm{} : found->algorithm;
}

}  // namespace livetls
