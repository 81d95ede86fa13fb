// Sends numbered Ethernet frames at a steady rate, and tells what it sent as one line of JSON.
//
//   send --interface NAME [--count N] [--size BYTES] [--rate PACKETS_PER_SECOND] [--first N] [--seconds N] [--vlan ID]
//        [--outer ID] [--fill 1]
//
// A frame is IPv4/UDP from 10.0.0.1:1000+(n mod 97) to 10.0.0.2:9; its payload begins with the frame's number, little-
// endian, 8 bytes; with --fill 1 it is the number again and again, else zeros follow. --size is that of the frame
// without a tag; --vlan puts an 802.1Q tag in (4 bytes more), --outer one of 802.1ad before that. Rate 0 is as fast as it goes. Needs CAP_NET_RAW.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace {

constexpr size_t kBatch = 64;
constexpr size_t kHeaders = 14 + 20 + 8;
constexpr size_t kMinFrame = kHeaders + 8;
constexpr size_t kMaxFrame = 9000;

struct Options {
  std::string interface;
  uint64_t count = 1000;
  uint64_t first = 0;
  size_t size = 100;
  double rate = 0;
  double seconds = 0;
  int vlan = -1;
  int outer = -1;
  bool fill = false;
};

[[noreturn]] void die(const char* what) {
  std::fprintf(stderr, "send: %s: %s\n", what, std::strerror(errno));
  std::exit(2);
}

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + 1e-9 * static_cast<double>(t.tv_nsec);
}

Options parse(int count, char** words) {
  Options o;
  for (int i = 1; i + 1 < count; i += 2) {
    const std::string flag = words[i];
    const char* value = words[i + 1];
    if (flag == "--interface") o.interface = value;
    else if (flag == "--count") o.count = std::strtoull(value, nullptr, 10);
    else if (flag == "--first") o.first = std::strtoull(value, nullptr, 10);
    else if (flag == "--size") o.size = std::strtoull(value, nullptr, 10);
    else if (flag == "--rate") o.rate = std::strtod(value, nullptr);
    else if (flag == "--seconds") o.seconds = std::strtod(value, nullptr);
    else if (flag == "--vlan") o.vlan = std::atoi(value);
    else if (flag == "--outer") o.outer = std::atoi(value);
    else if (flag == "--fill") o.fill = std::atoi(value) != 0;
    else count = 0;
  }
  if (o.interface.empty() || count % 2 == 0 || o.size < kMinFrame || o.size > kMaxFrame) {
    std::fputs(
        "usage: send --interface NAME [--count N] [--first N] [--size N] [--rate N] [--seconds N] [--vlan ID]\n"
        "            [--outer ID] [--fill 1]\n",
        stderr);
    std::exit(1);
  }
  if (o.seconds > 0 && o.rate > 0) o.count = static_cast<uint64_t>(o.rate * o.seconds);
  return o;
}

class Frame {
 public:
  explicit Frame(const Options& o) : tag_((o.vlan >= 0 ? 4 : 0) + (o.outer >= 0 ? 4 : 0)), fill_(o.fill), bytes_(o.size + tag_) {
    uint8_t* p = bytes_.data();
    const uint8_t macs[12] = {2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1};
    std::memcpy(p, macs, 12);
    p += 12;
    for (const auto& [protocol, id] : {std::pair{0x88a8, o.outer}, std::pair{0x8100, o.vlan}}) {
      if (id < 0) continue;
      put16(p, static_cast<uint16_t>(protocol));
      put16(p + 2, static_cast<uint16_t>(id));
      p += 4;
    }
    put16(p, 0x0800);
    uint8_t* ip = p + 2;
    ip[0] = 0x45;
    put16(ip + 2, static_cast<uint16_t>(o.size - 14));
    ip[8] = 64;
    ip[9] = 17;
    const uint8_t addresses[8] = {10, 0, 0, 1, 10, 0, 0, 2};
    std::memcpy(ip + 12, addresses, 8);
    uint8_t* udp = ip + 20;
    udp_at_ = static_cast<size_t>(udp - bytes_.data());
    put16(udp + 2, 9);
    put16(udp + 4, static_cast<uint16_t>(o.size - 34));
  }
  void number(uint64_t n) {
    uint8_t* udp = bytes_.data() + udp_at_;
    put16(udp, static_cast<uint16_t>(1000 + n % 97));
    const uint8_t* end = fill_ ? bytes_.data() + bytes_.size() : udp + 16;
    for (uint8_t* at = udp + 8; at < end; at += 8)
      std::memcpy(at, &n, std::min<size_t>(8, static_cast<size_t>(end - at)));
  }
  iovec span() { return {bytes_.data(), bytes_.size()}; }

 private:
  static void put16(uint8_t* to, uint16_t value) {
    to[0] = static_cast<uint8_t>(value >> 8);
    to[1] = static_cast<uint8_t>(value);
  }
  size_t tag_;
  bool fill_;
  std::vector<uint8_t> bytes_;
  size_t udp_at_;
};

}  // namespace

int main(int count, char** words) {
  const Options o = parse(count, words);
  const int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
  if (fd < 0) die("socket");
  sockaddr_ll to{};
  to.sll_family = AF_PACKET;
  to.sll_ifindex = static_cast<int>(if_nametoindex(o.interface.c_str()));
  if (to.sll_ifindex == 0) die("interface");
  if (bind(fd, reinterpret_cast<sockaddr*>(&to), sizeof to) != 0) die("bind");
  const int large = 16 << 20;
  setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &large, sizeof large);

  std::vector<Frame> frames(kBatch, Frame(o));
  std::vector<iovec> spans(kBatch);
  std::vector<mmsghdr> messages(kBatch);
  for (size_t i = 0; i < kBatch; ++i) {
    spans[i] = frames[i].span();
    messages[i] = {};
    messages[i].msg_hdr.msg_iov = &spans[i];
    messages[i].msg_hdr.msg_iovlen = 1;
  }
  const double begun = now();
  uint64_t sent = 0, again = 0;
  while (sent < o.count) {
    uint64_t due = o.count - sent;
    if (o.rate > 0) {
      const auto allowed = static_cast<uint64_t>((now() - begun) * o.rate);
      if (allowed <= sent) {
        const timespec pause{0, 50'000};
        nanosleep(&pause, nullptr);
        continue;
      }
      due = std::min(due, allowed - sent);
    }
    const size_t batch = std::min<uint64_t>(due, kBatch);
    for (size_t i = 0; i < batch; ++i) frames[i].number(o.first + sent + i);
    const int n = sendmmsg(fd, messages.data(), static_cast<unsigned>(batch), 0);
    if (n < 0) {
      if (errno != ENOBUFS && errno != EAGAIN && errno != EINTR) die("send");
      ++again;
      continue;
    }
    sent += static_cast<uint64_t>(n);
  }
  const double seconds = now() - begun;
  std::printf(
      "{\"sent\":%llu,\"again\":%llu,\"seconds\":%.3f,\"packets_per_second\":%.0f,\"megabits_per_second\":%.1f}\n",
      static_cast<unsigned long long>(sent), static_cast<unsigned long long>(again), seconds,
      static_cast<double>(sent) / seconds,
      static_cast<double>(sent) * 8e-6 * static_cast<double>(spans[0].iov_len) / seconds);
  return 0;
}
