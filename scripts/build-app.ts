/**
 * `node scripts/build-app.ts`: what Electron runs, in dist/app: the main process, the preload, and beside them what runs in worker threads.
 * Packages stay packages: electron-builder takes them along from node_modules, with their licences.
 */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { build, type Plugin, type RolldownOptions } from 'rolldown';

const root = join(import.meta.dirname, '..');
export const appFolder = join(root, 'dist', 'app');
const adapters = join(root, 'main', 'adapters');

/** The files that worker threads begin with. */
export const workers: readonly string[] = readdirSync(adapters, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('-worker.ts'))
  .map((name) => join(adapters, name))
  .sort();

/** Where a worker's file is found: outside the archive, for Node's worker threads read none (electron-builder.yml, asarUnpack). */
const unpacked = (name: string): string =>
  `new URL(new URL('./workers/${name}.js', import.meta.url).href.replace('/app.asar/', '/app.asar.unpacked/'))`;

/** `new URL('…', import.meta.url)` of a source, as it must read in what is built: a worker, or a file of the project. */
function movedFiles(folder: string): Plugin {
  return {
    name: 'holdfast-moved-files',
    transform(code, id) {
      if (!id.startsWith(join(root, 'main'))) return null;
      return code.replace(/new URL\(\s*'([^']+)',\s*import\.meta\.url,?\s*\)/g, (_, path: string) => {
        const file = resolve(dirname(id), path);
        if (workers.includes(file)) return unpacked(nameOf(file));
        return `new URL('${relative(folder, file).replaceAll('\\', '/')}${path.endsWith('/') ? '/' : ''}', import.meta.url)`;
      });
    },
  };
}

function nameOf(file: string): string {
  return relative(adapters, file).replace(/\.ts$/, '').replaceAll(/[\\/]/g, '-');
}

const common = {
  platform: 'node',
  external: (id: string) => !id.startsWith('.') && !id.startsWith('/') && !/^[A-Za-z]:[\\/]/.test(id),
  logLevel: 'warn',
  // What the command loads only when it is used, the app has anyway.
  checks: { ineffectiveDynamicImport: false },
} as const satisfies RolldownOptions;

const output = { format: 'esm', entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js', sourcemap: false } as const;

/** `folder`: inside the project, two levels below its root, so that packages are found. */
export async function buildApp(folder: string = appFolder): Promise<void> {
  rmSync(folder, { recursive: true, force: true });
  await build({
    ...common,
    input: { main: join(root, 'main', 'electron', 'main.ts') },
    plugins: [movedFiles(folder)],
    output: { ...output, dir: folder },
  });
  await build({
    ...common,
    input: Object.fromEntries(workers.map((file) => [nameOf(file), file])),
    plugins: [movedFiles(folder)],
    output: { ...output, dir: join(folder, 'workers') },
  });
  // A sandboxed preload is CommonJS in one file.
  await build({
    ...common,
    input: join(root, 'preload', 'index.ts'),
    external: ['electron'],
    output: { format: 'cjs', file: join(folder, 'preload.cjs') },
  });
}

/** Names of packages that what was built asks for. */
export function packagesOf(folder: string): readonly string[] {
  const found = new Set<string>();
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((one) => /\.c?js$/.test(one))) {
    const code = readFileSync(join(folder, name), 'utf8');
    for (const [, specifier = ''] of code.matchAll(/(?:from |import |import\(|require\()"([@a-z][\w@./-]*)"/g)) {
      found.add(specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return [...found].sort();
}

if (import.meta.main) await buildApp();
