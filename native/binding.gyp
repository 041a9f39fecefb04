{
  "variables": {
    # The system the addon is for. scripts/prebuilds.mjs sets it, as gyp's OS is the one it runs on.
    "system%": "<(OS)"
  },
  "targets": [
    {
      "target_name": "threadsafe",
      "actions": [
        {
          "action_name": "join_binding",
          "inputs": ["join.cjs", "sources.json"],
          "outputs": ["<(INTERMEDIATE_DIR)/binding.cc"],
          "action": ["node", "join.cjs", "<(system)", "<@(_outputs)", "binding"],
          "process_outputs_as_sources": 1
        },
        {
          "action_name": "join_platform",
          "inputs": ["join.cjs", "sources.json"],
          "outputs": ["<(INTERMEDIATE_DIR)/platform.cc"],
          "action": ["node", "join.cjs", "<(system)", "<@(_outputs)", "capi", "platform"],
          "process_outputs_as_sources": 1
        }
      ],
      "include_dirs": [".", "<!(node -p \"process.env.NODE_ADDON_API || require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_API_SWALLOW_UNTHROWABLE_EXCEPTIONS"],
      "cflags_cc!": ["-std=gnu++17", "-std=gnu++20", "-fno-rtti"],
      "cflags_cc": ["-std=c++20", "-Wall", "-Wextra", "-fvisibility=hidden"],
      "xcode_settings": {
        "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
        "CLANG_CXX_LIBRARY": "libc++",
        "MACOSX_DEPLOYMENT_TARGET": "12.0",
        "GCC_SYMBOLS_PRIVATE_EXTERN": "YES"
      },
      "msvs_settings": { "VCCLCompilerTool": { "AdditionalOptions": ["/std:c++20"] } },
      "conditions": [
        # Bind all symbols at load time, so that the dynamic linker never runs inside a signal handler.
        ["system=='linux'", { "ldflags": ["-Wl,-z,now"] }]
      ]
    }
  ]
}
