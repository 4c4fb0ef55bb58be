import { fromHere } from '../compose/from-here.ts';
import { Fault } from '../contract/faults.ts';

/** A file or folder that the command line names. An empty text is a variable that was not set, and never the folder that somebody happens to be in: fault config-invalid. */
export function pathArgument(cwd: string, text: string, what: string): string {
  if (text !== '') return fromHere(cwd, text);
  throw new Fault('config-invalid', `${what} is empty; for the folder that you are in write .`, { operation: 'read the arguments' });
}
