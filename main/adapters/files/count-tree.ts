import type { FileCalls } from './file-calls.ts';
import { isErrno, join, nodeFileCalls } from './file-calls.ts';

export interface TreeCount {
  /** Everything that is no folder. */
  readonly files: number;
  /** Their length, which is what a backup reads. */
  readonly bytes: number;
  /** False: it was told that this is enough, and there is more. */
  readonly whole: boolean;
}

/** What lies below a folder. Links are not followed; what may not be read counts nothing. `isEnough` is asked before each entry. */
export async function countTree(root: string, isEnough: () => boolean, calls: FileCalls = nodeFileCalls): Promise<TreeCount> {
  const folders: Buffer[] = [Buffer.from(root)];
  let files = 0;
  let bytes = 0;
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    try {
      for await (const name of calls.names(folder)) {
        if (isEnough()) return { files, bytes, whole: false };
        const path = join(folder, name);
        const found = await calls.lstat(path);
        if (found.isDirectory()) folders.push(path);
        else {
          files += 1;
          bytes += Number(found.size);
        }
      }
    } catch (error) {
      if (!isErrno(error, 'EACCES', 'EPERM', 'ENOENT', 'ENOTDIR')) throw error;
    }
  }
  return { files, bytes, whole: true };
}
