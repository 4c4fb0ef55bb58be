import { Fault } from '../../contract/faults.ts';
import type { RunContext } from '../../contract/reports.ts';
import { hasMagic, noMagicFault } from '../archive/header.ts';
import { classicPasswords, unsealClassic } from '../archive/classic.ts';
import { Keyring } from '../archive/keyring.ts';
import { objectHeadSize, unseal } from '../archive/seal.ts';
import type { Label } from '../archive/seal.ts';
import { changeVaultPassword, formatRecoveryKey, parseRecoveryKeys, parseVault } from '../archive/vault.ts';
import type { Credentials, Engine, OpenDestination } from '../engine.ts';
import type { EngineHost } from '../host.ts';
import type { RecoveryKit } from '../kit/recovery-kit.ts';
import { learnVaultKeys } from '../snapshots/vault-keys.ts';
import { ensureVaultUnchanged, loadVault, storeRecords } from '../snapshots/vault-store.ts';
import type { ByteStream } from '../storage/backend.ts';
import { throwIfCancelled } from '../storage/cancel.ts';

/** Rewrites one small object; every snapshot opens with the new password, but for classic ones, which keep theirs. */
export async function changePassword(
  host: EngineHost,
  destination: OpenDestination,
  request: { readonly newPassword: string; readonly newKey: boolean },
  run: RunContext,
): Promise<{ records: number; newKey: boolean }> {
  const vault = await loadVault(destination.backend, { signal: run.signal, credentials: destination.credentials });
  await learnVaultKeys(destination.backend, vault, { signal: run.signal });
  const records = await changeVaultPassword(vault, request, host.random, host.iterations);
  // Cut off in the middle, nobody knew which password holds: one small object is written to its end.
  throwIfCancelled(run.signal, 'change password');
  await ensureVaultUnchanged(destination.backend, vault, {});
  await storeRecords(destination.backend, records, {});
  return { records: records.length, newKey: request.newKey };
}

export async function kit(
  host: EngineHost,
  destination: OpenDestination,
  request: { readonly recoveryKey: boolean },
  run: RunContext,
): Promise<RecoveryKit> {
  const vault = await loadVault(destination.backend, { signal: run.signal, credentials: destination.credentials });
  return {
    madeOn: new Date(host.clock.now()).toISOString().slice(0, 10),
    host: (await host.machine()).host,
    settings: destination.settings,
    vault: Buffer.concat(vault.records).toString('base64'),
    recoveryKeys: request.recoveryKey ? vault.keyring.vaultKeys.map((key) => formatRecoveryKey(key)) : [],
    ...(await host.recoveryPrograms()),
  };
}

const labels: readonly Label[] = ['holdfast/v2/archive', 'holdfast/v2/manifest', 'holdfast/v2/partial', 'holdfast/v2/damaged'];

/** Opens a sealed file that lies on disk, with nothing but what opens it. */
export async function openFile(
  host: EngineHost,
  file: ByteStream,
  request: Parameters<Engine['openFile']>[1],
  run: RunContext,
): ReturnType<Engine['openFile']> {
  const source = file[Symbol.asyncIterator]();
  let head: Buffer = Buffer.alloc(0);
  while (head.length < objectHeadSize) {
    const piece = await source.next();
    if (piece.done === true) break;
    head = Buffer.concat([head, piece.value]);
  }
  const whole = behind(head, source, run.signal);
  const records = request.vault === undefined ? [] : parseVault(request.vault);
  const classic = request.format === undefined ? records.length === 0 : request.format === 'classic';
  // What begins like an archive is one: whoever renames it must not get the weaker reading.
  if (!hasMagic(head)) {
    if (!classic) throw noMagicFault(head, { next: `${ours} If this is such a file, fetch it from the backup place again.` });
    try {
      return { kind: 'zip', content: host.zstd.decompress(await openClassic(host, whole, request.credentials)) };
    } catch (error) {
      if (!(error instanceof Fault) || error.code !== 'wrong-password' || request.format === 'classic') throw error;
      // Any bytes at all may be a classic file: only the name speaks against it.
      const context = { ...error.context, next: `Try the password again. ${ours}` };
      throw new Fault(error.code, error.message, { operation: error.operation, context, cause: error });
    }
  }

  const keyring =
    request.credentials.kind === 'password'
      ? new Keyring({ password: request.credentials.password, records })
      : new Keyring({ vaultKeys: parseRecoveryKeys(request.credentials.text), records });
  let failure: unknown;
  for (const label of labels) {
    try {
      const { keys } = await keyring.open(head, label, 'the file');
      const plain = unseal(behind(head.subarray(objectHeadSize), source, run.signal), keys);
      return { kind: label === 'holdfast/v2/archive' ? 'zip' : 'json-lines', content: host.zstd.decompress(plain) };
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

const ours = 'Holdfast opens what it wrote itself: *.holdfast, *.manifest and *.zip.zst.enc.';

/** Nothing is let out before the tag at the end held: the plain bytes wait in a spool. */
async function openClassic(host: EngineHost, file: ByteStream, credentials: Credentials): Promise<ByteStream> {
  if (credentials.kind !== 'password') {
    throw new Fault('wrong-key', 'this is no sealed archive of version 2, and a classic file opens with the password only', {
      operation: 'open file',
    });
  }
  const sealed = host.openSpool();
  try {
    for await (const piece of file) await sealed.append(piece);
    let failure: unknown;
    for (const password of classicPasswords(credentials.password)) {
      const spool = host.openSpool();
      try {
        for await (const piece of unsealClassic(sealed.read(), password)) await spool.append(piece);
        return disposing(spool.read(), () => spool.dispose());
      } catch (error) {
        await spool.dispose();
        failure = error;
      }
    }
    throw failure;
  } finally {
    await sealed.dispose();
  }
}

async function* disposing(source: ByteStream, dispose: () => Promise<void>): ByteStream {
  try {
    yield* source;
  } finally {
    await dispose();
  }
}

async function* behind(first: Uint8Array, source: AsyncIterator<Uint8Array>, signal: AbortSignal | undefined): ByteStream {
  yield first;
  for (let piece = await source.next(); piece.done !== true; piece = await source.next()) {
    if (signal?.aborted === true) throw new Fault('cancelled', 'cancelled', { operation: 'open file' });
    yield piece.value;
  }
}
