import { Agent as HttpAgent, type IncomingMessage } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import { watchStalls, type StallLimits, type StallWatch } from './stalled-upload.ts';

const readSize = 64 * 1024;
/** Below this a new stretch of memory is begun, as reads into little room are slow. */
const leastRoom = 8 * 1024;

const takers = new WeakMap<Duplex, (bytes: Uint8Array) => void>();

/**
 * From now on the body of `message`, which must have come over a socket of `thriftyAgents`, goes past Node's HTTP straight to `take`, in
 * memory that is valid during that call only: HTTP would copy each read of the socket into memory of its own, and to get and to collect
 * that costs more than everything else about a download. Bytes that have already come are given before this returns. HTTP then
 * never sees the end of the body: whoever has got all of it destroys the message, and the connection with it. A line that breaks is
 * the message's error as before. False, and nothing is done, for a socket of another origin.
 */
export function takeOver(message: IncomingMessage, take: (bytes: Uint8Array) => void): boolean {
  const { socket } = message;
  if (!ours.has(socket)) return false;
  for (let early = message.read() as Buffer | null; early !== null; early = message.read() as Buffer | null) take(early);
  takers.set(socket, take);
  socket.resume();
  return true;
}

const ours = new WeakSet<Duplex>();

/** Agents that keep connections, from whose connections a body can be taken over, and whose uploads end when they stand still. */
export function thriftyAgents(limits?: StallLimits): { readonly httpAgent: HttpAgent; readonly httpsAgent: HttpsAgent } {
  const options = { keepAlive: true, maxSockets: 50 };
  return { httpAgent: thrifty(new HttpAgent(options), limits), httpsAgent: thrifty(new HttpsAgent(options), limits) };
}

function thrifty<Kind extends HttpAgent>(agent: Kind, limits: StallLimits | undefined): Kind {
  const create = agent.createConnection.bind(agent);
  agent.createConnection = (options, callback) => {
    let watch: StallWatch | undefined;
    let memory = Buffer.allocUnsafeSlow(readSize);
    const onread = {
      buffer: () => memory,
      callback: (length: number, bytes: Uint8Array) => {
        watch?.heard();
        const come = bytes.subarray(0, length);
        const take = socket === undefined || socket === null ? undefined : takers.get(socket);
        if (take !== undefined) take(come);
        else {
          // A socket that reads in this way emits no data of its own; HTTP listens for it, and may keep what it gets.
          socket?.emit('data', come);
          memory = memory.byteLength - length < leastRoom ? Buffer.allocUnsafeSlow(readSize) : memory.subarray(length);
        }
        return true;
      },
    };
    const socket: Duplex | null | undefined = create({ ...options, onread } as typeof options, callback);
    if (socket !== undefined && socket !== null) {
      ours.add(socket);
      watch = watchStalls(socket, limits);
    }
    return socket;
  };
  return agent;
}
