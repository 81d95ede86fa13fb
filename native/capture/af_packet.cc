#include "capture/af_packet.h"

#include <linux/filter.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/sockios.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "capture/kernel_filter.h"
#include "capture/limits.h"
#include "capture/link_type.h"

namespace spillway::capture {
namespace {

template <class T>
int setOption(int socket, int level, int option, const T& value) {
  return ::setsockopt(socket, level, option, &value, sizeof value) == 0 ? 0 : -errno;
}

bool askByName(int socket, const std::string& name, unsigned long request, ifreq* answer) {
  std::memset(answer, 0, sizeof *answer);
  if (name.size() >= IFNAMSIZ) {
    errno = ENODEV;
    return false;
  }
  std::memcpy(answer->ifr_name, name.data(), name.size());
  return ::ioctl(socket, request, answer) == 0;
}

int attach(int socket, const std::vector<cbpf::Insn>& program) {
  static_assert(sizeof(cbpf::Insn) == sizeof(sock_filter));
  std::vector<sock_filter> filter(program.size());
  std::memcpy(filter.data(), program.data(), program.size() * sizeof(sock_filter));
  const sock_fprog prog{static_cast<unsigned short>(filter.size()), filter.data()};
  return setOption(socket, SOL_SOCKET, SO_ATTACH_FILTER, prog);
}

// Asks the interface for hardware times; without them the kernel's own are taken.
bool startHardwareTimestamps(int socket, const std::string& name) {
  hwtstamp_config config{};
  config.tx_type = HWTSTAMP_TX_OFF;
  config.rx_filter = HWTSTAMP_FILTER_ALL;
  ifreq request{};
  std::memcpy(request.ifr_name, name.data(), name.size());
  request.ifr_data = reinterpret_cast<char*>(&config);
  if (::ioctl(socket, SIOCSHWTSTAMP, &request) != 0 || config.rx_filter == HWTSTAMP_FILTER_NONE) return false;
  return setOption(socket, SOL_PACKET, PACKET_TIMESTAMP, static_cast<int>(SOF_TIMESTAMPING_RAW_HARDWARE)) == 0;
}

int64_t steadyMs() {
  timespec now;
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

}  // namespace

Failed AfPacket::open(const SourceOptions& options, std::unique_ptr<PacketSource>* source) {
  const auto failed = [](Code code, std::string what) { return Failure{code, std::move(what)}; };
  std::unique_ptr<AfPacket> made(new AfPacket);
  const std::string& name = options.interface;
  // Protocol 0: nothing is taken before filter and ring are there.
  made->socket_.reset(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0));
  const int socket = made->socket_.get();
  if (!made->socket_) {
    if (errno == EPERM || errno == EACCES)
      return failed(Code::not_permitted, "capturing on " + name + " needs the capability CAP_NET_RAW");
    return failed(Code::system, withErrno("no packet socket for " + name, errno));
  }
  made->wake_.reset(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!made->wake_) return failed(Code::system, withErrno("no event descriptor", errno));

  ifreq answer;
  if (!askByName(socket, name, SIOCGIFINDEX, &answer))
    return failed(Code::interface_not_found, "there is no interface " + name);
  if (!askByName(socket, name, SIOCGIFHWADDR, &answer))
    return failed(Code::system, withErrno("the link type of " + name + " can't be told", errno));
  made->hardware_type_ = answer.ifr_hwaddr.sa_family;
  const auto link_type = linkTypeOf(made->hardware_type_);
  if (!link_type)
    return failed(Code::interface_unsupported, "the interface " + name + " has hardware type " +
                                                   std::to_string(made->hardware_type_) + ", which can't be captured");
  if (*link_type != kEthernet && !options.program.empty())
    return failed(Code::interface_unsupported,
                  "the program is for Ethernet, and " + name + " has link type " + std::to_string(*link_type));
  made->facts_.name = name;
  made->facts_.link_type = *link_type;
  made->facts_.has_mac = *link_type == kEthernet;
  std::memcpy(made->facts_.mac.data(), answer.ifr_hwaddr.sa_data, made->facts_.mac.size());
  made->promiscuous_ = options.promiscuous;

