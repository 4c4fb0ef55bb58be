import { z } from 'zod';

const snapshotOf = z.object({ slug: z.string(), destination: z.string(), snapshot: z.string() });

const snapshotRow = z.object({
  id: z.string(),
  time: z.string(),
  files: z.number().nullable(),
  bytes: z.number().nullable(),
  storedBytes: z.number(),
  /** Left of removed snapshots, and kept because of this one. */
  inheritedBytes: z.number().optional(),
  complete: z.boolean(),
  /** The complete one that was written last. */
  newest: z.literal(true).optional(),
  pinned: z.boolean(),
  note: z.string().optional(),
  problem: z.string().optional(),
});
export type SnapshotSummary = z.infer<typeof snapshotRow>;

export const entryRowSchema = z.object({
  path: z.string(),
  type: z.enum(['file', 'directory', 'symlink']),
  size: z.number(),
  mode: z.number(),
  mtime: z.string(),
  target: z.string().optional(),
});
export type Entry = z.infer<typeof entryRowSchema>;

const keptBefore = z.object({
  before: z.string(),
  /** Milliseconds since 1970. */
  time: z.number(),
  bytes: z.number(),
  files: z.number(),
  /** It holds only the paths that a partial restore exchanged. */
  partial: z.boolean(),
});
export type Kept = z.infer<typeof keptBefore>;

const target = z.object({ target: z.string().min(1).max(4096) });

/** Snapshots, what is in them, and the way back. */
export const snapshotCalls = {
  'snapshots.list': { request: z.object({ slug: z.string(), destination: z.string() }), reply: z.array(snapshotRow) },
  /** The complete one that was written last alone, which need not wait for the list; null when there is none. */
  'snapshot.newest': { request: z.object({ slug: z.string(), destination: z.string() }), reply: snapshotRow.nullable() },
  /** The entries directly in a folder of a snapshot; the size of a folder is that of all the files below it. */
  'snapshot.entries': { request: snapshotOf.extend({ path: z.string() }), reply: z.array(entryRowSchema) },
  /** Entries whose path holds the text, small and capital letters alike, in the order of the snapshot. */
  'snapshot.search': {
    request: snapshotOf.extend({ text: z.string().min(1).max(200), limit: z.number().int().min(1).max(5000) }),
    reply: z.object({ entries: z.array(entryRowSchema), more: z.boolean() }),
  },
  /** What is new, changed (its content) or gone since the complete snapshot before it. Counts are of all, the list is up to the limit. */
  'snapshot.changes': {
    request: snapshotOf.extend({ limit: z.number().int().min(1).max(50_000) }),
    reply: z.object({
      /** The snapshot before; null when it is the first. */
      before: z.string().nullable(),
      created: z.number(),
      changed: z.number(),
      gone: z.number(),
      list: z.array(z.object({ path: z.string(), kind: z.enum(['new', 'changed', 'gone']), size: z.number() })),
    }),
  },
  'snapshot.pin': { request: snapshotOf.extend({ note: z.string().max(500) }), reply: z.object({}) },
  'snapshot.unpin': { request: snapshotOf, reply: z.object({}) },
  /** What the server's rules keep and why, and what the next clean-up removes there. */
  'cleanup.preview': {
    request: z.object({ slug: z.string(), destination: z.string() }),
    reply: z.object({
      keep: z.array(z.object({ id: z.string(), reasons: z.array(z.string()) })),
      remove: z.array(z.string()),
      freedBytes: z.number(),
    }),
  },
  /** What a restore into this folder would meet. Nothing is written. */
  'restore.look': {
    request: target,
    reply: z.object({
      /** The real folder, after links. */
      target: z.string(),
      exists: z.boolean(),
      empty: z.boolean(),
      /** Of the file system that it lies on. */
      freeBytes: z.number(),
      /** Programs that work in it. */
      inUse: z.array(z.string()),
      /** Why it cannot be restored to; empty when it can. */
      problem: z.string(),
    }),
  },
  /** What earlier restores set aside, newest first. */
  'undo.list': { request: target, reply: z.array(keptBefore) },
  /** Swaps the newest of them back; what was there until now is kept in its turn. */
  'undo.run': {
    request: target.extend({ force: z.boolean().default(false) }),
    reply: z.object({ restored: z.string(), before: z.string().nullable(), notes: z.array(z.string()) }),
  },
  /**
   * Stops an undo or a deletion there, as long as nothing has changed: `stopped`, and its own call ends with fault cancelled. `ending`: it has begun in
   * earnest and is through in a moment. `none`: nothing is under way there.
   */
  'undo.cancel': { request: target, reply: z.object({ state: z.enum(['stopped', 'ending', 'none']) }) },
  'undo.discard': { request: target, reply: z.array(keptBefore) },
} as const;
