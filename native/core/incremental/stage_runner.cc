#include "stage_runner.h"

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/tensor.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <utility>

#include "../linear/linear_operator.h"
#include "../site_operator.h"

namespace causal_tracer {
namespace {

/// Tokens that a piece runs at once: enough for the matrix products' best rate, and few enough to stay in the
/// caches and to be stopped soon.
constexpr int64_t kChunkTokens = 512;
constexpr int64_t kLogitChunkTokens = 128;

/// Equal chunks, multiples of 16 where there are several.
int64_t ChunkSize(int64_t tokens, int64_t most) {
  const int64_t chunks = (tokens + most - 1) / most;
  if (chunks <= 1) return tokens;
  constexpr int64_t kMultiple = 16;
  const int64_t even = (tokens + chunks - 1) / chunks;
  return (even + kMultiple - 1) / kMultiple * kMultiple;
}

/// One hidden value after one stage, in all three runs.
class ValueAfterStage {
 public:
  ValueAfterStage(const Stage& stage, size_t stage_number, size_t value, const BaseRun* clean,
                  const BaseRun* corrupted, const StageState* patched, int64_t sample_begin,
                  int64_t sample_end)
      : corrupted_run_(corrupted), sample_begin_(sample_begin), samples_(sample_end - sample_begin) {
    const auto place = static_cast<size_t>(std::ranges::find(stage.outgoing, value) - stage.outgoing.begin());
    if (clean != nullptr && stage_number < clean->states.size())
      clean_ = &clean->states[stage_number].columns[place];
    if (corrupted != nullptr && stage_number < corrupted->states.size()) {
      corrupted_ = &corrupted->states[stage_number].columns[place];
    }
    if (patched != nullptr) patched_ = &patched->columns[place];
  }

  /// The vector of a token in sample `sample_begin + sample`.
  const std::byte* At(TokenRef token, int64_t sample) const {
    switch (token.run) {
      case TokenRef::Run::kClean:
        return clean_->tokens[static_cast<size_t>(token.index)];
      case TokenRef::Run::kCorrupted: {
        const int64_t row = (token.index - corrupted_run_->first_position) * corrupted_run_->samples;
        return corrupted_->tokens[static_cast<size_t>(row + sample_begin_ + sample)];
      }
      case TokenRef::Run::kPatched:
        break;
    }
    return patched_->tokens[static_cast<size_t>(token.index * samples_ + sample)];
  }

  at::ScalarType dtype() const { return (clean_ != nullptr ? clean_ : patched_)->dtype; }
  const TokenColumn* patched() const { return patched_; }

 private:
  const TokenColumn* clean_ = nullptr;
  const TokenColumn* corrupted_ = nullptr;
  const TokenColumn* patched_ = nullptr;
  const BaseRun* corrupted_run_;
  int64_t sample_begin_;
  int64_t samples_;
};

}  // namespace

class StageRunner::StageRun {
 public:
  StageRun(const StageRunner& runner, const StageRequest& request, const TakeLogits& take_logits)
      : runner_(runner),
        request_(request),
        take_logits_(take_logits),
        stage_(runner.graph_.stages()[request.stage]),
        samples_(request.sample_end - request.sample_begin),
        is_last_(request.stage + 1 == runner.graph_.stages().size()) {
    state_.columns.resize(stage_.outgoing.size());
    for (TokenColumn& column : state_.columns) {
      column.tokens.assign(request.plan.tokens.size() * static_cast<size_t>(samples_), nullptr);
    }
  }

  StageState Run() {
    std::map<ValueSet, std::vector<int64_t>> rows_by_wanted;
    for (size_t i = 0; i < request_.plan.tokens.size(); ++i) {
      const PlannedToken& token = request_.plan.tokens[i];
      if (token.wanted == 0) continue;
      auto& rows = rows_by_wanted[token.wanted];
      for (int64_t sample = 0; sample < samples_; ++sample) {
        rows.push_back(static_cast<int64_t>(i) * samples_ + sample);
      }
    }
    for (const auto& [wanted, rows] : rows_by_wanted) {
      RunPiece(wanted, rows);
      Carry(wanted, rows);
    }
    return std::move(state_);
  }

