import { isUtf8 } from 'node:buffer';
import type { ReadStream } from 'node:tty';
import { Fault } from '../contract/faults.ts';
import type { Sink } from './host.ts';

const enter = new Set([0x0a, 0x0d]);
const backspace = new Set([0x08, 0x7f]);
const ctrlC = 0x03;
const ctrlD = 0x04;
const ctrlU = 0x15;

/**
 * Reads one line from the terminal without showing it. Nothing is trimmed. Backspace and Ctrl-U edit; Ctrl-C, Ctrl-D on an empty line
 * and an abort are fault cancelled. What was typed ahead stays for the next question.
 */
export async function askSecret(question: string, input: ReadStream, output: Sink, signal: AbortSignal): Promise<string> {
  if (signal.aborted) throw cancelled();
  await output.write(question);
  input.setRawMode(true);
  try {
    const line = await readLine(input, signal);
    if (!isUtf8(line)) throw new Fault('config-invalid', 'The password typed is not valid UTF-8', { operation: 'ask for the password' });
    return Buffer.from(line).toString('utf8');
  } finally {
    input.setRawMode(false);
    input.pause();
    // The Enter was not echoed either.
    await output.write('\n');
  }
}

function readLine(input: ReadStream, signal: AbortSignal): Promise<Uint8Array> {
  const line: number[] = [];
  return new Promise((settle, fail) => {
    const finish = (act: () => void): void => {
      input.off('data', onData);
      input.off('end', onEnd);
      input.off('error', onError);
      signal.removeEventListener('abort', onEnd);
      act();
    };
    const onEnd = (): void => finish(() => fail(cancelled()));
    const onError = (error: Error): void => finish(() => fail(error));
    const onData = (chunk: Buffer): void => {
      for (const [index, byte] of chunk.entries()) {
        if (byte === ctrlC || (byte === ctrlD && line.length === 0)) return onEnd();
        if (enter.has(byte) || byte === ctrlD) {
          return finish(() => {
            const rest = chunk.subarray(index + 1);
            input.pause();
            if (rest.length > 0) input.unshift(rest);
            settle(Uint8Array.from(line));
          });
        }
        if (backspace.has(byte)) dropCharacter(line);
        else if (byte === ctrlU) line.length = 0;
        else line.push(byte);
      }
    };
    input.on('data', onData);
    input.on('end', onEnd);
    input.on('error', onError);
    signal.addEventListener('abort', onEnd, { once: true });
    input.resume();
  });
}

/** Takes one UTF-8 character off the end: continuation bytes (10xxxxxx) go with their first byte. */
function dropCharacter(line: number[]): void {
  let last = line.pop();
  while (last !== undefined && (last & 0xc0) === 0x80) last = line.pop();
}

function cancelled(): Fault {
  return new Fault('cancelled', 'No password was typed', { operation: 'ask for the password' });
}
