import { spawnSync } from 'node:child_process';
import { join } from 'node:path';

const root = join(import.meta.dirname, '..', '..');
/** Locks and this computer's id, which otherwise lie in the home folder. */
export const stateFolder = 'try/state';
const env = { ...process.env, HOLDFAST_STATE_DIR: stateFolder };

export class CommandFailed extends Error {
  override readonly name = 'CommandFailed';
}

/** Shows a command as one would type it in the project's folder, runs just that, and answers how many milliseconds it took. */
export function holdfast(args: readonly string[]): number {
  process.stdout.write(`\n  $ npx holdfast ${args.map(quote).join(' ')}\n`);
  const since = performance.now();
  const { status, signal, error } = spawnSync(process.execPath, [join(root, 'bin', 'holdfast.js'), ...args], {
    cwd: root,
    env,
    stdio: 'inherit',
  });
  if (error !== undefined) throw error;
  // 3: done, with warnings that have been printed; the comparison at the end decides.
  if (status !== 0 && status !== 3) throw new CommandFailed(`That command ended with ${signal ?? `code ${String(status)}`}.`);
  return performance.now() - since;
}

/** The same, without a word, for what `--json` prints. */
export function holdfastJson(args: readonly string[]): unknown {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, 'bin', 'holdfast.js'), ...args, '--json'], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
  if (status !== 0) throw new CommandFailed(`holdfast ${args.join(' ')} --json ended with code ${String(status)}:\n${stdout}${stderr}`);
  return JSON.parse(stdout);
}

function quote(text: string): string {
  return /^[A-Za-z0-9_./:=@%+-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
