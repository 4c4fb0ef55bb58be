import { resolve } from 'node:path';
import { Fault } from '../contract/faults.ts';

/**
 * The path that `text` means in the folder `cwd`. Node gives the name of the current folder with U+FFFD for what is no UTF-8, and so a path that leads
 * nowhere, or to another folder: fault config-invalid. Arguments with it have been refused before.
 */
export function fromHere(cwd: string, text: string): string {
  const path = resolve(cwd, text);
  if (!path.includes('\ufffd')) return path;
  throw new Fault(
    'config-invalid',
    'The name of the folder that you are in is not valid UTF-8; write paths that begin with /, or work from another folder. Names inside a folder may be any bytes',
    { operation: 'read the arguments' },
  );
}
