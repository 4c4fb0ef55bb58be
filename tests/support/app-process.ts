import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { ServiceHome } from './service-process.ts';

/** What is asked of the built app in its process; `seen`: what a person sees of it outside its window. */
export type AppAsk =
  | { readonly what: 'invoke'; readonly channel: string; readonly args: readonly unknown[] }
  | { readonly what: 'page'; readonly url: string }
  | { readonly what: 'choose'; readonly labels: readonly string[] }
  | { readonly what: 'seen' };

export interface AppPageFile {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Uint8Array;
}

export type AppAnswer = unknown;

type Told = { readonly id: number; readonly value: unknown; readonly error?: string } | { readonly sent: readonly [string, ...unknown[]] };

export interface AppProcess {
  /** As the preload's ipcRenderer does. */
  invoke(channel: string, ...args: readonly unknown[]): Promise<unknown>;
  /** A file of the page, by its address `app://holdfast/…`. */
  page(url: string): Promise<AppPageFile>;
  seen(): Promise<{ readonly toolTip: string; readonly errors: readonly unknown[]; readonly notifications: readonly string[] }>;
  /** Clicks on an entry of the tray's menu by its labels. */
  choose(...labels: readonly string[]): Promise<void>;
  /** Hears what the app sends to its window. */
  hear(listener: (channel: string, ...args: readonly unknown[]) => void): void;
  /** Quits as from the tray, with a yes to the question whether to. */
  quit(): ReturnType<AppProcess['ended']>;
  /** The exit code, and what it wrote to standard error. */
  ended(): Promise<{ readonly code: number | null; readonly printed: string }>;
}

/** The app in a process of its own, on a computer of its own; in the place of Electron are stand-ins. `main`: as built, or the source that Node reads too. */
export function startApp(home: ServiceHome, main: string, env: Readonly<Record<string, string>> = {}): AppProcess {
  const hooks = join(import.meta.dirname, 'electron-hooks.mjs');
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('HOLDFAST_')));
  const child = fork(main, [], {
    execArgv: ['--import', hooks],
    env: { ...inherited, ...home.env, ...env },
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
  home.ends(child);
  const printed = child.stderr === null ? Promise.resolve('') : text(child.stderr);
  const exited = once(child, 'exit');
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  const listeners: ((channel: string, ...args: readonly unknown[]) => void)[] = [];
  child.on('message', (told: Told) => {
    if ('sent' in told) return listeners.forEach((listener) => listener(...told.sent));
    const asked = waiting.get(told.id);
    waiting.delete(told.id);
    if (told.error === undefined) asked?.resolve(told.value);
    else asked?.reject(new Error(told.error));
  });
  void exited.then(async () => {
    const why = new Error(`the app has ended:\n${await printed}`);
    for (const { reject } of waiting.values()) reject(why);
  });
  let asks = 0;
  const ask = async (what: AppAsk): Promise<unknown> => {
    const id = ++asks;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    child.send({ id, ask: what });
    return await answer.promise;
  };
  const ended: AppProcess['ended'] = async () => {
    const [code] = (await exited) as [number | null];
    return { code, printed: await printed };
  };
  return {
    ended,
    invoke: (channel, ...args) => ask({ what: 'invoke', channel, args }),
    page: async (url) => (await ask({ what: 'page', url })) as AppPageFile,
    seen: async () => (await ask({ what: 'seen' })) as Awaited<ReturnType<AppProcess['seen']>>,
    async choose(...labels) {
      await ask({ what: 'choose', labels });
    },
    hear: (listener) => void listeners.push(listener),
    async quit() {
      child.send({ id: 0, ask: 'quit' });
      return await ended();
    },
  };
}
