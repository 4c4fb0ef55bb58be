/**
 * The walls between the rooms, as an ESLint rule. A row says everything that a room may import; whatever it does not name is refused.
 * `rooms`: folders of this project (a room may always import from itself). `node`: built-in modules, 'all' for every one.
 * `packages`: what comes from npm. `apart`: folders of the room whose subfolders may not import each other.
 */
import { builtinModules } from 'node:module';
import { dirname, join, relative, sep } from 'node:path';

/** @typedef {{ room: string, rooms: string[], node: string[] | 'all', packages: string[], apart?: string[] }} Row */

/** @type {readonly Row[]} */
export const table = [
  { room: 'main/contract', rooms: [], node: [], packages: ['zod'] },
  // zod, ignore and uqr are pure: no clock, no files, no network; croner is used for its calculations only.
  { room: 'main/engine', rooms: ['main/contract'], node: ['stream', 'crypto', 'path'], packages: ['zod', 'ignore', 'croner', 'uqr'] },
  {
    room: 'main/adapters',
    rooms: ['main/engine', 'main/contract'],
    node: 'all',
    packages: [
      ...['zod', 'zstd-napi', 'koffi', '@aws-sdk/client-s3', '@googleapis/drive', 'conf', 'keytar', 'nodemailer'],
      ...['@zxcvbn-ts/core', '@zxcvbn-ts/language-common', '@zxcvbn-ts/language-de', '@zxcvbn-ts/language-en'],
    ],
    apart: ['main/adapters/storage'],
  },
  // What both hosts are made of.
  {
    room: 'main/compose',
    rooms: ['main/adapters', 'main/engine', 'main/contract'],
    node: 'all',
    packages: ['zod', 'hono', '@hono/node-server'],
  },
  {
    room: 'main/electron',
    rooms: ['main/compose', 'main/adapters', 'main/engine', 'main/contract'],
    node: ['path'],
    packages: ['electron', 'electron-store'],
  },
  {
    room: 'main/headless',
    rooms: ['main/compose', 'main/adapters', 'main/engine', 'main/contract'],
    node: 'all',
    packages: ['commander', 'zod', 'hono', '@hono/node-server'],
  },
  { room: 'preload', rooms: ['main/contract'], node: [], packages: ['electron'] },
  { room: 'renderer', rooms: ['main/contract'], node: [], packages: ['svelte', 'intl-messageformat'] },
];

const builtins = new Set(builtinModules);

/**
 * Why the file may not import this, or null when it may. Paths are relative to the project, with `/`.
 * @param {string} file @param {string} specifier
 */
export function refusal(file, specifier) {
  const row = table.find(({ room }) => isInside(file, room));
  if (row === undefined) return null;
  if (specifier.startsWith('.') || specifier.startsWith('/') || specifier.startsWith('file:')) return refuseFile(row, file, specifier);
  const builtin = specifier.replace(/^node:/, '');
  if (specifier.startsWith('node:') || builtins.has(builtin.split('/')[0] ?? '')) {
    const allowed = row.node === 'all' || row.node.includes(builtin);
    return allowed ? null : `${row.room} may not import node:${builtin}.`;
  }
  const name = specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/');
  return row.packages.includes(name) ? null : `${row.room} may not import the package ${name}.`;
}

/** @param {Row} row @param {string} file @param {string} specifier */
function refuseFile(row, file, specifier) {
  if (!specifier.startsWith('.')) return `${row.room} may not import by absolute path.`;
  const target = join(dirname(file), specifier).split(sep).join('/');
  if (!isInside(target, row.room)) {
    const allowed = row.rooms.some((room) => isInside(target, room));
    return allowed ? null : `${row.room} may not import ${target}.`;
  }
  for (const folder of row.apart ?? []) {
    const [from, to] = [childOf(file, folder), childOf(target, folder)];
    if (from !== null && to !== null && from !== to) return `${from} may not import ${to}: each stands alone in ${folder}.`;
  }
  return null;
}

/** @param {string} path @param {string} folder */
function isInside(path, folder) {
  return path === folder || path.startsWith(`${folder}/`);
}

/** The folder inside `folder` that the path lies in; null when it lies elsewhere or directly in it. @param {string} path @param {string} folder */
function childOf(path, folder) {
  if (!isInside(path, folder)) return null;
  const rest = path.slice(folder.length + 1).split('/');
  return rest.length > 1 ? `${folder}/${rest[0] ?? ''}` : null;
}

/** @type {import('eslint').Rule.RuleModule} */
export const roomsRule = {
  meta: { type: 'problem', schema: [], docs: { description: 'imports stay within what the table of rooms allows' } },
  create(context) {
    const file = relative(context.cwd, context.filename).split(sep).join('/');
    /** @param {any} source the node that holds the specifier */
    const check = (source) => {
      if (source === null || source === undefined) return;
      const literal = source.type === 'TSLiteralType' ? source.literal : source;
      if (typeof literal.value !== 'string') {
        if (table.some(({ room }) => isInside(file, room)))
          context.report({ node: source, message: 'Name what is imported with a plain string.' });
        return;
      }
      const message = refusal(file, literal.value);
      if (message !== null) context.report({ node: source, message });
    };
    return {
      ImportDeclaration: (node) => check(node.source),
      ExportNamedDeclaration: (node) => check(node.source),
      ExportAllDeclaration: (node) => check(node.source),
      ImportExpression: (node) => check(node.source),
      // @ts-expect-error a node of typescript-eslint: import('…').Type
      TSImportType: (node) => check(node.source ?? node.argument),
      'CallExpression[callee.name="require"]': (/** @type {any} */ node) => check(node.arguments[0]),
    };
  },
};
