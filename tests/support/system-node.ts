import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** A Node that is not the pinned one, as a fresh machine has it; null where there is none. */
export function systemNode(): string | null {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '' && !folder.includes('node_modules'));
  return folders.map((folder) => join(folder, 'node')).find(isExecutable) ?? null;
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