 private:
  const PlannedToken& TokenOf(int64_t row) const {
    return request_.plan.tokens[static_cast<size_t>(row / samples_)];
  }

  bool IsWanted(ValueSet wanted, size_t value) const {
    const auto place = std::ranges::find(stage_.outgoing, value);
    return place != stage_.outgoing.end() &&
           (wanted >> static_cast<size_t>(place - stage_.outgoing.begin()) & 1U) != 0;
  }

  TokenColumn& Column(size_t value) {
    const auto place = std::ranges::find(stage_.outgoing, value) - stage_.outgoing.begin();
    return state_.columns[static_cast<size_t>(place)];
  }

  ValueAfterStage Before(size_t value) const {
    return {runner_.graph_.stages()[request_.stage - 1],
            request_.stage - 1,
            value,
            runner_.clean_,
            runner_.corrupted_,
            request_.previous,
            request_.sample_begin,
            request_.sample_end};
  }

  void RunPiece(ValueSet wanted, const std::vector<int64_t>& rows) {
    const Piece& piece = runner_.graph_.PieceFor(request_.stage, wanted);
    const bool keeps_attention = stage_.attention && IsWanted(wanted, stage_.cut.output);
    if (piece.outputs.empty() && !is_last_ && !keeps_attention) return;
    const auto count = static_cast<int64_t>(rows.size());
    const int64_t size = ChunkSize(count, is_last_ ? kLogitChunkTokens : kChunkTokens);
    for (int64_t begin = 0; begin < count; begin += size) {
      runner_.control_.ThrowIfStopped();
      const int64_t end = std::min(begin + size, count);
      RunChunk(piece, {rows.begin() + begin, rows.begin() + end}, keeps_attention);
    }
    runner_.work_.tokens_by_stage[request_.stage] += count;
  }

  void RunChunk(const Piece& piece, const std::vector<int64_t>& rows, bool keeps_attention) {
    const auto count = static_cast<int64_t>(rows.size());
    const bool needs_attention =
        keeps_attention || std::ranges::any_of(piece.inputs, [&](const Piece::Input& input) {
          return input.source == Piece::Source::kHidden && input.number == stage_.cut.output;
        });
    at::Tensor attended;
    if (stage_.attention && needs_attention) attended = Attend(*stage_.attention, rows);
    if (keeps_attention) Store(stage_.cut.output, rows, attended.flatten(1));
    std::vector<c10::IValue> inputs;
    for (const Piece::Input& input : piece.inputs) {
      switch (input.source) {
        case Piece::Source::kHidden: {
          const bool from_attention = attended.defined() && input.number == stage_.cut.output;
          const at::Tensor tokens = from_attention ? attended : Gather(input.number, rows);
          inputs.emplace_back(runner_.graph_.hidden()[input.number].ToGraph(tokens));
          break;
        }
        case Piece::Source::kContext:
          inputs.emplace_back(ContextOf(input.number, rows));
          break;
        case Piece::Source::kPositionCount:
        case Piece::Source::kTokenCount:
          inputs.emplace_back(count);
          break;
        case Piece::Source::kRowCount:
          inputs.emplace_back(int64_t{1});
          break;
      }
    }
    const int64_t multiplications = LinearMultiplications();
    const auto outputs = piece.program->Run(std::move(inputs));
    runner_.work_.multiplications += LinearMultiplications() - multiplications;
    for (size_t i = 0; i < piece.outputs.size(); ++i) {
      const HiddenValue& value = runner_.graph_.hidden()[piece.outputs[i]];
      Store(piece.outputs[i], rows, value.FromGraph(outputs[i].toTensor()));
    }
    if (is_last_) take_logits_(rows, outputs.back().toTensor().reshape({count, -1}));
  }

