import { defineConfig, globalIgnores } from 'eslint/config';
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

const noDefaultExports = [
  { selector: 'ExportDefaultDeclaration', message: 'Export by name.' },
  { selector: 'ExportSpecifier[exported.name="default"]', message: 'Export by name.' },
];
/** An empty catch hides what went wrong; a comment does not handle it. `catch { return false; }` does. */
const noEmptyCatch = [{ selector: 'CatchClause > BlockStatement[body.length=0]', message: 'Handle what is caught, or let it pass.' }];

export default defineConfig(
  globalIgnores(['node_modules/', 'try/', '.cache/', 'coverage/', 'tests/golden/', 'tests/vectors/']),
  {
    files: [...ts, ...js],
    plugins: { holdfast: { rules: { rooms: roomsRule, 'auth-tag-length': authTagLengthRule } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'holdfast/rooms': 'error',
      'holdfast/auth-tag-length': 'error',
      'no-restricted-syntax': ['error', ...noDefaultExports, ...noEmptyCatch],
      'max-lines': ['warn', { max: 250 }],
      eqeqeq: 'error',
      'no-var': 'error',
      'prefer-const': 'error',
    },
  },
  {
    files: ts,
    extends: [tseslint.configs.strictTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // `while (true)` is refused, `for (;;)` is how a loop without an end is written here.
      '@typescript-eslint/no-unnecessary-condition': 'error',
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
    },
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
  // Their tools ask for a default export.
  {
    files: ['eslint.config.js', '*.config.ts'],
    rules: { 'no-restricted-syntax': ['error', ...noEmptyCatch] },
  },
);
