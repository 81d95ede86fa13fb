// The name look-ups that libpcap calls, defined in this executable: the dynamic linker binds the library to these
// instead of the C library's. Numeric addresses and names of tables.h are answered; nothing asks a file or the network.
#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/ether.h>
#include <netinet/in.h>

#include <cstdlib>
#include <cstring>
#include <optional>
#include <string_view>

#include "tables.h"

#define SPILLWAY_EXPORT extern "C" __attribute__((visibility("default"), used))

namespace {

using spillway::compile::portOf;
using spillway::compile::protocolOf;
using spillway::compile::Transport;

struct Found {
  addrinfo info;
  sockaddr_storage address;
};

// A decimal number or a name of the table.
std::optional<uint16_t> servicePort(std::string_view service, int protocol) {
  uint32_t number = 0;
  bool digits = !service.empty();
  for (char c : service) {
    digits = digits && c >= '0' && c <= '9';
    if (digits) number = number * 10 + static_cast<uint32_t>(c - '0');
    if (number > 65535) return std::nullopt;
  }
  if (digits) return static_cast<uint16_t>(number);
  if (protocol == IPPROTO_TCP) return portOf(service, Transport::kTcp);
  if (protocol == IPPROTO_UDP) return portOf(service, Transport::kUdp);
  return std::nullopt;
}

bool parseAddress(const char* text, int family, sockaddr_storage& address, socklen_t& length) {
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address);
  if (family != AF_INET6 && inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    length = sizeof *v4;
    return true;
  }
  if (family != AF_INET && inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    length = sizeof *v6;
    return true;
  }
  return false;
}

}  // namespace

SPILLWAY_EXPORT int getaddrinfo(const char* node, const char* service, const addrinfo* hints, addrinfo** result) {
  const int family = hints ? hints->ai_family : AF_UNSPEC;
  const int protocol = hints ? hints->ai_protocol : 0;
  uint16_t port = 0;
  if (service) {
    const auto known = servicePort(service, protocol);
    if (!known) return EAI_SERVICE;
    port = *known;
  } else if (!node) {
    return EAI_NONAME;
  }
  auto* found = static_cast<Found*>(std::calloc(1, sizeof(Found)));
  if (!found) return EAI_MEMORY;
  socklen_t length = 0;
  if (!parseAddress(node ? node : family == AF_INET6 ? "::" : "0.0.0.0", family, found->address, length)) {
    std::free(found);
    return EAI_NONAME;
  }
  // The port is at the same place in both kinds of address.
  reinterpret_cast<sockaddr_in*>(&found->address)->sin_port = htons(port);
  found->info.ai_family = found->address.ss_family;
  found->info.ai_socktype = hints ? hints->ai_socktype : 0;
  found->info.ai_protocol = protocol;
  found->info.ai_addrlen = length;
  found->info.ai_addr = reinterpret_cast<sockaddr*>(&found->address);
  *result = &found->info;
  return 0;
}

SPILLWAY_EXPORT void freeaddrinfo(addrinfo* info) noexcept {
  std::free(info);  // the first member of Found
}

SPILLWAY_EXPORT int getprotobyname_r(const char* name, protoent* entry, char*, size_t, protoent** result) {
  static char* noAliases[] = {nullptr};
  *result = nullptr;
  const auto number = protocolOf(name);
  if (!number) return 0;
  *entry = {const_cast<char*>(name), noAliases, *number};
  *result = entry;
  return 0;
}

SPILLWAY_EXPORT protoent* getprotobyname(const char* name) {
  static protoent entry;
  protoent* result;
  getprotobyname_r(name, &entry, nullptr, 0, &result);
  return result;
}

// What follows refuses every name. libpcap calls some of these, depending on its version.

SPILLWAY_EXPORT hostent* gethostbyname(const char*) {
  h_errno = HOST_NOT_FOUND;
  return nullptr;
}

SPILLWAY_EXPORT hostent* gethostbyname2(const char*, int) {
  h_errno = HOST_NOT_FOUND;
  return nullptr;
}

SPILLWAY_EXPORT int gethostbyname_r(const char*, hostent*, char*, size_t, hostent** result, int* error) {
  *result = nullptr;
  *error = HOST_NOT_FOUND;
  return 0;
}

SPILLWAY_EXPORT int gethostbyname2_r(const char*, int, hostent*, char*, size_t, hostent** result, int* error) {
  *result = nullptr;
  *error = HOST_NOT_FOUND;
  return 0;
}

SPILLWAY_EXPORT netent* getnetbyname(const char*) {
  h_errno = HOST_NOT_FOUND;
  return nullptr;
}

SPILLWAY_EXPORT int getnetbyname_r(const char*, netent*, char*, size_t, netent** result, int* error) {
  *result = nullptr;
  *error = HOST_NOT_FOUND;
  return 0;
}

SPILLWAY_EXPORT servent* getservbyname(const char*, const char*) { return nullptr; }

SPILLWAY_EXPORT int getservbyname_r(const char*, const char*, servent*, char*, size_t, servent** result) {
  *result = nullptr;
  return 0;
}

SPILLWAY_EXPORT int ether_hostton(const char*, ether_addr*) noexcept { return -1; }
