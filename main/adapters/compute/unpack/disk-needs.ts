import type { BytePath } from '../../../engine/archive/byte-path.ts';

const blockSize = 4096;

/** What a tree takes on a disk with blocks of 4 KiB: bytes, and entries of its table of files (inodes). A further name of a file takes neither. */
export class DiskNeeds {
  bytes = 0;
  entries = 0;
  #folder = '';

  /** `data`: bytes of it that are no hole. */
  addFile(data: number): void {
    this.entries += 1;
    this.bytes += Math.ceil(data / blockSize) * blockSize;
  }

  /** Some file systems keep a short link or folder in its inode; none can be asked. */
  addLinkOrFolder(): void {
    this.entries += 1;
    this.bytes += blockSize;
  }

  /** This folder will be made, and those around it. Told in walk order, each counts once: what is left is not come back to. */
  leadTo(folder: BytePath | ''): void {
    if (folder === this.#folder) return;
    const [last, next] = [partsOf(this.#folder), partsOf(folder)];
    let shared = 0;
    while (shared < next.length && next[shared] === last[shared]) shared += 1;
    for (let part = shared; part < next.length; part += 1) this.addLinkOrFolder();
    this.#folder = folder;
  }
}

function partsOf(folder: string): readonly string[] {
  return folder === '' ? [] : folder.split('/');
}

/** Empty for what lies directly in the root. */
export function folderOf(path: BytePath): BytePath | '' {
  return path.slice(0, Math.max(0, path.lastIndexOf('/'))) as BytePath | '';
}