  /// Where the cut's output, or a value that is older than the cut, lies for each row.
  template <typename Take>
  void ForEachVector(size_t value, const std::vector<int64_t>& rows, Take take) const {
    if (value == stage_.cut.output && stage_.cut.kind == Cut::Kind::kEmbedding) {
      const auto* first = static_cast<const std::byte*>(request_.embedded.const_data_ptr());
      const auto bytes = static_cast<int64_t>(request_.embedded.element_size()) * request_.embedded.size(-1);
      for (size_t i = 0; i < rows.size(); ++i) take(i, first + rows[i] * bytes);
      return;
    }
    const bool at_site = value == stage_.cut.output && stage_.cut.kind == Cut::Kind::kSite;
    const ValueAfterStage before = Before(at_site ? stage_.cut.input : value);
    for (size_t i = 0; i < rows.size(); ++i) {
      const PlannedToken& token = TokenOf(rows[i]);
      const TokenRef source = at_site && token.restored
                                  ? TokenRef{.run = TokenRef::Run::kClean, .index = token.position}
                                  : token.source;
      const std::byte* vector = before.At(source, rows[i] % samples_);
      if (vector == nullptr) throw UnsupportedGraph("the plan uses a token that it has not computed");
      take(i, vector);
    }
  }

  at::ScalarType DtypeOf(size_t value) const {
    if (value != stage_.cut.output) return Before(value).dtype();
    if (stage_.cut.kind == Cut::Kind::kEmbedding) return request_.embedded.scalar_type();
    return Before(stage_.attention ? stage_.attention->value : stage_.cut.input).dtype();
  }

  /// The vectors of a value side by side, `[row, ...token_sizes]`.
  at::Tensor Gather(size_t value, const std::vector<int64_t>& rows) const {
    std::vector<const std::byte*> vectors(rows.size());
    ForEachVector(value, rows, [&](size_t i, const std::byte* vector) { vectors[i] = vector; });
    at::Tensor gathered = EmptyTokens(value, DtypeOf(value), static_cast<int64_t>(rows.size()));
    auto* target = static_cast<std::byte*>(gathered.mutable_data_ptr());
    const size_t bytes = gathered.nbytes() / rows.size();
    constexpr int64_t kGrain = 64;
    at::parallel_for(0, static_cast<int64_t>(rows.size()), kGrain, [&](int64_t begin, int64_t end) {
      for (auto i = static_cast<size_t>(begin); i < static_cast<size_t>(end); ++i) {
        std::memcpy(target + i * bytes, vectors[i], bytes);
      }
    });
    return gathered;
  }

  at::Tensor EmptyTokens(size_t value, at::ScalarType dtype, int64_t count) const {
    std::vector<int64_t> sizes = runner_.graph_.hidden()[value].token_sizes;
    sizes.insert(sizes.begin(), count);
    return at::empty(sizes, dtype);
  }

  at::Tensor ContextOf(size_t number, const std::vector<int64_t>& rows) const {
    const at::Tensor& value = runner_.context_.values[number];
    const auto axis = runner_.graph_.context()[number].position_axis;
    if (!axis) return value;
    std::vector<int64_t> positions;
    positions.reserve(rows.size());
    for (const int64_t row : rows) positions.push_back(TokenOf(row).position);
    return value.index_select(*axis, at::tensor(positions, at::kLong));
  }

  /// The attention's output, `[row, ...token_sizes]`.
  at::Tensor Attend(const AttentionCut& attention, const std::vector<int64_t>& rows) {
    FindKeys(attention);
    const auto length = static_cast<size_t>(runner_.context_.length);
    std::vector<AttentionQuery> queries(rows.size());
    ForEachVector(attention.query, rows, [&](size_t i, const std::byte* vector) {
      const PlannedToken& token = TokenOf(rows[i]);
      const auto row = static_cast<size_t>(token.row * samples_ + rows[i] % samples_) * length;
      queries[i] = {.query = vector,
                    .keys = keys_.data() + row,
                    .values = values_.data() + row,
                    .position = token.position};
      RequireSeen(queries[i]);
    });
    const auto& query_sizes = runner_.graph_.hidden()[attention.query].token_sizes;
    const auto& key_sizes = runner_.graph_.hidden()[attention.key].token_sizes;
    const auto& value_sizes = runner_.graph_.hidden()[attention.value].token_sizes;
    const AttentionSizes sizes{.heads = query_sizes.at(0),
                               .key_heads = key_sizes.at(0),
                               .key_size = query_sizes.at(1),
                               .value_size = value_sizes.at(1),
                               .scale = static_cast<float>(attention.scale.value_or(
                                   1.0 / std::sqrt(static_cast<double>(query_sizes.at(1))))),
                               .softcap = static_cast<float>(attention.softcap)};
    at::Tensor output =
        EmptyTokens(stage_.cut.output, DtypeOf(stage_.cut.output), static_cast<int64_t>(rows.size()));
    AttendTokens(sizes, runner_.context_.masks[request_.stage], queries, output);
    return output;
  }

