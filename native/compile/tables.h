// Names that filters may use for ports and protocols. They are built in, so that a filter means the same on every
// machine, whatever its /etc/services and /etc/protocols hold.
#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace spillway::compile {

enum class Transport : uint8_t { kTcp = 1, kUdp = 2 };

// The port that `name` stands for; nothing when the table has no such name. Names are case-sensitive.
std::optional<uint16_t> portOf(std::string_view name, Transport transport);
// The number in an IP header's protocol field.
std::optional<uint16_t> protocolOf(std::string_view name);

}  // namespace spillway::compile
