import js from '@eslint/js'
import tseslint from 'typescript-eslint'

// The wings of lib/, and the files above some of them, the lowest first: none imports from one behind it. Types may come from anywhere.
const STOREYS = ['addon/', 'codec/', 'wait/', 'lane/', 'queue/', 'event.js', 'signals/', 'select.js', 'index.js']

const wings = STOREYS.slice(0, -1).map((storey, k) => ({
  files: [storey.endsWith('/') ? `lib/${storey}**/*.ts` : `lib/${storey.replace('.js', '.ts')}`],
  rules: {
    '@typescript-eslint/no-restricted-imports': [
      'error',
      {
        patterns: [
          {
            regex: `^(\\./|\\.\\./)+(${STOREYS.slice(k + 1)
              .join('|')
              .replaceAll('.', '\\.')})`,
            allowTypeImports: true,
            message: `lib/${storey} is below that.`,
          },
        ],
      },
    ],
  },
}))

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'coverage/', 'lib/addon/wasm.generated.ts'] },
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
  ...wings,
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
