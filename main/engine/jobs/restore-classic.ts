import { createHash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { RestoreReport, RestoreRequest, RunContext, Warning } from '../../contract/reports.ts';
import { classicPasswords, unsealClassic } from '../archive/classic.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost, WritableSpool } from '../host.ts';
import { findObject } from '../snapshots/catalog.ts';
import type { ListedObject, ListedSnapshot } from '../snapshots/catalog.ts';
import { readChecksum } from '../snapshots/checksums.ts';
import { throwIfCancelled } from '../storage/cancel.ts';
import { classicNext } from './classic-alone.ts';
import { classicRoom, expandClassic, readClassic } from './classic-content.ts';
import { refuseNothing, withoutFiles } from './nothing-restored.ts';
import { exchangedBy, isPartial, RestoreStaging } from './restore-staging.ts';

/**
 * Brings a classic snapshot back. Its one tag stands at the end, so what is decrypted is put aside unread until tag and checksum
 * have held; only then zstd and ZIP get to see it.
 */
export async function restoreClassic(
  host: EngineHost,
  destination: OpenDestination,
  snapshot: ListedSnapshot,
  request: RestoreRequest,
  run: RunContext,
): Promise<Omit<RestoreReport, 'elapsedMs'>> {
  const object = findObject(snapshot, 'classic');
  if (object === null) throw new Fault('not-found', `snapshot ${snapshot.id} is incomplete`, { operation: 'restore' });
  const warnings: Warning[] = [];
  const compressed = await decrypt(host, destination, object, warnings, run);
  // Its room may be what the tree needs.
  const zip = await expandClassic(host, compressed).finally(() => compressed.dispose());
  const staging = new RestoreStaging(host, { id: snapshot.id, request, localPath: destination.localPath });
  try {
    const result = await host.unzipper(
      { zip, include: request.include, staging: async (needs) => (await staging.prepare(needs)).dir },
      run,
    );
    const { ready } = staging;
    refuseNothing(result, request, snapshot.id);
    throwIfCancelled(run.signal, 'restore');
    const done = await ready.commit({ root: null, carryOver: null, ...exchangedBy(request) });
    const notes = [...ready.notes, ...done.notes].map((message): Warning => ({ code: 'target', message, level: 'note' }));
    // Its ZIP is all that there is: nothing says what of the former content had been left out, and so would have to appear again.
    if (done.before !== null && !isPartial(request)) {
      const message = 'a classic snapshot does not tell what it had left out: such files of the folder lie with the former content alone';
      notes.push({ code: 'target', message, level: 'note' });
    }
    return {
      id: snapshot.id,
      server: snapshot.slug,
      target: ready.target,
      files: result.files,
      bytes: result.bytes,
      fromTarget: { files: 0, parts: 0, bytes: 0 },
      fetchedBytes: object.size,
      before: done.before,
      damaged: [],
      warnings: [...warnings, ...withoutFiles(result), ...notes],
    };
  } catch (error) {
    throw await staging.failed(error);
  } finally {
    await zip.dispose();
  }
}

async function decrypt(
  host: EngineHost,
  destination: OpenDestination,
  object: ListedObject,
  warnings: Warning[],
  run: RunContext,
): Promise<WritableSpool> {
  if (destination.credentials.kind !== 'password') {
    throw new Fault('config-invalid', 'a classic snapshot opens with the password only', { operation: 'restore' });
  }
  const { backend } = destination;
  const options = { signal: run.signal };
  const expected = await readChecksum(backend, object.key, options);
  if (expected === null) warnings.push({ code: 'checksum', message: `${object.key}.sha256 is missing` });
  let failure: unknown;
  for (const password of classicPasswords(destination.credentials.password)) {
    const spool = host.openSpool({ room: classicRoom(object) });
    const hash = createHash('sha256');
    let same = false;
    try {
      for await (const piece of unsealClassic(readClassic(backend, object, hash, options), password)) await spool.append(piece);
      same = expected === null || hash.digest('hex') === expected;
      if (same) return spool;
      throw new Fault('corrupt', `${object.key}: its SHA-256 is not the one in its checksum file`, {
        operation: 'restore',
        context: { object: object.key },
      });
    } catch (error) {
      await spool.dispose();
      if (!(error instanceof Fault) || error.code !== 'wrong-password') throw error;
      // With a checksum file beside it, wrong password and damage can be told apart after all.
      const damaged = expected !== null && hash.digest('hex') !== expected;
      if (damaged)
        throw new Fault('corrupt', `${object.key} is damaged`, { operation: 'restore', context: { object: object.key }, cause: error });
      failure = new Fault('wrong-password', error.message, {
        operation: 'restore',
        context: { ...error.context, object: object.key, next: classicNext },
        cause: error,
      });
    }
  }
  throw failure;
}