  if (const int error = setOption(socket, SOL_PACKET, PACKET_VERSION, static_cast<int>(TPACKET_V3)); error != 0)
    return failed(Code::system, withErrno("the kernel has no TPACKET_V3", -error));
  if (options.hardware_timestamps) made->hardware_timestamps_ = startHardwareTimestamps(socket, name);
  if (auto failure = made->setFilter(options)) return failure;
  if (auto failure = made->mapRing(options.ring_bytes)) return failure;
  *source = std::move(made);
  return std::nullopt;
}

Failed AfPacket::start() {
  ifreq answer;
  if (askByName(socket_.get(), facts_.name, SIOCGIFINDEX, &answer) && bindTo(answer.ifr_ifindex)) return std::nullopt;
  return Failure{Code::system, withErrno("the interface " + facts_.name + " can't be joined", errno)};
}

AfPacket::~AfPacket() {
  if (ring_ != nullptr) ::munmap(ring_, ring_size_);
}

Failed AfPacket::setFilter(const SourceOptions& options) {
  const bool loopback = hardware_type_ == ARPHRD_LOOPBACK;
  const auto filter = kernelFilter(options.program, loopback);
  if (filter.size() <= limits::kMaxKernelInsns && attach(socket_.get(), filter) == 0) {
    filters_in_kernel_ = !options.program.empty();
    return std::nullopt;
  }
  // Jumps backwards, uninitialised scratch memory, too long: the kernel refuses what runs here. It then gives all.
  if (const int error = attach(socket_.get(), kernelFilter({}, loopback)); error != 0)
    return Failure{Code::system, withErrno("the kernel takes no filter", -error)};
  return std::nullopt;
}

Failed AfPacket::mapRing(uint64_t bytes) {
  constexpr uint32_t kFrameBytes = 2048;  // of no meaning in TPACKET_V3 but for the kernel's checks
  blocks_ = std::max<size_t>(bytes / limits::kRingBlockBytes, 2);
  tpacket_req3 request{};
  request.tp_block_size = limits::kRingBlockBytes;
  request.tp_frame_size = kFrameBytes;
  request.tp_retire_blk_tov = limits::kBlockTimeoutMs;
  int error = 0;
  // Less memory is better than no capture.
  for (;; blocks_ /= 2) {
    request.tp_block_nr = static_cast<unsigned>(blocks_);
    request.tp_frame_nr = request.tp_block_nr * (limits::kRingBlockBytes / kFrameBytes);
    error = setOption(socket_.get(), SOL_PACKET, PACKET_RX_RING, request);
    if (error != -ENOMEM || blocks_ <= 4) break;
  }
  if (error != 0) return Failure{Code::no_memory, withErrno("no ring for " + facts_.name, -error)};
  ring_size_ = uint64_t{blocks_} * limits::kRingBlockBytes;
  void* memory = ::mmap(nullptr, ring_size_, PROT_READ | PROT_WRITE, MAP_SHARED, socket_.get(), 0);
  if (memory == MAP_FAILED) return Failure{Code::no_memory, withErrno("the ring of " + facts_.name, errno)};
  ring_ = static_cast<uint8_t*>(memory);
  return std::nullopt;
}

bool AfPacket::bindTo(int index) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = swap16(ETH_P_ALL);
  address.sll_ifindex = index;
  if (::bind(socket_.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return false;
  if (promiscuous_) {
    packet_mreq request{};
    request.mr_ifindex = index;
    request.mr_type = PACKET_MR_PROMISC;
    setOption(socket_.get(), SOL_PACKET, PACKET_ADD_MEMBERSHIP, request);
  }
  return true;
}

uint8_t* AfPacket::block(size_t index) const { return ring_ + index * limits::kRingBlockBytes; }

bool AfPacket::nextBlock() {
  auto* status = [&] { return &reinterpret_cast<tpacket_block_desc*>(block(current_))->hdr.bh1.block_status; }();
  if (holds_) {
    __atomic_store_n(status, TP_STATUS_KERNEL, __ATOMIC_RELEASE);
    holds_ = false;
    current_ = (current_ + 1) % blocks_;
    status = &reinterpret_cast<tpacket_block_desc*>(block(current_))->hdr.bh1.block_status;
  }
  if ((__atomic_load_n(status, __ATOMIC_ACQUIRE) & TP_STATUS_USER) == 0) return false;
  holds_ = true;
  walk_ = RingBlock({block(current_), limits::kRingBlockBytes});
  return true;
}

size_t AfPacket::take(CapturedPacket* to, size_t max, int timeout_ms) {
  while (walk_.left() == 0 && !nextBlock()) {
    if (timeout_ms == 0) return 0;
    pollfd waits[] = {{socket_.get(), POLLIN | POLLERR, 0}, {wake_.get(), POLLIN, 0}};
    const int ready = ::poll(waits, 2, timeout_ms);
    timeout_ms = 0;
    if (ready <= 0) continue;
    if (waits[0].revents & POLLERR) {
      // The interface went away; link() tells. The error stands until it is read.
      int error = 0;
      socklen_t size = sizeof error;
      ::getsockopt(socket_.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    }
    if (waits[1].revents & POLLIN) {
      uint64_t count;
      if (::read(wake_.get(), &count, sizeof count) < 0) continue;
    }
  }
  size_t taken = 0;
  while (taken < max && walk_.next(&to[taken])) ++taken;
  return taken;
}

void AfPacket::wake() {
  const uint64_t one = 1;
  if (::write(wake_.get(), &one, sizeof one) < 0) return;  // full: it wakes already
}

uint64_t AfPacket::takeLost() {
  tpacket_stats_v3 statistics{};
  socklen_t size = sizeof statistics;
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &size) != 0) return 0;
  return statistics.tp_drops;
}

Link AfPacket::link() {
  sockaddr_ll bound{};
  socklen_t size = sizeof bound;
  ifreq answer;
  // The socket forgets its interface when that is removed; a new one of the same name is another interface.
  if (::getsockname(socket_.get(), reinterpret_cast<sockaddr*>(&bound), &size) != 0 || bound.sll_ifindex <= 0) {
    if (!askByName(socket_.get(), facts_.name, SIOCGIFHWADDR, &answer)) return Link::gone;
    if (answer.ifr_hwaddr.sa_family != hardware_type_) return Link::gone;
    if (!askByName(socket_.get(), facts_.name, SIOCGIFINDEX, &answer)) return Link::gone;
    bound.sll_ifindex = answer.ifr_ifindex;
    if (!bindTo(bound.sll_ifindex)) return Link::gone;
  }
  std::memset(&answer, 0, sizeof answer);
  answer.ifr_ifindex = bound.sll_ifindex;
  if (::ioctl(socket_.get(), SIOCGIFNAME, &answer) != 0) return Link::gone;
  const std::string name(answer.ifr_name, strnlen(answer.ifr_name, IFNAMSIZ));
  if (!askByName(socket_.get(), name, SIOCGIFFLAGS, &answer)) return Link::gone;
  return (answer.ifr_flags & IFF_UP) ? Link::up : Link::down;
}

void AfPacket::closeIntake() {
  attach(socket_.get(), closingFilter());
  closed_at_ms_ = steadyMs();
}

bool AfPacket::drained() {
  // The block that the kernel was filling is handed over when its timeout has passed.
  return steadyMs() - closed_at_ms_ > 2 * limits::kBlockTimeoutMs && walk_.left() == 0;
}

}  // namespace spillway::capture
