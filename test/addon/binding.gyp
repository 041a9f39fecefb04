{
  "targets": [
    {
      "target_name": "native_test",
      "sources": ["addon.c", "jobs.c", "signals.c", "too_new.c"],
      "include_dirs": ["<!(node -p process.env.THREADSAFE_INCLUDE)"],
      "defines": ["NAPI_VERSION=8"],
      "cflags_c": ["-std=gnu11", "-Wall", "-Wextra"]
    }
  ]
}
