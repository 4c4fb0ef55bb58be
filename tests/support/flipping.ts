import { closeSync, openSync, writeSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';

/** In a thread of its own: writes a byte of a file, now this and now that, until it is ended. Says so once it has begun. */
const { path, at } = workerData as { readonly path: string; readonly at: number };
const handle = openSync(path, 'r+');
const stop = new Promise<void>((resolve) => parentPort?.once('message', () => resolve()));
let stopped = false;
void stop.then(() => {
  stopped = true;
});
for (let turn = 0; !stopped; turn += 1) {
  for (let number = 0; number < 500; number += 1) writeSync(handle, Buffer.of((turn + number) % 256), 0, 1, at);
  if (turn === 0) parentPort?.postMessage('begun');
  await new Promise((resolve) => setImmediate(resolve));
}
closeSync(handle);
