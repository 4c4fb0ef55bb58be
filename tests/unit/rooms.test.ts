import { join } from 'node:path';
import { ESLint } from 'eslint';
import { describe, expect, test } from 'vitest';
import { refusal, table } from '../../tooling/rooms.js';

const root = join(import.meta.dirname, '..', '..');

/** Messages of the project's own configuration for a file that need not exist; `rules` names those that count. */
async function lint(file: string, code: string, rules: readonly string[]): Promise<string[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  const messages = result?.messages ?? [];
  const broken = messages.filter(({ fatal }) => fatal === true);
  if (broken.length > 0) throw new Error(broken.map(({ message }) => message).join('\n'));
  return messages.filter(({ ruleId }) => ruleId !== null && rules.includes(ruleId)).map(({ message }) => message);
}

// Without the rules that ask for types: the snippets belong to no file of the project.
const eslint = new ESLint({
  cwd: root,
  overrideConfig: { languageOptions: { parserOptions: { projectService: false, project: null } } },
  ruleFilter: ({ ruleId }) => ruleId.startsWith('holdfast/') || ruleId.startsWith('no-'),
});
const roomsOf = (file: string, code: string): Promise<string[]> => lint(file, code, ['holdfast/rooms']);

/** Each row of the table: what it lets in, and what it keeps out. */
const rows: readonly { readonly room: string; readonly may: readonly string[]; readonly mayNot: readonly string[] }[] = [
  {
    room: 'main/contract',
    may: ['zod', './other.ts'],
    mayNot: ['node:path', 'path', 'electron', 'svelte', '../engine/ports.ts', '../adapters/system/clock.ts', 'commander'],
  },
  {
    room: 'main/engine',
    may: ['../contract/faults.ts', 'node:stream', 'node:crypto', 'node:path', 'zod', 'ignore', './ports.ts'],
    mayNot: [
      'node:fs',
      'fs',
      'node:fs/promises',
      'node:path/posix',
      'node:process',
      'node:os',
      'node:timers',
      'zstd-napi',
      'electron',
    ].concat('../adapters/system/clock.ts', '../headless/cli.ts', '@aws-sdk/client-s3'),
  },
  {
    room: 'main/adapters',
    may: [
      '../engine/ports.ts',
      '../contract/faults.ts',
      'node:fs/promises',
      'node:worker_threads',
      'zstd-napi',
      'zstd-napi/binding.js',
    ].concat('@aws-sdk/client-s3'),
    mayNot: [
      'electron',
      '../headless/cli.ts',
      '../electron/main.ts',
      '../../renderer/app.ts',
      'commander',
      'left-pad',
      '@aws-sdk/lib-storage',
    ],
  },
  {
    room: 'main/compose',
    may: ['../adapters/system/clock.ts', '../engine/engine.ts', '../contract/faults.ts', 'node:http', 'hono', 'zod'],
    mayNot: ['electron', 'electron-store', 'commander', '../headless/cli.ts', '../electron/app.ts', '../../preload/index.ts', 'svelte'],
  },
  {
    room: 'main/electron',
    may: ['../compose/service-door.ts', '../adapters/system/clock.ts', '../engine/engine.ts', '../contract/faults.ts', 'electron'].concat(
      'electron-store',
      'node:path',
    ),
    mayNot: [
      '../headless/cli.ts',
      '../../renderer/app.ts',
      '../../preload/index.ts',
      'svelte',
      'commander',
      'node:fs',
      'node:child_process',
    ],
  },
  {
    room: 'main/headless',
    may: [
      '../compose/service-door.ts',
      '../adapters/system/clock.ts',
      '../engine/engine.ts',
      '../contract/faults.ts',
      'node:http',
      'commander',
    ],
    mayNot: ['electron', 'electron-store', '../electron/main.ts', '../../renderer/app.ts', '../../preload/bridge.ts', 'svelte'],
  },
  {
    room: 'preload',
    may: ['../main/contract/faults.ts', 'electron'],
    mayNot: ['../main/engine/engine.ts', 'node:fs', '../renderer/app.ts', 'zod'],
  },
  {
    room: 'renderer',
    may: ['../main/contract/faults.ts', 'svelte', 'svelte/store'],
    mayNot: ['node:fs', 'electron', '../main/engine/engine.ts', '../main/headless/cli.ts', '../preload/bridge.ts'],
  },
];

test('every room of the table is tried out here', () => {
  expect(rows.map(({ room }) => room)).toEqual(table.map(({ room }) => room));
});

describe.each(rows)('$room', ({ room, may, mayNot }) => {
  test.each(may)('may import %s', async (name) => {
    expect(await roomsOf(`${room}/example.ts`, `import * as thing from '${name}';\nthing;`)).toEqual([]);
  });

  test.each(mayNot)('may not import %s', async (name) => {
    expect(await roomsOf(`${room}/example.ts`, `import * as thing from '${name}';\nthing;`)).toHaveLength(1);
  });
});

