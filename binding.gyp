# For tools that look for it here; the addon itself is described in native/binding.gyp, which an installed
# package has as well. This file is not in the package: yarn 1 would compile whatever has one.
{
  "targets": [{ "target_name": "all", "type": "none", "dependencies": ["native/binding.gyp:threadsafe"] }]
}
