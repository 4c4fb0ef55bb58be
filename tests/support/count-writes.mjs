import { appendFileSync, readFileSync } from 'node:fs';
import promises from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';

/*
 * Loaded into the real command (NODE_OPTIONS=--import): what is handed to a destination that is a folder is written down before it is written, so that it counts
 * whatever becomes of it and of the process. WRITES_TO is the file, a line for each write. The process is killed, as by kill -9:
 * DIES_AT=ENDING:NUMBER: as soon as so many objects are there whose names end so;
 * DIES_IN=NUMBER:BYTES: when so many bytes of that archive, counted from 1, are written, in the middle of a write.
 */

const { WRITES_TO: log = '', DIES_AT: diesAt = '', DIES_IN: diesIn = '' } = process.env;
const [ending = '', number = ''] = diesAt.split(':');
const [archive, most] = diesIn.split(':').map(Number);
const { open, link, rename } = promises;
let [moved, archives] = [0, 0];

promises.open = async (path, ...rest) => {
  const handle = await open(path, ...rest);
  if (!String(path).includes('/.holdfast-uploads/')) return handle;
  const write = handle.write.bind(handle);
  const isArchive = readFileSync(`${path}.key`, 'utf8').endsWith('.holdfast');
  if (isArchive) archives += 1;
  let left = isArchive && archives === archive ? most : Infinity;
  handle.write = async (bytes, offset, length, position) => {
    const count = Math.min(length, left);
    appendFileSync(log, `${count}\n`);
    const written = await write(bytes, offset, count, position);
    left -= count;
    if (left === 0) process.kill(process.pid, 'SIGKILL');
    return written;
  };
  return handle;
};

const dying = (move) => async (from, to) => {
  await move(from, to);
  if (ending === '' || !String(to).endsWith(ending)) return;
  moved += 1;
  if (moved === Number(number)) process.kill(process.pid, 'SIGKILL');
};
promises.link = dying(link);
promises.rename = dying(rename);
syncBuiltinESMExports();
