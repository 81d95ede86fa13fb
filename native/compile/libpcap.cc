#include "libpcap.h"

#include <dlfcn.h>

#include <cstdlib>

#include "base/libpcap_names.h"

namespace spillway::compile {
namespace {

template <typename Function>
bool find(void* handle, const char* name, Function& function) {
  function = reinterpret_cast<Function>(dlsym(handle, name));
  return function != nullptr;
}

void* open() {
  if (const char* chosen = std::getenv("SPILLWAY_LIBPCAP")) return dlopen(chosen, RTLD_LAZY);
  for (const char* name : kLibpcapNames)
    if (void* handle = dlopen(name, RTLD_LAZY)) return handle;
  return nullptr;
}

}  // namespace

const char* loadLibpcap(Libpcap& library) {
  void* handle = open();
  if (!handle || !find(handle, "pcap_fopen_offline", library.openSavefile) ||
      !find(handle, "pcap_compile", library.compile) || !find(handle, "pcap_geterr", library.errorText) ||
      !find(handle, "pcap_lib_version", library.version)) {
    const char* text = dlerror();
    return text ? text : "libpcap lacks a function";
  }
  return nullptr;
}

}  // namespace spillway::compile
