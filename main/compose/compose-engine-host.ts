import { readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { threadPacker } from '../adapters/compute/pack/packer.ts';
import { threadScan } from '../adapters/compute/scan/scanner.ts';
import { threadUnpacker } from '../adapters/compute/unpack/unpacker.ts';
import { threadUnzipper } from '../adapters/compute/unpack/unzipper.ts';
import { nativeZstd } from '../adapters/compute/zstd.ts';
import { createRestoreTargets } from '../adapters/files/restore-targets.ts';
import { openSourceFolder } from '../adapters/files/source-folder.ts';
import { openSpool } from '../adapters/files/spool.ts';
import { systemClock } from '../adapters/system/clock.ts';
import { machineId } from '../adapters/system/machine-id.ts';
import { fileMemory } from '../adapters/system/memory.ts';
import { systemRandom } from '../adapters/system/random.ts';
import { releaseProgramPages } from '../adapters/system/program-pages.ts';
import { collectingMeanwhile, releaseAllMemory, releaseMemory } from '../adapters/system/release-memory.ts';
import { openStateDir } from '../adapters/system/state-dir.ts';
import { trimmer } from '../adapters/system/trim-memory.ts';
import type { EngineHost } from '../engine/host.ts';
import type { ByteStream } from '../engine/storage/backend.ts';
import { runLock } from './run-lock.ts';

/** OWASP's figure for PBKDF2-HMAC-SHA-256. */
const iterations = 600_000;

/** What the engine needs of this computer. */
export function composeEngineHost(): EngineHost {
  const pack = threadPacker({ onStarted: releaseProgramPages, onSent: trimmer() });
  return {
    clock: systemClock,
    random: systemRandom,
    zstd: { ...nativeZstd, decompress: (source) => collectingMeanwhile(nativeZstd.decompress(source)) },
    machine: async () => ({ id: await machineId(await openStateDir(), systemRandom), host: hostname() }),
    lock: async (name) => runLock(await openStateDir(), name),
    openSpool: (needs) => openSpool(undefined, needs),
    giveBack: releaseMemory,
    memory: fileMemory(() => openStateDir()),
    openSource: openSourceFolder,
    scan: threadScan(),
    // What the start has left goes before the rings come: both together would be the most that a command holds (record 56).
    packer: async (request, targets, run) => {
      await releaseAllMemory();
      return await pack(request, targets, run);
    },
    unpacker: async (request, run) => {
      await releaseAllMemory();
      const fetched = trimmer();
      const read: typeof request.read = async (archive, range) => counted(await request.read(archive, range), fetched);
      return await threadUnpacker({ ...request, read }, run);
    },
    unzipper: threadUnzipper,
    targets: createRestoreTargets(),
    recoveryPrograms: async () => ({ opener: await recoveryText('open.py'), tree: await recoveryText('tree.py') }),
    iterations,
  };
}

const recoveryText = (name: string): Promise<string> => readFile(new URL(`../../docs/recovery/${name}`, import.meta.url), 'utf8');

async function* counted(source: ByteStream, passed: (bytes: number) => void): ByteStream {
  for await (const piece of source) {
    passed(piece.length);
    yield piece;
  }
}
