import { readChecksum } from '../snapshots/checksums.ts';
import type { Backend, CallOptions } from '../storage/backend.ts';

/** What a destination says of an archive without its being read. */
export interface ArchiveLooks {
  /** Bytes. Fault not-found where it is gone. */
  readonly sizeOf: (key: string) => Promise<number>;
  /** Null without a checksum file. Fault corrupt where that is something else. */
  readonly checksumOf: (key: string) => Promise<string | null>;
}

/** `once`: the same answer to whoever asks again, as for a look of one moment at a thousand snapshots that name the same archives. */
export function archiveLooks(backend: Backend, once: boolean, options: CallOptions): ArchiveLooks {
  const sizeOf = async (key: string): Promise<number> => (await backend.stat(key, options)).size;
  const checksumOf = (key: string): Promise<string | null> => readChecksum(backend, key, options);
  return once ? { sizeOf: remembered(sizeOf), checksumOf: remembered(checksumOf) } : { sizeOf, checksumOf };
}

function remembered<T>(ask: (key: string) => Promise<T>): (key: string) => Promise<T> {
  const answers = new Map<string, Promise<T>>();
  return (key) => {
    const answer = answers.get(key) ?? ask(key);
    answers.set(key, answer);
    return answer;
  };
}
