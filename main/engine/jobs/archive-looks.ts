import { readChecksum } from '../snapshots/checksums.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';

/** What a destination says of an archive without its being read: once, and the same to whoever asks again. A thousand snapshots may name the same archives. */
export interface ArchiveLooks {
  /** Bytes. Fault not-found where it is gone. */
  readonly sizeOf: (key: string) => Promise<number>;
  /** Null without a checksum file. Fault corrupt where that is something else. */
  readonly checksumOf: (key: string) => Promise<string | null>;
}

export function archiveLooks(backend: Backend, options: CallOptions): ArchiveLooks {
  return {
    sizeOf: remembered(async (key) => (await backend.stat(key, options)).size),
    checksumOf: remembered((key) => readChecksum(backend, key, options)),
  };
}

function remembered<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    const answer = answers.get(key) ?? ask(key);
    answers.set(key, answer);
    return answer;
  };
}
