import { connect, type Socket } from 'node:net';
import { Fault } from '../../contract/faults.ts';
import type { Clock } from '../../engine/ports.ts';
import { cancelledFault } from '../../engine/storage/cancel.ts';
import { foreignFault } from '../network/errors.ts';
import { encodePacket, packetsOf, packetTypes, type Packet } from './rcon-packets.ts';

export interface RconPlace {
  readonly host: string;
  readonly port: number;
  /** How long a connection, or the reply to one command, may take. */
  readonly timeoutMs: number;
}

/** A console that has taken the password. */
export interface Rcon {
  /** Settles to the whole reply. Faults: timeout, unavailable, cancelled; after each of them the connection is gone. */
  command(text: string): Promise<string>;
  close(): void;
}

/** Minecraft reads no longer packet than 1460 bytes. */
const longestCommand = 1440;
/** A reply of so many bytes may go on in another packet. */
const fullBody = 4096;

/**
 * Signs in to a Source RCON console. One request is under way at a time, as Minecraft loses a second one that comes in the same packet of
 * TCP. Faults: unauthenticated, unavailable (nobody listens: context.reason ECONNREFUSED), timeout, unexpected (it speaks no RCON), cancelled.
 */
export async function openRcon(place: RconPlace, password: string, clock: Clock, signal?: AbortSignal): Promise<Rcon> {
  const where = `${place.host}:${place.port}`;
  if (password === '') {
    throw new Fault('config-invalid', `there is no password for the RCON console at ${where}`, {
      operation: 'rcon',
      context: { next: 'Set rcon.password in server.properties, and the same one for this server here.' },
    });
  }
  if (signal?.aborted === true) throw cancelledFault('rcon');
  const socket = connect({ host: place.host, port: place.port, noDelay: true });
  // Each exchange hears of an error by itself; between two there is nobody to tell.
  socket.on('error', () => undefined);
  const stop = (): void => void socket.destroy(cancelledFault('rcon'));
  signal?.addEventListener('abort', stop, { once: true });
  socket.once('close', () => signal?.removeEventListener('abort', stop));
  const packets = packetsOf(socket, where);
  let lastId = 0;

  async function inTime<T>(what: string, work: () => Promise<T>): Promise<T> {
    const timer = new AbortController();
    const late = (): void => {
      if (timer.signal.aborted) return;
      socket.destroy(new Fault('timeout', `the RCON console at ${where} did not answer ${what} in time`, { operation: 'rcon' }));
    };
    clock.sleep(place.timeoutMs, timer.signal).then(late, () => undefined);
    try {
      return await work();
    } catch (error) {
      socket.destroy();
      throw error instanceof Fault ? error : foreignFault(error, 'rcon', `the console at ${where}`, { where });
    } finally {
      timer.abort();
    }
  }

  async function next(): Promise<Packet> {
    const step = await packets.next();
    if (step.done !== true) return step.value;
    throw new Fault('unavailable', `the RCON console at ${where} closed the connection`, { operation: 'rcon', context: { where } });
  }

  async function request(type: number, body: string): Promise<number> {
    const id = ++lastId;
    await new Promise<void>((settle, reject) =>
      socket.write(encodePacket(id, type, body), (error) => (error instanceof Error ? reject(error) : settle())),
    );
    return id;
  }

  async function signIn(): Promise<void> {
    const id = await request(packetTypes.signIn, password);
    for (;;) {
      const reply = await next();
      // Source sends an empty value before its answer; Minecraft does not.
      if (reply.type !== packetTypes.signedIn) continue;
      if (reply.id === id) return;
      throw new Fault('unauthenticated', `the RCON console at ${where} refused the password`, {
        operation: 'rcon',
        context: { where, next: 'Compare rcon.password in server.properties with the one that is set for this server here.' },
      });
    }
  }

  await inTime('the sign-in', async () => {
    await connected(socket);
    await signIn();
  });

  return {
    command: (text) =>
      inTime(text.split(' ', 1)[0] ?? '', async () => {
        if (Buffer.byteLength(text) > longestCommand) {
          throw new Fault('config-invalid', `a command for ${where} is longer than ${longestCommand} bytes`, { operation: 'rcon' });
        }
        const id = await request(packetTypes.command, text);
        const pieces: Buffer[] = [];
        let end: number | undefined;
        for (;;) {
          const reply = await next();
          if (reply.id === end) break;
          if (reply.id !== id) continue;
          pieces.push(reply.body);
          if (end !== undefined) continue;
          if (reply.body.byteLength < fullBody) break;
          // Whether more comes is told by the answer to a question that means nothing: it comes behind it.
          end = await request(packetTypes.nothing, '');
        }
        return Buffer.concat(pieces).toString('utf8');
      }),
    close: () => void socket.destroy(),
  };
}

async function connected(socket: Socket): Promise<void> {
  await new Promise<void>((settle, reject) => {
    socket.once('connect', settle).once('error', reject);
  });
}
