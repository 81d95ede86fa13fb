#include "capture/pcap_source.h"

#include <dlfcn.h>
#include <net/if.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/libpcap_names.h"
#include "capture/clock.h"
#include "capture/limits.h"
#include "capture/link_type.h"

namespace spillway::capture {

// What pcap/pcap.h declares, for a system where only the library itself is installed.
namespace {

constexpr size_t kErrorBytes = 256;  // PCAP_ERRBUF_SIZE
constexpr int kErrorBreak = -2;      // PCAP_ERROR_BREAK
constexpr int kErrorNoPermission = -8;
constexpr int kErrorNoPromiscuousPermission = -11;
constexpr int kPrecisionNanos = 1;  // PCAP_TSTAMP_PRECISION_NANO

struct PacketHeader {
  timeval ts;  // microseconds, or nanoseconds where that was taken
  uint32_t caplen;
  uint32_t len;
};
struct Statistics {
  unsigned received, dropped, dropped_by_interface;
};
using Callback = void (*)(uint8_t* user, const PacketHeader* header, const uint8_t* data);

// An end of a wait for a source that has no descriptor to wait on.
constexpr int kUnselectableWaitMs = 10;
// Packets are copied up to this many bytes at once.
constexpr size_t kCopyBytes = 4u << 20;

int64_t steadyMs() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

struct Libpcap {
  void* (*create)(const char*, char*);
  int (*set_snaplen)(void*, int);
  int (*set_promisc)(void*, int);
  int (*set_timeout)(void*, int);
  int (*set_buffer_size)(void*, int);
  int (*set_tstamp_precision)(void*, int);
  int (*get_tstamp_precision)(void*);
  int (*activate)(void*);
  const char* (*statustostr)(int);
  int (*setnonblock)(void*, int, char*);
  int (*datalink)(void*);
  int (*get_selectable_fd)(void*);
  int (*dispatch)(void*, int, Callback, uint8_t*);
  int (*stats)(void*, Statistics*);
  void (*breakloop)(void*);
  char* (*geterr)(void*);
  void (*close)(void*);
};

namespace {

// Loaded once and never let go of; null where it is not there or lacks something.
const Libpcap* loadLibpcap() {
  static const Libpcap* const loaded = []() -> const Libpcap* {
    void* handle = nullptr;
    for (const char* name : kLibpcapNames)
      if (!handle) handle = ::dlopen(name, RTLD_NOW);
    if (!handle) return nullptr;
    static Libpcap found;
    bool all = true;
    const auto find = [&](const char* name, auto* function) {
      *function = reinterpret_cast<std::remove_pointer_t<decltype(function)>>(::dlsym(handle, name));
      all = all && *function;
    };
    find("pcap_create", &found.create);
    find("pcap_set_snaplen", &found.set_snaplen);
    find("pcap_set_promisc", &found.set_promisc);
    find("pcap_set_timeout", &found.set_timeout);
    find("pcap_set_buffer_size", &found.set_buffer_size);
    find("pcap_set_tstamp_precision", &found.set_tstamp_precision);
    find("pcap_get_tstamp_precision", &found.get_tstamp_precision);
    find("pcap_activate", &found.activate);
    find("pcap_statustostr", &found.statustostr);
    find("pcap_setnonblock", &found.setnonblock);
    find("pcap_datalink", &found.datalink);
    find("pcap_get_selectable_fd", &found.get_selectable_fd);
    find("pcap_dispatch", &found.dispatch);
    find("pcap_stats", &found.stats);
    find("pcap_breakloop", &found.breakloop);
    find("pcap_geterr", &found.geterr);
    find("pcap_close", &found.close);
    return all ? &found : nullptr;
  }();
  return loaded;
}

bool ask(int socket, const std::string& name, unsigned long request, ifreq* answer) {
  std::memset(answer, 0, sizeof *answer);
  if (name.size() >= IFNAMSIZ) return false;
  std::memcpy(answer->ifr_name, name.data(), name.size());
  return ::ioctl(socket, request, answer) == 0;
}

}  // namespace

uint32_t linkTypeOfDlt(int dlt) {
  switch (dlt) {
    case 11:  // DLT_ATM_RFC1483
      return 100;
    case 12:  // DLT_RAW
      return 101;
    case 13:  // DLT_SLIP_BSDOS
      return 102;
    case 14:  // DLT_PPP_BSDOS
      return 103;
    default:
      return static_cast<uint32_t>(dlt);
  }
}

Failed PcapSource::open(const SourceOptions& options, std::unique_ptr<PacketSource>* source) {
  std::unique_ptr<PcapSource> made(new PcapSource);
  made->library_ = loadLibpcap();
  if (!made->library_) return Failure{Code::system, "libpcap is not there: " + options.interface + " needs it"};
  if (auto failure = made->activate(options)) return failure;
  *source = std::move(made);
  return std::nullopt;
}

Failed PcapSource::activate(const SourceOptions& options) {
  const std::string& name = options.interface;
  char error[kErrorBytes] = "";
  handle_ = library_->create(name.c_str(), error);
  if (!handle_) return Failure{Code::interface_not_found, name + " can't be captured: " + error};
  ring_bytes_ = std::min<uint64_t>(options.ring_bytes, INT_MAX);
  library_->set_snaplen(handle_, static_cast<int>(limits::kMaxSnapBytes));
  library_->set_promisc(handle_, options.promiscuous ? 1 : 0);
  library_->set_timeout(handle_, limits::kBlockTimeoutMs);
  library_->set_buffer_size(handle_, static_cast<int>(ring_bytes_));
  library_->set_tstamp_precision(handle_, kPrecisionNanos);
  // Above zero are warnings.
  if (const int status = library_->activate(handle_); status < 0) {
    const bool refused = status == kErrorNoPermission || status == kErrorNoPromiscuousPermission;
    const std::string why = library_->geterr(handle_);
    return Failure{refused ? Code::not_permitted : Code::interface_not_found,
                   name + " can't be captured: " + (why.empty() ? library_->statustostr(status) : why)};
  }
  unit_nanos_ = library_->get_tstamp_precision(handle_) == kPrecisionNanos ? 1 : 1000;
  if (library_->setnonblock(handle_, 1, error) != 0)
    return Failure{Code::system, name + " can't be captured: " + error};
  selectable_ = library_->get_selectable_fd(handle_);
  wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  asking_.reset(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!wake_ || !asking_) return Failure{Code::system, withErrno("no descriptor", errno)};
  facts_.name = name;
  facts_.link_type = linkTypeOfDlt(library_->datalink(handle_));
  if (facts_.link_type != kEthernet && !options.program.empty())
    return Failure{Code::interface_unsupported,
                   "the program is for Ethernet, and " + name + " has link type " + std::to_string(facts_.link_type)};
  ifreq answer;
  is_interface_ = ask(asking_.get(), name, SIOCGIFFLAGS, &answer);
  if (is_interface_ && facts_.link_type == kEthernet && ask(asking_.get(), name, SIOCGIFHWADDR, &answer)) {
    facts_.has_mac = true;
    std::memcpy(facts_.mac.data(), answer.ifr_hwaddr.sa_data, facts_.mac.size());
  }
  return std::nullopt;
}

PcapSource::~PcapSource() {
  if (handle_) library_->close(handle_);
}

// It takes packets since it was opened: those of before are left out.
Failed PcapSource::start() {
  drops_seen_ = dropped();
  started_at_ = systemNow();
  return std::nullopt;
}

struct PcapSource::Handler {
  static void take(uint8_t* user, const PacketHeader* header, const uint8_t* data) {
    auto& self = *reinterpret_cast<PcapSource*>(user);
    CapturedPacket packet;
    packet.time = static_cast<Nanos>(header->ts.tv_sec) * kNanosPerSecond + header->ts.tv_usec * self.unit_nanos_;
    if (packet.time < self.started_at_ || packet.time > self.closed_at_) return;
    packet.caplen = std::min(header->caplen, limits::kMaxSnapBytes);
    packet.wirelen = header->len;
    self.bytes_.insert(self.bytes_.end(), data, data + packet.caplen);
    self.packets_.push_back(packet);
    if (self.bytes_.size() >= kCopyBytes) self.library_->breakloop(self.handle_);
  }
};

bool PcapSource::dispatch() {
  constexpr int kMost = 4096;  // packets
  bytes_.clear();
  packets_.clear();
  given_ = 0;
  const int count = library_->dispatch(handle_, kMost, Handler::take, reinterpret_cast<uint8_t*>(this));
  if (count < 0 && count != kErrorBreak) broken_ = true;
  const uint8_t* data = bytes_.data();
  for (CapturedPacket& packet : packets_) {
    packet.data = data;
    data += packet.caplen;
  }
  was_full_ = count > 0 || count == kErrorBreak;
  return was_full_;
}

size_t PcapSource::take(CapturedPacket* to, size_t max, int timeout_ms) {
  if (given_ == packets_.size() && (broken_ || !dispatch())) {
    if (timeout_ms == 0) return 0;
    pollfd waits[] = {{wake_.get(), POLLIN, 0}, {broken_ ? -1 : selectable_, POLLIN, 0}};
    const int wait = selectable_ < 0 && !broken_ ? std::min(timeout_ms, kUnselectableWaitMs) : timeout_ms;
    ::poll(waits, 2, wait);
    if (waits[0].revents & POLLIN) {
      uint64_t count;
      if (::read(wake_.get(), &count, sizeof count) < 0) return 0;
    }
    if (!broken_) dispatch();
  }
  const size_t taken = std::min(max, packets_.size() - given_);
  std::copy_n(packets_.begin() + static_cast<std::ptrdiff_t>(given_), taken, to);
  given_ += taken;
  return taken;
}

void PcapSource::wake() {
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
}

uint64_t PcapSource::dropped() {
  Statistics statistics{};
  return library_->stats(handle_, &statistics) == 0 ? statistics.dropped : drops_seen_;
}

uint64_t PcapSource::takeLost() {
  const uint64_t now = dropped();
  // It counts in 32 bits.
  return static_cast<uint32_t>(now - std::exchange(drops_seen_, now));
}

Link PcapSource::link() {
  if (broken_) return Link::gone;
  ifreq answer;
  if (!is_interface_) return Link::up;
  if (!ask(asking_.get(), facts_.name, SIOCGIFFLAGS, &answer)) return Link::gone;
  return (answer.ifr_flags & IFF_UP) ? Link::up : Link::down;
}

void PcapSource::closeIntake() {
  closed_at_ = systemNow();
  closed_at_ms_ = steadyMs();
}

bool PcapSource::drained() {
  const bool all = given_ == packets_.size() && !was_full_;
  return steadyMs() - closed_at_ms_ > 2 * limits::kBlockTimeoutMs && (all || broken_);
}

SourceTraits PcapSource::traits() const { return {"libpcap", ring_bytes_, false, false}; }

}  // namespace spillway::capture
