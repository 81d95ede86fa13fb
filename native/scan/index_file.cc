#include "scan/index_file.h"

#include <cerrno>

#include "base/crc32c.h"
#include "format/pcap_format.h"
#include "scan/state.h"

namespace spillway {

std::unique_ptr<IndexFile> IndexFile::create(int fd, uint64_t size, const std::string& path, uint64_t segment_id,
                                             int* error) {
  auto sidecar = SidecarWriter::create(path, segment_id, error);
  if (!sidecar) return nullptr;
  return std::unique_ptr<IndexFile>(new IndexFile(std::move(sidecar), fd, size));
}

IndexFile::IndexFile(std::unique_ptr<SidecarWriter> sidecar, int fd, uint64_t size) : sidecar_(std::move(sidecar)) {
  input_.openRange(fd, 0, size);
}

IndexFile::Status IndexFile::step(uint64_t budget) {
  if (over_) return Status::done;
  if (!pcap_ && !pcapng_ && !start()) return error_ != 0 ? Status::io_error : end();
  const uint64_t budget_end = input_.offset() + budget;
  return pcap_ ? walk(*pcap_, budget_end) : walk(*pcapng_, budget_end);
}

bool IndexFile::start() {
  while (input_.size() < pcap::kFileHeaderBytes && more()) {
  }
  const Bytes bytes{input_.data(), input_.size()};
  if (error_ != 0 || bytes.size < 4) return false;
  const uint32_t first = sidecar_->state({});
  if (first == SidecarWriter::kNoState) return false;
  builder_.begin(0, first);
  if (PcapngReader::recognises(bytes)) {
    pcapng_.emplace();
    return true;
  }
  PcapReader::Header header;
  std::string why;
  if (bytes.size < pcap::kFileHeaderBytes || !PcapReader::recognises(bytes) ||
      PcapReader::readHeader(bytes, &header, &why) != Next::section)
    return false;
  pcap_.emplace(header);
  // Whoever skipped the file header would not know how to read what follows.
  builder_.describes();
  sum(bytes.data, pcap::kFileHeaderBytes);
  input_.consume(pcap::kFileHeaderBytes);
  return true;
}

template <class Reader>
IndexFile::Status IndexFile::walk(Reader& reader, uint64_t budget_end) {
  constexpr bool kIsPcap = std::is_same_v<Reader, PcapReader>;
  Packet packet;
  for (;;) {
    const uint8_t* const data = input_.data();
    const size_t size = input_.size();
    const uint64_t base = input_.offset();
    size_t at = 0, summed = 0;
    Next next = Next::need_more;
    while (at < size && base + at < input_.end()) {
      next = reader.next(data + at, size - at, &packet);
      if (next == Next::need_more || next == Next::damage) break;
      if (next == Next::packet) {
        const uint32_t link_type = [&] {
          if constexpr (kIsPcap) return reader.header().link_type;
          else return reader.interfaces()[packet.interface].link_type;
        }();
        builder_.add(packet, link_type);
      } else if (next != Next::skipped) {
        builder_.describes();
      }
      at += packet.record.size;
      if (!builder_.full(base + at)) continue;
      sum(data + summed, at - summed);
      summed = at;
      if (!turnBlock(base + at)) return error_ != 0 ? Status::io_error : Status::done;
    }
    sum(data + summed, at - summed);
    input_.consume(at);
    if (next == Next::damage || input_.offset() >= input_.end()) return end();
    if (input_.offset() >= budget_end) return Status::budget;
    if (!more()) return error_ != 0 ? Status::io_error : end();
  }
}

IndexFile::Status IndexFile::end() {
  if (input_.offset() > begun_) turnBlock(input_.offset());
  over_ = true;
  return error_ != 0 ? Status::io_error : Status::done;
}

bool IndexFile::more() {
  const Input::More more = input_.more();
  if (more == Input::More::error) error_ = input_.error();
  return more == Input::More::more;
}

void IndexFile::sum(const uint8_t* data, size_t size) {
  if (size != 0) checksum_ = crc32c(data, size, checksum_);
}

bool IndexFile::turnBlock(uint64_t offset) {
  const int failed = sidecar_->add(builder_.close(offset, checksum_));
  if (failed != 0) error_ = -failed;
  checksum_ = 0;
  begun_ = offset;
  const uint32_t state = failed != 0 ? SidecarWriter::kNoState : sidecar_->state([&] {
    state_ = encodedState();
    return Bytes{state_.data(), state_.size()};
  }());
  over_ = state == SidecarWriter::kNoState;
  if (!over_) builder_.begin(offset, state);
  return !over_;
}

std::vector<uint8_t> IndexFile::encodedState() const {
  ReaderState state;
  state.container = pcap_ ? Container::pcap : Container::pcapng;
  if (pcap_) state.pcap = pcap_->header();
  if (pcapng_) {
    state.swapped = pcapng_->swapped();
    state.interfaces = pcapng_->interfaces();
  }
  return encodeState(state);
}

}  // namespace spillway
