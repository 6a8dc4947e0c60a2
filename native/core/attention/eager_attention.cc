#include "eager_attention.h"

#include <torch/csrc/jit/ir/constants.h>

#include <cmath>

#include "../graph_query.h"

namespace causal_tracer {
namespace {

using torch::jit::Node;
using torch::jit::Value;

/// Whether a node's operator changes neither numbers nor shape, but for the dtype.
bool HandsOn(const Value* value) {
  return IsKind(value, "aten::to") || IsKind(value, "aten::type_as") || IsKind(value, "aten::contiguous");
}

Value* BeforeCasts(Value* value) {
  while (HandsOn(value)) value = value->node()->input(0);
  return value;
}

/// `factor * other` or `other / divisor` with a constant.
struct Scaled {
  Value* other;
  double factor;
};

std::optional<Scaled> ReadScaled(Value* value) {
  const bool product = IsKind(value, "aten::mul");
  if (!product && !IsKind(value, "aten::div")) return std::nullopt;
  Node* node = value->node();
  if (const auto number = ConstantNumber(node->input(1))) {
    return Scaled{.other = node->input(0), .factor = product ? *number : 1.0 / *number};
  }
  if (!product) return std::nullopt;
  const auto number = ConstantNumber(node->input(0));
  return number ? std::optional(Scaled{.other = node->input(1), .factor = *number}) : std::nullopt;
}

/// The keys whose last two axes are swapped; null for everything else.
Value* Untransposed(Value* value) {
  value = BeforeCasts(value);
  if (!IsKind(value, "aten::transpose")) return nullptr;
  const auto first = torch::jit::constant_as<int64_t>(value->node()->input(1));
  const auto second = torch::jit::constant_as<int64_t>(value->node()->input(2));
  if (!first || !second) return nullptr;
  const auto is_pair = [&](int64_t a, int64_t b) {
    return (*first == a && *second == b) || (*first == b && *second == a);
  };
  return is_pair(-1, -2) || is_pair(2, 3) ? value->node()->input(0) : nullptr;
}

/// Follows attention logits back to the product of queries and keys. A failed attempt leaves the pattern as
/// it was.
class LogitReader {
 public:
  std::optional<AttentionPattern> Read(Value* logits) {
    if (!Follow(logits)) return std::nullopt;
    pattern_.scale = scale_;
    return pattern_;
  }

 private:
  bool Follow(Value* logits) {
    logits = BeforeCasts(logits);
    if (IsKind(logits, "aten::matmul")) return FollowProduct(logits->node());
    if (IsKind(logits, "aten::add")) return FollowSum(logits->node());
    if (IsKind(logits, "aten::where")) {
      return FollowMasked(logits->node()->input(1), logits->node()->input(0), MaskTerm::Meaning::kSeen);
    }
    if (IsKind(logits, "aten::masked_fill")) {
      return FollowMasked(logits->node()->input(0), logits->node()->input(1), MaskTerm::Meaning::kHidden);
    }
    const auto scaled = ReadScaled(logits);
    return scaled && FollowScaled(*scaled);
  }

  bool FollowProduct(Node* product) {
    pattern_.query = product->input(0);
    pattern_.key = Untransposed(product->input(1));
    return pattern_.key != nullptr;
  }

  bool FollowSum(Node* sum) {
    if (ConstantNumber(sum->input(2)) != 1.0) return false;
    return FollowMasked(sum->input(0), sum->input(1), MaskTerm::Meaning::kAdded) ||
           FollowMasked(sum->input(1), sum->input(0), MaskTerm::Meaning::kAdded);
  }

  /// A mask stands behind scale and soft cap, as far as they have not been met yet.
  bool FollowMasked(Value* logits, Value* mask, MaskTerm::Meaning meaning) {
    if (scale_ != 1.0 || pattern_.softcap != 0.0) return false;
    const AttentionPattern before = pattern_;
    pattern_.masks.push_back({.value = mask, .meaning = meaning});
    if (Follow(logits)) return true;
    pattern_ = before;
    scale_ = 1.0;
    return false;
  }

  bool FollowScaled(const Scaled& scaled) {
    Value* other = BeforeCasts(scaled.other);
    if (!IsKind(other, "aten::tanh")) {
      scale_ *= scaled.factor;
      return Follow(other);
    }
    // softcap * tanh(logits / softcap)
    const auto inner = ReadScaled(BeforeCasts(other->node()->input(0)));
    const bool is_softcap = inner && pattern_.softcap == 0.0 && scale_ == 1.0 &&
                            std::abs(inner->factor * scaled.factor - 1.0) < 1e-6;
    if (!is_softcap) return false;
    pattern_.softcap = scaled.factor;
    return Follow(inner->other);
  }

  AttentionPattern pattern_;
  double scale_ = 1.0;
};

/// The only thing that is done with a value.
Node* OnlyUser(const Value* value) { return value->uses().size() == 1 ? value->uses()[0].user : nullptr; }

/// The product with the values that the weights go into; null if they go elsewhere.
Node* ProductWithValues(Value* weights) {
  Node* user = OnlyUser(weights);
  while (user != nullptr && user->outputs().size() == 1 && HandsOn(user->output())) {
    weights = user->output();
    user = OnlyUser(weights);
  }
  const bool product = user != nullptr && user->kind() == Kind("aten::matmul") && user->input(0) == weights;
  return product ? user : nullptr;
}

}  // namespace

std::optional<AttentionPattern> ReadEagerAttention(Node* node) {
  if (node->kind() != Kind("aten::softmax")) return std::nullopt;
  const auto axis = torch::jit::constant_as<int64_t>(node->input(1));
  if (axis != -1 && axis != 3) return std::nullopt;
  Node* product = ProductWithValues(node->output());
  if (product == nullptr) return std::nullopt;
  auto pattern = LogitReader().Read(node->input(0));
  if (!pattern) return std::nullopt;
  pattern->value = product->input(1);
  pattern->output = product->output();
  return pattern;
}

}  // namespace causal_tracer