  void RequireSeen(const AttentionQuery& query) const {
    const AttentionMask& mask = runner_.context_.masks[request_.stage];
    for (const int32_t key : mask.visible[static_cast<size_t>(query.position)]) {
      if (query.keys[key] == nullptr || query.values[key] == nullptr) {
        throw UnsupportedGraph("the plan sees a token that it has not computed");
      }
    }
  }

  /// Where the keys and values of each row of the plan lie: `[row, sample, position]`. Once a stage.
  void FindKeys(const AttentionCut& attention) {
    if (!keys_.empty()) return;
    const ValueAfterStage key = Before(attention.key);
    const ValueAfterStage value = Before(attention.value);
    const auto length = static_cast<size_t>(runner_.context_.length);
    const size_t plan_rows = request_.plan.rows.size() / length;
    keys_.reserve(request_.plan.rows.size() * static_cast<size_t>(samples_));
    values_.reserve(keys_.capacity());
    for (size_t row = 0; row < plan_rows; ++row) {
      for (int64_t sample = 0; sample < samples_; ++sample) {
        for (size_t position = 0; position < length; ++position) {
          const TokenRef token = request_.plan.rows[row * length + position];
          keys_.push_back(key.At(token, sample));
          values_.push_back(value.At(token, sample));
        }
      }
    }
  }

  /// Takes `tokens`, `[row, width]` and contiguous, into the state.
  void Store(size_t value, const std::vector<int64_t>& rows, const at::Tensor& tokens) {
    TokenColumn& column = Column(value);
    column.dtype = tokens.scalar_type();
    column.owners.push_back(tokens);
    const auto* first = static_cast<const std::byte*>(tokens.const_data_ptr());
    const size_t bytes = tokens.nbytes() / rows.size();
    for (size_t i = 0; i < rows.size(); ++i) column.tokens[static_cast<size_t>(rows[i])] = first + i * bytes;
  }

  /// Hands on the wanted values that the piece does not make.
  void Carry(ValueSet wanted, const std::vector<int64_t>& rows) {
    for (const size_t value : stage_.outgoing) {
      const bool made = std::ranges::find(stage_.made, value) != stage_.made.end();
      const bool attended = stage_.attention && value == stage_.cut.output;
      if (made || attended || !IsWanted(wanted, value)) continue;
      TokenColumn& column = Column(value);
      ForEachVector(value, rows, [&](size_t i, const std::byte* vector) {
        column.tokens[static_cast<size_t>(rows[i])] = vector;
      });
      column.dtype = DtypeOf(value);
      KeepOwners(value, column);
    }
  }

  void KeepOwners(size_t value, TokenColumn& column) const {
    if (value == stage_.cut.output && stage_.cut.kind == Cut::Kind::kEmbedding) {
      column.owners.push_back(request_.embedded);
      return;
    }
    const TokenColumn* before = Before(value == stage_.cut.output ? stage_.cut.input : value).patched();
    if (before != nullptr)
      column.owners.insert(column.owners.end(), before->owners.begin(), before->owners.end());
  }

  const StageRunner& runner_;
  const StageRequest& request_;
  const TakeLogits& take_logits_;
  const Stage& stage_;
  int64_t samples_;
  bool is_last_;
  StageState state_;
  std::vector<const std::byte*> keys_;
  std::vector<const std::byte*> values_;
};

StageState StageRunner::Run(const StageRequest& request, const TakeLogits& take_logits) const {
  return StageRun(*this, request, take_logits).Run();
}

}  // namespace causal_tracer
