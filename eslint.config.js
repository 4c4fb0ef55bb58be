import { defineConfig, globalIgnores } from 'eslint/config';
import svelte from 'eslint-plugin-svelte';
import tseslint from 'typescript-eslint';
import { authTagLengthRule } from './tooling/auth-tag-length.js';
import { roomsRule } from './tooling/rooms.js';

const ts = ['**/*.ts'];
const js = ['**/*.js', '**/*.mjs'];

/** What the engine must be handed: time, chance, the process, the network. See main/engine/ports.ts. */
const engineGlobals = [
  ...['setTimeout', 'setInterval', 'setImmediate', 'clearTimeout', 'clearInterval', 'clearImmediate', 'performance', 'process', 'console'],
  ...['fetch', 'crypto', 'navigator', 'globalThis', 'global', 'Worker', 'require', '__dirname', '__filename'],
].map((name) => ({ name, message: 'The engine is handed what it may use (main/engine/ports.ts).' }));

const clock = 'The engine is handed a clock (main/engine/ports.ts).';
const chance = 'The engine is handed random bytes (main/engine/ports.ts).';
const engineSyntax = [
  { selector: 'MemberExpression[object.name="Date"][property.name="now"]', message: clock },
  { selector: 'NewExpression[callee.name="Date"][arguments.length=0]', message: clock },
  { selector: 'CallExpression[callee.name="Date"]', message: clock },
  { selector: 'MemberExpression[object.name="AbortSignal"][property.name="timeout"]', message: clock },
  { selector: 'MemberExpression[object.name="Math"][property.name="random"]', message: chance },
];

/** The same for every file: another set of extensions makes TypeScript's service begin anew with each file. */
const typed = { projectService: true, tsconfigRootDir: import.meta.dirname, extraFileExtensions: ['.svelte'] };

const noDefaultExports = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Export by name.' },
];
/** An empty catch hides what went wrong; a comment does not handle it. `catch { return false; }` does. */
const noEmptyCatch = [{ selector: 'CatchClause > BlockStatement[body.length=0]', message: 'Handle what is caught, or let it pass.' }];

export default defineConfig(
  globalIgnores(['node_modules/', 'try/', 'dist/', '.cache/', 'coverage/', 'tests/golden/', 'tests/vectors/data/', '**/*.d.ts']),
  {
    files: [...ts, ...js, '**/*.svelte'],
    plugins: { holdfast: { rules: { rooms: roomsRule, 'auth-tag-length': authTagLengthRule } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'holdfast/rooms': 'error',
      'holdfast/auth-tag-length': 'error',
      'no-restricted-syntax': ['error', ...noDefaultExports, ...noEmptyCatch],
      'no-control-regex': 'error',
      'no-unreachable': 'error',
      'no-unsafe-finally': 'error',
      'no-constant-binary-expression': 'error',
      'no-throw-literal': 'error',
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ts,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: typed },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // A method of a port is async so that it rejects where it could throw, awaiting or not.
      '@typescript-eslint/require-await': 'off',
      // Both take a variable that a callback sets for the constant that it was at first.
      '@typescript-eslint/only-throw-error': 'off',
      '@typescript-eslint/no-unnecessary-condition': 'off',
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
    },
  },
  { files: ['renderer/**/*.svelte'], extends: [tseslint.configs.strictTypeChecked] },
  // Behind the rules for TypeScript, whose parser reads no markup.
  ...svelte.configs.recommended,
  {
    files: ['renderer/**/*.svelte', 'renderer/**/*.svelte.ts'],
    languageOptions: {
      parserOptions: { ...typed, parser: tseslint.parser },
    },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': 'off',
      '@typescript-eslint/no-unnecessary-type-parameters': 'off',
      // Props that a component binds are assigned by whoever uses it.
      'prefer-const': 'off',
      // Links lead to parts of this page (`#/…`).
      'svelte/no-navigation-without-resolve': 'off',
      'max-lines': ['warn', { max: 250, skipBlankLines: true, skipComments: true }],
    },
  },
  {
    files: ['main/**/*.ts', 'renderer/**/*.ts'],
    rules: { 'max-lines': ['warn', { max: 250, skipBlankLines: true, skipComments: true }] },
  },
  {
    files: ['main/engine/**/*.ts'],
    rules: {
      'no-restricted-globals': ['error', ...engineGlobals],
      'no-restricted-syntax': ['error', ...noDefaultExports, ...noEmptyCatch, ...engineSyntax],
      'no-restricted-imports': [
        'error',
        {
          paths: ['crypto', 'node:crypto'].map((name) => ({
            name,
            importNames: ['randomBytes', 'randomFill', 'randomFillSync', 'randomInt', 'randomUUID', 'getRandomValues', 'webcrypto'],
            message: chance,
          })),
        },
      ],
    },
  },
  {
    // What tests read back (JSON, output of other programs) is judged by their assertions, and they reject with whatever they like.
    files: ['tests/**/*.ts'],
    rules: {
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/prefer-promise-reject-errors': 'off',
      '@typescript-eslint/no-invalid-void-type': 'off',
    },
  },
  // Their tools ask for a default export.
  {
    files: ['*.config.js', '*.config.ts', 'scripts/tests/count-reporter.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noEmptyCatch] },
  },
);