describe('every way to import is watched', () => {
  test.each([
    `import '../adapters/system/clock.ts';`,
    `import type { Clock } from '../adapters/system/clock.ts'; export type C = Clock;`,
    `export { clock } from '../adapters/system/clock.ts';`,
    `export * from '../adapters/system/clock.ts';`,
    `export const later = () => import('../adapters/system/clock.ts');`,
    `export type C = import('../adapters/system/clock.ts').Clock;`,
    `const clock = require('../adapters/system/clock.ts'); clock();`,
    `export const later = (name: string) => import(name);`,
    'export const later = (name: string) => import(`../adapters/${name}`);',
    `import '/etc/passwd';`,
    `import 'file:///etc/passwd';`,
    `import '../../main/engine/../adapters/system/clock.ts';`,
  ])('%s', async (code) => {
    expect(await roomsOf('main/engine/example.ts', code)).toHaveLength(1);
  });

  test('deeper folders of a room are the room', async () => {
    expect(await roomsOf('main/engine/archive/deep/example.ts', `import '../../../adapters/system/clock.ts';`)).toHaveLength(1);
    expect(await roomsOf('main/engine/archive/deep/example.ts', `import '../../../contract/faults.ts';`)).toEqual([]);
  });

  test('a folder whose name begins like a room is not that room', () => {
    expect(refusal('main/engine/example.ts', '../contract-else/faults.ts')).toContain('main/contract-else');
  });
});

describe('one backend and another', () => {
  const file = 'main/adapters/storage/s3/s3-backend.ts';

  test('stand alone', async () => {
    expect(await roomsOf(file, `import '../folder/folder-backend.ts';`)).toEqual([
      'main/adapters/storage/s3 may not import main/adapters/storage/folder: each stands alone in main/adapters/storage.',
    ]);
  });

  test('may use their own folder and the rest of the adapters', async () => {
    expect(await roomsOf(file, `import './sign.ts'; import '../../system/clock.ts';`)).toEqual([]);
  });
});

test('files outside of the rooms import what they like', async () => {
  expect(await roomsOf('tests/unit/example.test.ts', `import '../../main/engine/ports.ts'; import 'node:fs';`)).toEqual([]);
});

describe('the engine is handed time, chance and the process', () => {
  const rules = ['no-restricted-syntax', 'no-restricted-globals', 'no-restricted-imports'];

  test.each([
    'export const now = () => Date.now();',
    'export const now = () => new Date();',
    'export const now = () => Date();',
    'export const chance = () => Math.random();',
    'export const soon = (f: () => void) => setTimeout(f, 1);',
    'export const often = (f: () => void) => setInterval(f, 1);',
    'export const home = () => process.env;',
    'export const since = () => performance.now();',
    'export const stop = () => AbortSignal.timeout(5);',
    'export const sly = () => globalThis.Date.now();',
    `import { randomBytes } from 'node:crypto'; export const r = randomBytes;`,
    `import { randomUUID } from 'crypto'; export const r = randomUUID;`,
  ])('refused: %s', async (code) => {
    expect(await lint('main/engine/example.ts', code, rules)).not.toEqual([]);
    expect(await lint('main/adapters/example.ts', code, rules)).toEqual([]);
  });

  test.each([
    'export const at = (ms: number) => new Date(ms).toISOString();',
    'export const at = (text: string) => Date.parse(text);',
    'export const most = (a: number, b: number) => Math.max(a, b);',
    `import { createHash } from 'node:crypto'; export const h = createHash;`,
  ])('allowed: %s', async (code) => {
    expect(await lint('main/engine/example.ts', code, rules)).toEqual([]);
  });
});

describe('cipher calls name the length of the tag', () => {
  const tag = (code: string): Promise<string[]> => lint('main/adapters/example.ts', code, ['holdfast/auth-tag-length']);

  test.each([
    `createCipheriv('aes-256-gcm', k, n, { authTagLength: 16 });`,
    `crypto.createDecipheriv('aes-256-gcm', k, n, { authTagLength: 16 });`,
    `const size = 16; function f() { return createDecipheriv('aes-256-gcm', k, n, { authTagLength: size }); } f();`,
  ])('allowed: %s', async (code) => {
    expect(await tag(code)).toEqual([]);
  });

  test.each([
    `createCipheriv('aes-256-gcm', k, n);`,
    `createDecipheriv('aes-256-gcm', k, n, {});`,
    `createDecipheriv('aes-256-gcm', k, n, { authTagLength: 4 });`,
    `createDecipheriv('aes-256-gcm', k, n, options);`,
    `crypto.createDecipheriv('aes-256-gcm', k, n);`,
    `crypto['createDecipheriv']('aes-256-gcm', k, n);`,
    `const size = 12; createDecipheriv('aes-256-gcm', k, n, { authTagLength: size });`,
    `let size = 16; size = 4; createDecipheriv('aes-256-gcm', k, n, { authTagLength: size });`,
    `const size = 16; function f(size: number) { createDecipheriv('aes-256-gcm', k, n, { authTagLength: size }); } f(4);`,
    `createDecipheriv('aes-256-gcm', k, n, { ['authTagLength']: 16 });`,
  ])('refused: %s', async (code) => {
    expect(await tag(code)).toHaveLength(1);
  });
});

describe('house rules', () => {
  const rules = ['no-restricted-syntax'];

  test.each(['main/engine/example.ts', 'main/headless/example.ts', 'tests/unit/example.test.ts'])('hold in %s', async (file) => {
    expect(await lint(file, 'export default 5;', rules)).toEqual(['Export by name.']);
    expect(await lint(file, 'const a = 5; export { a as default };', rules)).toEqual(['Export by name.']);
    expect(await lint(file, 'try { a(); } catch { /* never mind */ }', rules)).toEqual(['Handle what is caught, or let it pass.']);
    expect(await lint(file, 'export const ok = () => { try { return a(); } catch { return false; } };', rules)).toEqual([]);
  });
});
