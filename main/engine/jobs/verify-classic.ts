import { createHash } from 'node:crypto';
import { Fault } from '../../contract/faults.ts';
import type { Damage, RunContext, VerifyRequest, Warning } from '../../contract/reports.ts';
import { classicMinSize, classicPasswords, unsealClassic } from '../archive/classic.ts';
import type { OpenDestination } from '../engine.ts';
import type { EngineHost, WritableSpool } from '../host.ts';
import { findObject } from '../snapshots/catalog.ts';
import type { ListedSnapshot } from '../snapshots/catalog.ts';
import { readChecksum } from '../snapshots/checksums.ts';
import { checksumKey } from '../snapshots/names.ts';
import type { Backend, ByteStream, CallOptions } from '../storage/backend.ts';
import { classicNext } from './classic-alone.ts';
import { classicRoom, expandClassic, readClassic } from './classic-content.ts';
import { classicProblem } from './snapshot-problem.ts';
import type { HowRead, VerifiedClassic } from './verified.ts';

/**
 * A classic file has one checksum and one tag: it is whole or it is not. Once both have held, the ZIP inside is read as well. What is
 * decrypted is put aside for that, as a restore does. One that does not open among others is no damage where its checksum holds, and no reason
 * to leave the others unread: it is told.
 */
export async function verifyClassic(
  host: EngineHost,
  destination: OpenDestination,
  snapshot: ListedSnapshot,
  { quick, snapshot: wanted }: Pick<VerifyRequest, 'quick' | 'snapshot'>,
  run: RunContext,
): Promise<VerifiedClassic> {
  const object = findObject(snapshot, 'classic');
  if (object === null)
    throw new Fault('not-found', `snapshot ${snapshot.id} is incomplete`, { operation: 'verify', context: { snapshot: snapshot.id } });
  const { credentials } = destination;
  const passwords = credentials.kind === 'password' ? classicPasswords(credentials.password) : [];
  if (passwords.length === 0 && wanted !== 'all') {
    throw new Fault('config-invalid', 'a classic snapshot opens with the password only', { operation: 'verify' });
  }
  const { key } = object;
  const damage: Damage[] = [];
  const named = (kind: string, message: string): Damage => ({ snapshot: snapshot.id, object: key, kind, message, files: [] });
  const options = { signal: run.signal };
  const expected = await readable(destination.backend, key, options, (object, message) => {
    damage.push({ ...named('checksum', message), object });
  });
  const warnings: Warning[] = [];
  const checked = { server: snapshot.slug, files: 0, bytes: 0, damage, warnings, read: 'nothing' as HowRead };
  if (quick) {
    const problem = classicProblem(snapshot);
    if (problem !== null) damage.push(named(object.size < classicMinSize ? 'truncated' : 'marked', problem));
    return checked;
  }
  const hash = createHash('sha256');
  let plain: WritableSpool | null = null;
  try {
    for (const [attempt, password] of passwords.entries()) {
      const spool = host.openSpool({ room: classicRoom(object) });
      try {
        const stored = readClassic(destination.backend, object, attempt === 0 ? hash : null, options);
        for await (const piece of unsealClassic(stored, password)) await spool.append(piece);
        plain = spool;
        break;
      } catch (error) {
        await spool.dispose();
        if (!(error instanceof Fault) || !['wrong-password', 'truncated', 'corrupt'].includes(error.code)) throw error;
        if (error.code === 'wrong-password') continue;
        damage.push(named(error.code, error.message));
        break;
      }
    }
    if (passwords.length === 0) await passed(readClassic(destination.backend, object, hash, options));
    const same = expected === null || hash.digest('hex') === expected;
    if (!same) damage.push(named('checksum', `${key}: its SHA-256 is not the one in its checksum file`));
    // The checksum holds and the tag does not: the file is as it was written, so the password is what is wrong.
    else if (plain === null && expected === null && damage.length === 0)
      damage.push(named('sealed', `${key}: another password, or damage: without its checksum file nobody can tell`));
    else if (plain === null && damage.length === 0) {
      if (wanted !== 'all')
        throw new Fault('wrong-password', `${key}: wrong password`, { operation: 'verify', context: { object: key, next: classicNext } });
      warnings.push({ code: 'checksum', message: `${key} is as its checksum file says, and was not opened: it has a password of its own` });
    }
    if (damage.length > 0) return checked;
    if (plain === null) return { ...checked, read: 'sum' };
    return { ...checked, ...(await readZip(host, plain, run)), read: 'whole' };
  } catch (error) {
    if (!(error instanceof Fault) || !['corrupt', 'truncated', 'unsupported'].includes(error.code)) throw error;
    damage.push(plain === null ? named(error.code, error.message) : named('zip', `${key}: ${error.message}`));
    return checked;
  } finally {
    await plain?.dispose();
  }
}

async function passed(source: ByteStream): Promise<void> {
  const pieces = source[Symbol.asyncIterator]();
  while ((await pieces.next()).done !== true);
}

/** Every entry of the ZIP inside, read and compared with its CRC. */
async function readZip(
  host: EngineHost,
  plain: WritableSpool,
  run: RunContext,
): Promise<{ readonly files: number; readonly bytes: number }> {
  const zip = await expandClassic(host, plain);
  try {
    const { files, bytes } = await host.unzipper({ zip, include: [], staging: null }, run);
    return { files, bytes };
  } finally {
    await zip.dispose();
  }
}

/** A checksum file that is none is a finding of its own. */
async function readable(
  backend: Backend,
  key: string,
  options: CallOptions,
  found: (object: string, message: string) => void,
): Promise<string | null> {
  try {
    return await readChecksum(backend, key, options);
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'corrupt') throw error;
    found(checksumKey(key), error.message);
    return null;
  }
}
