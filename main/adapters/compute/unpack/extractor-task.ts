import { hash } from 'node:crypto';
import { closeSync, fchmodSync, fchownSync, ftruncateSync } from 'node:fs';
import binding from 'zstd-napi/binding.js';
import type { BytePath } from '../../../engine/archive/byte-path.ts';
import { maxFrameContent } from '../../../engine/archive/seek-table.ts';
import { StagedTree } from '../../files/staged-tree.ts';
import { threadTask } from '../thread-task.ts';
import type { ExtractorTask, UnpackMessage } from './messages.ts';
import { Plan } from './plan.ts';
import type { PlanExtent, PlanFile } from './plan.ts';
import { UnpackRing } from './unpack-ring.ts';
import { hashHandle, writeContent } from './file-content.ts';

const change = { chown: fchownSync, chmod: fchmodSync };

/** Decompresses frames and writes what lies in them; several of these work side by side, each on any frame. */
export const task = threadTask('extract', (task: ExtractorTask, send) => {
  const tell = send as (message: UnpackMessage) => void;
  const ring = new UnpackRing(task.ring);
  const plan = new Plan(task.plan);
  const tree = new StagedTree(task.staging, task.owner);
  const context = new binding.DCtx();
  const room = Buffer.allocUnsafeSlow(maxFrameContent);
  let open: { file: number; handle: number } | null = null;

  function lose(file: number, why: string): void {
    if (plan.markDamaged(file)) tell({ kind: 'lost-file', file, why });
  }

  function closeOpen(): void {
    if (open !== null) closeSync(open.handle);
    open = null;
  }

  /** A file that lies whole in this frame: checked before a byte of it is written. */
  function writeSmall(number: number, file: PlanFile, data: Buffer): void {
    if (!hash('sha256', data, 'buffer').equals(file.sha256)) {
      lose(number, 'its content is not what was backed up');
      return;
    }
    const handle = tree.createFile(file.path);
    try {
      writeContent(handle, file, data, 0);
      if (file.sparse) ftruncateSync(handle, file.size);
      tree.finishFile(handle, file.path, file, change);
    } finally {
      closeSync(handle);
    }
    ring.count(1, file.size);
  }

  function writeStretch(extent: PlanExtent, data: Buffer): void {
    const file = plan.file(extent.file);
    if (open?.file !== extent.file) {
      closeOpen();
      open = { file: extent.file, handle: openLarge(extent.file, file.path) };
    }
    writeContent(open.handle, file, data, extent.inFile);
    ring.count(0, data.length);
    if (!plan.extentDone(extent.file)) return;
    // Whoever writes the last stretch reads the file back: the stretches came in any order, from several threads.
    ftruncateSync(open.handle, file.size);
    if (hashHandle(open.handle, file.size, ring.monitor).equals(file.sha256)) {
      tree.finishFile(open.handle, file.path, file, change);
      ring.count(1, 0);
    } else if (plan.isPartKept(extent.file)) {
      // Nothing of it stays: of one with holes, only what is no zero is written.
      ftruncateSync(open.handle, 0);
      tell({ kind: 'unlike', file: extent.file });
    } else {
      lose(extent.file, 'its content is not what was backed up');
    }
    closeOpen();
  }

  /** Several threads write a large file; the first to come creates it, and a name that is there already is one too many. */
  function openLarge(file: number, path: BytePath): number {
    if (plan.claimCreation(file)) {
      const handle = tree.createFile(path);
      plan.setCreated(file);
      ring.monitor.changed();
      return handle;
    }
    ring.monitor.waitUntil(() => plan.isCreated(file));
    return tree.openShared(path);
  }

  for (;;) {
    const turn = ring.claim();
    ring.monitor.waitUntil(() => (ring.turns !== null && turn >= ring.turns) || ring.filled(turn) !== null);
    const filled = ring.filled(turn);
    if (filled === null) break;
    let content: Buffer | null = null;
    try {
      content = room.subarray(0, context.decompress(room, ring.stored(turn % ring.slots).subarray(0, filled.length)));
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      const { archive } = plan.frame(filled.frame);
      tell({
        kind: 'damage',
        damage: { archive, kind: 'frame', message: `a frame cannot be decompressed (${error.message})`, range: null },
      });
      tell({ kind: 'lost-frame', frame: filled.frame });
    }
    ring.free(turn);
    if (content === null) continue;
    for (const extent of plan.extents(filled.frame)) {
      if (!plan.needs(extent)) continue;
      const data = content.subarray(extent.inFrame, extent.inFrame + extent.length);
      if (data.length < extent.length) lose(extent.file, 'it reaches beyond its frame');
      else if (extent.length === plan.size(extent.file)) writeSmall(extent.file, plan.file(extent.file), data);
      else if (!plan.isDamaged(extent.file)) writeStretch(extent, data);
    }
  }
  closeOpen();
  tree.close();
});
