#include "tools/convert/write/shard_production.h"

#include <algorithm>
#include <deque>
#include <optional>
#include <span>
#include <utility>

#include "streamer/core/error.h"
#include "streamer/shard/shard_writer.h"
#include "tools/convert/duplicate/near_search.h"
#include "tools/convert/write/ordered_work.h"
#include "tools/convert/write/picture_chunks.h"
#include "tools/convert/write/turn_budget.h"

namespace penstock::convert {
namespace {

class Production {
 public:
  Production(const ShardProductionConfig& config, ProductionListener& listener,
             const std::stop_token& stop)
      : config_(config),
        listener_(listener),
        stop_(stop),
        committer_([&listener](FilledShard shard) {
          if (shard.writer) shard.record.shard = shard.writer->finish();
          shard.writer.reset();
          listener.shard_finished(shard.shard_idx, std::move(shard.record));
        }) {}

  void add(const PictureChunk& chunk, std::vector<CheckedPicture>& pictures) {
    if (!open_ || open_->shard_idx != chunk.shard_idx) begin(chunk.shard_idx);
    for (CheckedPicture& one : pictures) add(one);
  }

  void close() {
    end();
    committer_.wait();
  }

 private:
  const ShardPlan& plan(std::size_t shard_idx) const { return (*config_.shards)[shard_idx]; }

  void begin(std::size_t shard_idx) {
    end();
    open_.emplace();
    open_->shard_idx = shard_idx;
    open_->record.file = plan(shard_idx).file_name();
    open_->record.one_picture_bytes = config_.worker.one_picture_bytes;
  }

  void end() {
    if (!open_) return;
    open_->record.contribution.rows = config_.rows->end_shard();
    open_->record.contribution.prints = config_.prints->end_run();
    if (config_.looks != nullptr) open_->record.contribution.looks = config_.looks->end_run();
    listener_.shard_filled();
    committer_.hand_over(std::move(*open_));
    open_.reset();
  }

  void add(CheckedPicture& one) {
    if (stop_.stop_requested()) {
      throw Error(ErrorCode::kStopped, "stopped: conversion: on request");
    }
    const ListedPicture picture = (*config_.pictures)[one.picture_idx];
    IndexRecord record = one.verdict.record;
    record.class_idx = picture.class_idx;
    if (one.is_stored()) {
      if (!open_->writer) make_file();
      open_->writer->add(
          {.encoded = one.bytes, .record = record, .name = std::string(picture.name)});
    }
    ShardContribution& contribution = open_->record.contribution;
    contribution.add(picture, one.verdict, config_.worker.check.is_fixed(ReasonCode::kProgressive));
    contribution.largest_picture_bytes =
        std::max(contribution.largest_picture_bytes, one.needed_bytes);
    list(one);
    if (one.counts_as_copy) {
      config_.prints->add({.digest = one.content, .picture_idx = one.picture_idx});
    }
    if (one.look) config_.looks->add(look_print(*one.look, one.content, one.picture_idx));
    listener_.checked(picture, one.verdict, record);
    std::vector<std::byte>().swap(one.bytes);
  }

  void list(const CheckedPicture& one) {
    const ImageVerdict& verdict = one.verdict;
    if (verdict.fate == FileFate::kQuarantined) {
      config_.rows->add(ListKind::kQuarantine, one.picture_idx, verdict.reason, verdict.detail);
    } else if (one.is_stored() && !verdict.loss.empty()) {
      config_.rows->add(ListKind::kFixed, one.picture_idx, verdict.reason, verdict.loss);
    }
  }

  // At the first picture that is stored, with room for all of them.
  void make_file() {
    const ShardPlan& shard = plan(open_->shard_idx);
    open_->writer.emplace(
        config_.folder / shard.file_name(),
        ShardWriterConfig{.split = std::string(split_name(shard.split)),
                          .class_names = config_.class_names,
                          .num_samples = shard.pictures.size(),
                          .payload_bytes = std::max<std::uint64_t>(
                              static_cast<std::uint64_t>(static_cast<double>(shard.source_bytes) *
                                                         config_.reserved_share),
                              shard.pictures.size()),
                          .store_names = config_.store_names,
                          .sizes = ShardSizes::kEstimate});
    listener_.shard_begun();
  }

  const ShardProductionConfig& config_;
  ProductionListener& listener_;
  const std::stop_token& stop_;
  std::optional<FilledShard> open_;
  ShardCommitter committer_;  // destroyed first: its thread calls the listener
};

}  // namespace

void produce_shards(const ShardProductionConfig& config, const std::vector<bool>& is_done,
                    ProductionListener& listener, const std::stop_token& stop) {
  const std::vector<PictureChunk> chunks = cut_chunks(*config.pictures, *config.shards, is_done);
  TurnBudget budget(config.pool_bytes);
  std::deque<PictureWorker> workers;  // by thread; a decoder cannot be moved
  for (unsigned i = 0; i < config.num_jobs; ++i) workers.emplace_back(config.worker, budget);
  Production production(config, listener, stop);
  OrderedWork<CheckedBatch> work(
      {.num_items = chunks.size(),
       .num_threads = config.num_jobs,
       .window = 4 * std::size_t{config.num_jobs},
       .on_halt = [&] { budget.halt(); }},
      [&](unsigned thread_idx, std::size_t turn, const OrderedWork<CheckedBatch>::Emit& emit) {
        const PictureChunk& chunk = chunks[turn];
        const std::span<const std::uint32_t> members = (*config.shards)[chunk.shard_idx].pictures;
        workers[thread_idx].check(members.subspan(chunk.begin, chunk.end - chunk.begin), turn, emit,
                                  stop);
      });
  work.run([&](std::size_t turn, CheckedBatch batch) {
    production.add(chunks[turn], batch.pictures);
    batch.pictures.clear();
    budget.give_back(batch.held_bytes);
  });
  production.close();
}

}  // namespace penstock::convert
