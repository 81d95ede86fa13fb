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
        "native/base/crc32c_x64.cc",
        "native/base/file.cc",
        "native/base/pages.cc",
        "native/format/pcap_reader.cc",
        "native/format/pcapng_options.cc",
        "native/format/pcapng_reader.cc",
        "native/format/pcapng_statistics.cc",
        "native/format/pcapng_writer.cc",
        "native/filter/clauses.cc",
        "native/filter/key_places.cc",
        "native/filter/needs.cc",
        "native/filter/packet_facts.cc",
        "native/filter/program.cc",
        "native/filter/registers.cc",
        "native/filter/value_set.cc",
        "native/index/bit_slice.cc",
        "native/index/block_builder.cc",
        "native/index/block_codec.cc",
        "native/index/byte_source.cc",
        "native/index/group_probe.cc",
        "native/index/group_record.cc",
        "native/index/key_list.cc",
        "native/index/page.cc",
        "native/index/sealed_output.cc",
        "native/index/sealed_sidecar.cc",
        "native/index/sealer.cc",
        "native/index/sidecar_file.cc",
        "native/index/sidecar_reader.cc",
        "native/index/sidecar_writer.cc",
        "native/scan/block_sums.cc",
        "native/scan/copy.cc",
        "native/scan/index_file.cc",
        "native/scan/probe.cc",
        "native/scan/selection.cc",
        "native/scan/input.cc",
        "native/scan/output.cc",
        "native/scan/state.cc",
        "native/scan/source_reader.cc",
        "native/scan/scan.cc",
        "native/scan/merge.cc",
        "native/scan/merge_lanes.cc",
        "native/addon/arguments.cc",
        "native/addon/report.cc",
        "native/addon/selection_object.cc",
        "native/addon/scan_object.cc",
        "native/addon/merge_object.cc",
        "native/addon/functions.cc",
        "native/addon/give_pages.cc",
        "native/addon/index_functions.cc",
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
  ],
  "conditions": [
    ["OS=='linux'", {
      "targets": [
        {
          "target_name": "spillway-capture",
          "type": "executable",
          "sources": [
            "native/base/crc32c.cc",
            "native/base/crc32c_x64.cc",
            "native/base/file.cc",
            "native/capture/af_packet.cc",
            "native/capture/buffer_queue.cc",
            "native/capture/checked_blocks.cc",
            "native/capture/control.cc",
            "native/capture/files.cc",
            "native/capture/finisher.cc",
            "native/capture/intake.cc",
            "native/capture/interface_capture.cc",
            "native/capture/job.cc",
            "native/capture/job_folder.cc",
            "native/capture/kernel_filter.cc",
            "native/capture/losses.cc",
            "native/capture/main.cc",
            "native/capture/marks.cc",
            "native/capture/options.cc",
            "native/capture/privileges.cc",
            "native/capture/recorder.cc",
            "native/capture/recovery.cc",
            "native/capture/retention.cc",
            "native/capture/ring_block.cc",
            "native/capture/segment_bytes.cc",
            "native/capture/segment_index.cc",
            "native/capture/segment_name.cc",
            "native/capture/segment_scan.cc",
            "native/capture/segment_store.cc",
            "native/capture/segment_writer.cc",
            "native/capture/shaper.cc",
            "native/filter/program.cc",
            "native/format/pcapng_options.cc",
            "native/format/pcapng_reader.cc",
            "native/format/pcapng_statistics.cc",
            "native/format/pcapng_writer.cc",
            "<!@(node -p \"require('fs').readdirSync('native/index').filter((n) => n.endsWith('.cc')).map((n) => 'native/index/' + n).join(' ')\")",
            "native/scan/state.cc"
          ],
          "defines": ["SPILLWAY_VERSION=\"<(spillway_version)\""],
          "ldflags": ["-static-libstdc++", "-static-libgcc"],
          "libraries": ["-lpthread"]
        }
      ]
    }]
  ]
}
