import { Fault } from '../../../contract/faults.ts';
import type { Warning, WarningCode } from '../../../contract/reports.ts';
import { showPath } from '../../../engine/archive/byte-path.ts';
import type { BytePath } from '../../../engine/archive/byte-path.ts';

const kept = 1000;
/** Of their text as a manifest has it, whose first line names them: a path may be of 65,000 bytes, and some bytes become six. */
const keptBytes = 512 * 1024;

/** What was told of while reading. A tree with a million unreadable files is told of once, with their number. */
export class ReadWarnings {
  readonly #list: Warning[] = [];
  #bytes = 0;
  #left = 0;

  add(code: WarningCode, path: BytePath, message: string, level?: 'note'): void {
    // Most of a million are not looked at any closer.
    if (this.#list.length < kept && this.#keep({ code, message, path: showPath(path), ...(level === undefined ? {} : { level }) })) return;
    this.#left += 1;
  }

  /** Whether there is room for it. */
  #keep(warning: Warning): boolean {
    const bytes = Buffer.byteLength(JSON.stringify(warning));
    if (this.#bytes + bytes > keptBytes) return false;
    this.#list.push(warning);
    this.#bytes += bytes;
    return true;
  }

  cannotRead(path: BytePath, error: unknown): void {
    const code = errno(error);
    // Not the file's fault, and the next one would fail as well: a snapshot without half its folders is none.
    if (code === 'EMFILE' || code === 'ENFILE') {
      throw new Fault('unexpected', `too many open files at ${showPath(path)}: raise the limit (ulimit -n)`, {
        operation: 'read',
        cause: error,
      });
    }
    if (code === 'ENOENT') this.add('vanished', path, 'was there when its folder was listed and gone when it was to be read');
    else if (code === 'ELOOP' || code === 'ENOTDIR') this.add('changed', path, 'turned into something else while it was being read');
    else this.add('unreadable', path, `could not be read (${code})`);
  }

  get list(): readonly Warning[] {
    if (this.#left === 0) return this.#list;
    return [...this.#list, { code: 'more', message: `${this.#left} more warnings like these` }];
  }
}

function errno(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : String(error);
}
