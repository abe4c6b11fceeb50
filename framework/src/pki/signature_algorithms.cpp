#include "pki/signature_algorithms.hpp"

#include <algorithm>

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

}  // namespace

SignatureAlgorithm signature_algorithm_of(der::Span object_id) {
  const auto found = std::ranges::find_if(
      kRows, [&](const Row& row) { return std::ranges::equal(row.object_id, object_id); });
  return found == std::end(kRows) ? SignatureAlgorithm{} : found->algorithm;
}

}  // namespace livetls
