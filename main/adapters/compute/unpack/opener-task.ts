import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { chunkSize, objectHeadSize } from '../../../engine/archive/seal.ts';
import { threadTask } from '../thread-task.ts';
import { ChunkOpener } from './chunk-opener.ts';
import { FrameCutter } from './frame-cutter.ts';
import type { OpenerTask, ReadRun, UnpackMessage } from './messages.ts';
import { Plan } from './plan.ts';
import { UnpackRing } from './unpack-ring.ts';

/** Takes stored bytes in order, hashes them, opens their chunks, and puts the frames that are wanted into slots. */
export const task = threadTask('unseal', (task: OpenerTask, send) => {
  const tell = send as (message: UnpackMessage) => void;
  const ring = new UnpackRing(task.ring);
  const cutter = new FrameCutter(ring, new Plan(task.plan), tell);
  let input = 0;

  function openRun(run: ReadRun): void {
    const archive = task.archives[run.archive];
    if (archive === undefined) throw new Error(`there is no archive ${run.archive}`);
    const hash = run.whole ? createHash('sha256') : null;
    const chunks = new ChunkOpener(run, task, cutter, tell);
    cutter.begin(run.firstFrame, run.frames, run.firstChunk * chunkSize);
    let head: Buffer | null = run.whole ? Buffer.alloc(0) : null;
    for (let last = false; !last;) {
      ring.monitor.waitUntil(() => !ring.inputFree(input));
      const filled = ring.inputLength(input);
      let bytes = ring.input(input).subarray(0, filled.length);
      last = filled.last;
      hash?.update(bytes);
      if (head !== null) {
        const missing = objectHeadSize - head.length;
        head = Buffer.concat([head, bytes.subarray(0, missing)]);
        bytes = bytes.subarray(Math.min(missing, bytes.length));
        if (head.length === objectHeadSize) {
          if (!head.equals(archive.head)) {
            tell({
              kind: 'damage',
              damage: {
                archive: run.archive,
                kind: 'header',
                message: 'its first 148 bytes have been altered',
                range: [0, objectHeadSize],
              },
            });
          }
          head = null;
        }
      }
      chunks.update(bytes);
      ring.freeInput(input);
      input += 1;
    }
    chunks.end(run.whole ? (head?.length ?? objectHeadSize) : 0);
    cutter.end();
    if (hash !== null) tellHash(run, hash);
  }

  function tellHash(run: ReadRun, hash: Hash): void {
    tell({ kind: 'hashed', archive: run.archive, sha256: hash.digest('hex') });
  }

  for (const run of task.runs) openRun(run);
  ring.setTurns(cutter.turns);
});
