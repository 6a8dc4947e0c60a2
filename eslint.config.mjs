// @ts-check
import { defineConfig, globalIgnores } from 'eslint/config';
import tseslint from 'typescript-eslint';

/**
 * Forbids a folder of src/ to import from others: dependencies go cli → tracing → model → native.
 * @param {string} folder
 * @param {readonly string[]} forbidden
 */
function importsNothingFrom(folder, forbidden) {
  const patterns = [
    ...forbidden.map((other) => ({
      group: [`**/${other}/**`],
      message: `src/${folder} must not import from src/${other} (see docs/architecture.md).`,
    })),
    { group: ['**/index.js'], message: 'Import from the file itself: index.ts is for users of the package.' },
  ];
  return defineConfig({
    files: [`src/${folder}/**/*.ts`],
    rules: { 'no-restricted-imports': ['error', { patterns }] },
  });
}

export default defineConfig(
  globalIgnores([
    'dist/',
    'build/',
    'out/',
    'artifacts/',
    '.venv/',
    'test/fixtures/',
    'models/',
    'scripts/packaging/programs/',
  ]),
  {
    files: ['**/*.ts', '**/*.mjs'],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      // An index signature is read with brackets, as the compiler's noPropertyAccessFromIndexSignature asks.
      '@typescript-eslint/dot-notation': 'off',
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  importsNothingFrom('native', ['model', 'tracing', 'plotting', 'cli']),
  importsNothingFrom('model', ['tracing', 'plotting', 'cli']),
  importsNothingFrom('tracing', ['plotting', 'cli']),
  importsNothingFrom('plotting', ['native', 'model', 'cli']),
  importsNothingFrom('cli', []),
  {
    files: ['test/**/*.ts'],
    rules: {
      // Assertions of chai are expressions.
      '@typescript-eslint/no-unused-expressions': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
    },
  },
  {
    files: ['scripts/**/*.mjs', '*.mjs'],
    rules: {
      'no-console': 'off',
      // What JSON holds is told by JSDoc where it matters.
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      // An empty environment variable counts as none.
      '@typescript-eslint/prefer-nullish-coalescing': 'off',
    },
  },
);
