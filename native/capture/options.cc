#include "capture/options.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace spillway::capture {
namespace {

constexpr size_t kInterfaceNameMax = 15;  // IFNAMSIZ without its end
constexpr int64_t kMaxAgeSeconds = int64_t{100} * 366 * 86400;
constexpr uint64_t kMaxBytes = uint64_t{1} << 60;

Failure usage(std::string sentence) { return {Code::usage, std::move(sentence)}; }

template <class T>
bool parseNumber(std::string_view text, T low, T high, T* number) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), *number);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty() && *number >= low && *number <= high;
}

template <class T>
Failed takeNumber(const std::string& flag, const std::string& text, T low, T high, T* number) {
  if (parseNumber(text, low, high, number)) return std::nullopt;
  return usage(flag + " takes a number from " + std::to_string(low) + " to " + std::to_string(high) + ", not " + text);
}

Failed takeInterface(const std::string& name, Options* options) {
  const bool odd = std::any_of(name.begin(), name.end(), [](char c) { return c == '/' || c <= ' ' || c == 0x7f; });
  if (name.empty() || odd || name == "." || name == "..") return usage("\"" + name + "\" is no name of an interface");
  if (name.size() > kInterfaceNameMax) return Failure{Code::interface_not_found, "there is no interface " + name};
  if (std::find(options->interfaces.begin(), options->interfaces.end(), name) != options->interfaces.end())
    return usage("the interface " + name + " is named twice");
  if (options->interfaces.size() == limits::kMaxInterfaces)
    return usage("more than " + std::to_string(limits::kMaxInterfaces) + " interfaces");
  options->interfaces.push_back(name);
  return std::nullopt;
}

Failed takeFsync(const std::string& word, Options* options) {
  if (word == "never") options->fsync = Fsync::never;
  else if (word == "seal") options->fsync = Fsync::seal;
  else if (word == "commit") options->fsync = Fsync::commit;
  else return usage("--fsync takes never, seal or commit, not " + word);
  return std::nullopt;
}

Failed takeUser(const std::string& text, Options* options) {
  const size_t colon = text.find(':');
  User user;
  const std::string_view all(text);
  if (colon == std::string::npos || !parseNumber<uid_t>(all.substr(0, colon), 0, 0xfffffffe, &user.uid) ||
      !parseNumber<gid_t>(all.substr(colon + 1), 0, 0xfffffffe, &user.gid))
    return usage("--user takes UID:GID in numbers, not " + text);
  options->user = user;
  return std::nullopt;
}

// A flag that is a word alone; null where there is none of that name.
bool* switchOf(const std::string& flag, Options* options) {
  if (flag == "--hardware-timestamps") return &options->hardware_timestamps;
  if (flag == "--libpcap") return &options->libpcap;
  if (flag == "--foreground") return &options->foreground;
  if (flag == "--recover") return &options->recover;
  if (flag == "--help") return &options->help;
  if (flag == "--version") return &options->version;
  return nullptr;
}

using Taker = std::function<Failed(const std::string&)>;
// What takes the value of a flag; nothing where there is no such flag.
Taker takerOf(const std::string& flag, Options* o) {
  if (flag == "--folder") return [o](auto& v) { return o->folder = v, Failed{}; };
  if (flag == "--program") return [o](auto& v) { return o->program_path = v, Failed{}; };
  if (flag == "--interface") return [o](auto& v) { return takeInterface(v, o); };
  if (flag == "--fsync") return [o](auto& v) { return takeFsync(v, o); };
  if (flag == "--user") return [o](auto& v) { return takeUser(v, o); };
  if (flag == "--snap")
    return [=](auto& v) { return takeNumber<uint32_t>(flag, v, 1, limits::kMaxSnapBytes, &o->snap_bytes); };
  if (flag == "--segment-bytes")
    return [=](auto& v) {
      return takeNumber(flag, v, limits::kMinSegmentBytes, limits::kMaxSegmentBytes, &o->segment_bytes);
    };
  if (flag == "--retain-bytes")
    return [=](auto& v) { return takeNumber<uint64_t>(flag, v, 0, kMaxBytes, &o->retain.bytes); };
  if (flag == "--retain-age-s")
    return [=](auto& v) { return takeNumber<int64_t>(flag, v, 0, kMaxAgeSeconds, &o->retain.age_s); };
  if (flag == "--ring-bytes")
    return [=](auto& v) { return takeNumber(flag, v, limits::kMinRingBytes, limits::kMaxRingBytes, &o->ring_bytes); };
  if (flag == "--queue-bytes")
    return
        [=](auto& v) { return takeNumber(flag, v, limits::kMinQueueBytes, limits::kMaxQueueBytes, &o->queue_bytes); };
  return nullptr;
}

}  // namespace

