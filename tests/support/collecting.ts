import { parentPort } from 'node:worker_threads';
import { releaseMemory } from '../../main/adapters/system/release-memory.ts';

/** A thread that collects again and again, and says once that it is done. */
for (let turn = 0; turn < 200; turn += 1) releaseMemory();
parentPort?.postMessage('done');
