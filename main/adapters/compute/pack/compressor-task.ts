import binding from 'zstd-napi/binding.js';
import { FrameRing, slotState } from '../frame-ring.ts';
import { threadTask } from '../thread-task.ts';
import type { CompressorTask } from './messages.ts';

/** Takes frame after frame and compresses each by itself, from shared memory to shared memory. */
export const task = threadTask('compress', (task: CompressorTask) => {
  const ring = new FrameRing(task.ring);
  const context = new binding.CCtx();
  context.setParameter(binding.CParameter.compressionLevel, task.level);
  context.setParameter(binding.CParameter.contentSizeFlag, 1);
  for (;;) {
    const frame = ring.claimFrame();
    const slot = frame % ring.slots;
    const past = (): boolean => ring.frameCount !== null && frame >= ring.frameCount;
    ring.monitor.waitUntil(() => past() || ring.holds(slot, frame, slotState.filled));
    if (past()) return;
    const { content } = ring.sizes(slot);
    ring.setCompressed(slot, context.compress2(ring.stored(slot), ring.content(slot).subarray(0, content)));
  }
});
