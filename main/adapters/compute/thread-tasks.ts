import type { ThreadTask } from './thread-task.ts';

/** All that a thread can be asked to do. Each is loaded by the first thread that is asked for it. */
export const tasks = {
  scan: () => import('./scan/scan-task.ts'),
  read: () => import('./pack/reader-task.ts'),
  compress: () => import('./pack/compressor-task.ts'),
  seal: () => import('./pack/sealer-task.ts'),
  plan: () => import('./unpack/planner-task.ts'),
  keep: () => import('./unpack/keeper-task.ts'),
  unseal: () => import('./unpack/opener-task.ts'),
  extract: () => import('./unpack/extractor-task.ts'),
  check: () => import('./unpack/checker-task.ts'),
  finish: () => import('./unpack/finisher-task.ts'),
  unzip: () => import('./unpack/unzip-task.ts'),
  'find-links': () => import('./unpack/lost-links-task.ts'),
} as const;

type Tasks = typeof tasks;
type About<Name extends keyof Tasks> = Awaited<ReturnType<Tasks[Name]>>['task'] extends ThreadTask<infer Value> ? Value : never;

/** What a thread is asked. */
export type ThreadRequest = { [Name in keyof Tasks]: { readonly task: Name; readonly about: About<Name> } }[keyof Tasks];
