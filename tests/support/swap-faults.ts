import type { FileCalls, WritableFile } from '../../main/adapters/files/file-calls.ts';
import { nodeFileCalls } from '../../main/adapters/files/file-calls.ts';

/** The calls that change something: where a kill makes a difference. */
const changing = [
  'mkdir',
  'rename',
  'unlink',
  'rmdir',
  'link',
  'symlink',
  'copy',
  'chmod',
  'lchown',
  'setTimes',
  'create',
  'syncFolder',
  'syncFileSystem',
] as const;

export interface FaultyCalls extends FileCalls {
  /** Changing calls so far. */
  readonly count: () => number;
  /** The call that was hit, once it was. */
  readonly hit: () => string | null;
  /** Whether it came to `deadAfter`. */
  readonly died: () => boolean;
}

export interface FaultPlan {
  /** The number of the changing call that is hit, from 1. Past the last one: none is. */
  readonly at: number;
  /**
   * `dead`: from that call on nothing reaches the disk any more, as after a SIGKILL just before it. `error`: that one call fails with
   * the code given, everything after it works.
   */
  readonly kind: 'dead' | 'error';
  readonly code?: string;
  /** Only for `error`: this many calls after it the process is dead too. */
  readonly deadAfter?: number;
  /** Real SIGKILL instead of the make-believe one. */
  readonly kill?: () => void;
  /** The target's parent may not be written: children are swapped. */
  readonly inside?: boolean;
  /** Hard links are refused with this code. */
  readonly linkCode?: string;
}

/** Node's own calls, one of which is hit. Flushing is counted but not done: no test here loses power. */
export function faultyCalls(plan: FaultPlan): FaultyCalls {
  let count = 0;
  let hit: string | null = null;
  let dead = false;
  let died = false;

  function alive(): void {
    if (dead) throw systemError('EKILLED', 'the process is dead');
  }
  /** True when this call is the one. */
  function strikes(name: string): boolean {
    alive();
    count++;
    if (plan.deadAfter !== undefined && count === plan.at + plan.deadAfter) {
      dead = died = true;
      alive();
    }
    if (count !== plan.at) return false;
    hit = name;
    if (plan.kind === 'dead') dead = true;
    return true;
  }
  function fail(name: string): never {
    if (plan.kind === 'dead') plan.kill?.();
    throw systemError(plan.kind === 'dead' ? 'EKILLED' : (plan.code ?? 'EIO'), `injected at ${name}`);
  }

  const calls: Record<string, unknown> = { ...nodeFileCalls };
  for (const name of changing) {
    const real = Reflect.get(nodeFileCalls, name) as (...values: unknown[]) => Promise<unknown>;
    calls[name] = async (...values: unknown[]): Promise<unknown> => {
      if (strikes(name)) fail(name);
      if (name === 'link' && plan.linkCode !== undefined) throw systemError(plan.linkCode, 'no links here');
      if (name === 'syncFolder' || name === 'syncFileSystem') return undefined;
      const result = await real(...values);
      return name === 'create' ? faultyFile(result as WritableFile) : result;
    };
  }
  function faultyFile(file: WritableFile): WritableFile {
    return {
      async write(bytes) {
        if (strikes('write')) {
          // A write may be cut anywhere.
          await file.write(bytes.subarray(0, bytes.length >> 1));
          fail('write');
        }
        await file.write(bytes);
      },
      sync: async () => {
        if (strikes('sync')) fail('sync');
        await Promise.resolve();
      },
      close: () => file.close(),
    };
  }
  for (const name of ['lstat', 'readlink', 'statfs', 'mayChange'] as const) {
    const real = Reflect.get(nodeFileCalls, name) as (path: Buffer) => Promise<unknown>;
    calls[name] = async (path: Buffer): Promise<unknown> => {
      alive();
      return name === 'mayChange' && plan.inside === true ? path.toString().endsWith('/srv') : await real(path);
    };
  }
  for (const name of ['names', 'readFile'] as const) {
    calls[name] = async function* (path: Buffer): AsyncIterable<Buffer> {
      alive();
      for await (const value of nodeFileCalls[name](path)) {
        alive();
        yield value;
      }
    };
  }
  return Object.assign(calls as unknown as FileCalls, { count: () => count, hit: () => hit, died: () => died });
}

export function systemError(code: string, text: string): Error {
  return Object.assign(new Error(`${code}: ${text}`), { code });
}

/** Node's own calls; `look` is called before each that changes something, and once more when a file was made and is still empty. */
export function watchedCalls(look: () => Promise<void>): FileCalls {
  const watched = changing.map((name) => {
    const call = nodeFileCalls[name].bind(nodeFileCalls) as (...args: readonly unknown[]) => Promise<unknown>;
    return [
      name,
      async (...args: readonly unknown[]) => {
        await look();
        const result = await call(...args);
        if (name === 'create') await look();
        return result;
      },
    ];
  });
  return { ...nodeFileCalls, ...(Object.fromEntries(watched) as Partial<FileCalls>) };
}
