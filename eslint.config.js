import js from '@eslint/js'
import tseslint from 'typescript-eslint'

// The wings of lib/ and the files that use them, the lowest first. Each may import only from itself and from those before it; types
// may come from anywhere, as they are gone at run time.
const STOREYS = [
  'intrinsics.js',
  'error-codes.js',
  'errors.js',
  'inspect.js',
  'package-root.js',
  'diagnostics.js',
  'addon/',
  'codec/',
  'wait/',
  'lane/',
  'queue/',
  'event.js',
  'shared/',
  'signals/',
  'select.js',
  'async-queue.js',
  'redis/',
  'index.js',
]

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
          'fetch',
          'performance',
          'process',
          'require',
          'setTimeout',
          'structuredClone',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  {
    // These rules need the types. A promise that nobody handles hides a lost item or a failed assertion.
    files: ['lib/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'examples/**/*.ts'],
    ignores: ['test/tools/**', 'test/types/**'],
    languageOptions: { parserOptions: { project: './tsconfig.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/return-await': ['error', 'error-handling-correctness-only'],
      '@typescript-eslint/only-throw-error': 'error',
      '@typescript-eslint/use-unknown-in-catch-callback-variable': 'error',
      '@typescript-eslint/no-for-in-array': 'error',
      '@typescript-eslint/restrict-plus-operands': 'error',
      '@typescript-eslint/no-misused-spread': 'error',
    },
  },
  ...wings,
  {
    // All properties then take their seed from the same variables.
    files: ['test/**/*.ts'],
    ignores: ['test/properties.ts', 'test/types/**', 'test/tools/**'],
    rules: {
      '@typescript-eslint/no-restricted-imports': [
        'error',
        { paths: [{ name: 'fast-check', message: 'Import it from test/properties.ts, so that a failure can be repeated.' }] },
      ],
    },
  },
  {
    // The code there is compiled and never run.
    files: ['test/types/**'],
    rules: { '@typescript-eslint/no-unused-vars': 'off', 'no-useless-assignment': 'off', '@typescript-eslint/ban-ts-comment': 'off' },
  },
  {
    // CommonJS has nothing but require().
    files: ['**/*.cts', '**/*.cjs'],
    languageOptions: { sourceType: 'commonjs' },
    rules: { '@typescript-eslint/no-require-imports': 'off' },
  },
)
