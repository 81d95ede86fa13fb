{
  "variables": {
    "spillway_version": "<!(node -p \"require('./package.json').version\")"
  },
  "target_defaults": {
    "cflags": ["-O2", "-Wall", "-Wextra", "-Wno-unused-parameter"],
    "cflags_cc": ["-std=c++20"],
    "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti"],
    "include_dirs": ["native"]
  },
  "targets": [
    {
      "target_name": "spillway",
      "sources": [
        "native/base/crc32c.cc",
        "native/base/file.cc",
        "native/base/pages.cc",
        "native/format/pcap_reader.cc",
        "native/format/pcapng_options.cc",
        "native/format/pcapng_reader.cc",
        "native/format/pcapng_writer.cc",
        "native/filter/program.cc",
        "native/scan/copy.cc",
        "native/scan/selection.cc",
        "native/scan/input.cc",
        "native/scan/output.cc",
        "native/scan/state.cc",
        "native/scan/scan.cc",
        "native/addon/arguments.cc",
        "native/addon/selection_object.cc",
        "native/addon/scan_object.cc",
        "native/addon/functions.cc",
        "native/addon/give_pages.cc",
        "native/addon/addon.cc"
      ],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": [
        "NAPI_VERSION=9",
        "NAPI_CPP_EXCEPTIONS",
        "NODE_ADDON_API_DISABLE_DEPRECATED",
        "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS",
        "SPILLWAY_VERSION=\"<(spillway_version)\""
      ],
      "cflags_cc": ["-fexceptions", "-fvisibility=hidden"],
      "cflags_cc!": ["-fno-exceptions"]
    },
    {
      "target_name": "spillway-compile",
      "type": "executable",
      "sources": [
        "native/compile/compile.cc",
        "native/compile/frames.cc",
        "native/compile/libpcap.cc",
        "native/compile/lookups.cc",
        "native/compile/main.cc",
        "native/compile/protocols.cc",
        "native/compile/request.cc",
        "native/compile/sandbox.cc",
        "native/compile/services.cc"
      ],
      "defines": ["SPILLWAY_VERSION=\"<(spillway_version)\""],
      "ldflags": ["-rdynamic", "-static-libstdc++", "-static-libgcc"],
      "libraries": ["-ldl"]
    }
  ]
}