uint64_t Options::segmentBytes() const {
  if (segment_bytes != 0) return segment_bytes;
  if (retain.bytes == 0) return limits::kUsualSegmentBytes;
  return std::clamp(retain.bytes / limits::kSegmentsPerBuffer, limits::kMinSegmentBytes, limits::kUsualSegmentBytes);
}

int64_t Options::segmentSeconds() const {
  if (retain.age_s == 0) return limits::kMaxSegmentSeconds;
  const auto part = static_cast<int64_t>(retain.age_s / static_cast<int64_t>(limits::kSegmentsPerBuffer));
  return std::clamp<int64_t>(part, 1, limits::kMaxSegmentSeconds);
}

Failed parseOptions(const std::vector<std::string>& arguments, Options* options) {
  for (size_t i = 0; i < arguments.size(); ++i) {
    const size_t equals = arguments[i].find('=');
    const bool joined = arguments[i].starts_with("--") && equals != std::string::npos;
    const std::string flag = joined ? arguments[i].substr(0, equals) : arguments[i];
    if (bool* chosen = switchOf(flag, options)) {
      if (joined) return usage(flag + " takes no value");
      *chosen = true;
      continue;
    }
    if (flag == "--no-promiscuous" && !joined) {
      options->promiscuous = false;
      continue;
    }
    const Taker take = takerOf(flag, options);
    if (!take) return usage("there is no flag " + flag);
    if (!joined && i + 1 == arguments.size()) return usage(flag + " needs a value");
    if (auto failure = take(joined ? arguments[i].substr(equals + 1) : arguments[++i])) return failure;
  }
  if (options->help || options->version) return std::nullopt;
  if (options->folder.empty()) return usage("--folder is missing");
  if (options->recover != options->interfaces.empty())
    return usage(options->recover ? "--recover takes no --interface" : "--interface is missing");
  return std::nullopt;
}

const char* usageText() {
  return R"(usage: spillway-capture --folder DIR --interface NAME... [flags]
       spillway-capture --recover --folder DIR

Captures the packets of one or more interfaces into a buffer of PCAPNG segments.

  --folder DIR           the buffer; made where it is not there (its parent must be)
  --interface NAME       an interface to capture on; may be given several times
  --program FILE         a filter: classic BPF for Ethernet, 8 bytes an instruction, little-endian
  --snap N               bytes kept of each packet (262144)
  --segment-bytes N      size of a segment (256 MiB, or a 32nd of --retain-bytes)
  --retain-bytes N       the oldest segments go when the buffer is larger (0: never)
  --retain-age-s N       segments go when their last packet is older, in seconds (0: never)
  --fsync WHEN           never, seal (a finished segment survives a power cut) or commit (every 250 ms); seal
  --ring-bytes N         the kernel's ring of each interface (64 MiB)
  --queue-bytes N        memory between ring and disk, all interfaces together (256 MiB)
  --hardware-timestamps  the adapter's times, where it has them
  --libpcap              by libpcap, also where AF_PACKET would do
  --no-promiscuous       only packets that are for this machine
  --user UID:GID         give up root for this user, to whom the folder belongs
  --foreground           stay with the terminal; SIGINT ends it
  --recover              repair the folder after a crash, tell what was repaired, and end
  --version, --help
)";
}

}  // namespace spillway::capture
