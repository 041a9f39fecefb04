import js from '@eslint/js'
import tseslint from 'typescript-eslint'

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'coverage/', 'lib/wasm.generated.ts'] },
  js.configs.recommended,
  ...tseslint.configs.strict,
  {
    // TypeScript knows what is defined.
    files: ['**/*.ts'],
    rules: {
      'no-undef': 'off',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      // NaN is told from other values by not being itself.
      'no-self-compare': 'off',
      // An overload for callers inside the package has a comment of its own.
      '@typescript-eslint/unified-signatures': 'off',
    },
  },
  {
    files: ['**/*.mjs', 'test/install/**', 'test/tools/**'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'AbortController',
          'Buffer',
          'URL',
          'WebAssembly',
          'clearTimeout',
          'console',
          'process',
          'require',
          'setTimeout',
          'structuredClone',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // What is compiled there is never run.
    files: ['test/types/**'],
    rules: { '@typescript-eslint/no-unused-vars': 'off', 'no-useless-assignment': 'off', '@typescript-eslint/ban-ts-comment': 'off' },
  },
  {
    // What they are for.
    files: ['**/*.cts', '**/*.cjs'],
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
)
