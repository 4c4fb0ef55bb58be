import type { SignedIn, SignIn } from '../adapters/oauth/sign-in.ts';
import { Fault } from '../contract/faults.ts';
import type { CliHost } from './host.ts';
import { note } from './output.ts';

/** A line longer than that is no address; without an end it must not fill the memory. */
const longestLine = 64 * 1024;

/**
 * The address that a browser elsewhere ended on, from the terminal, or else from standard input: what is wrong with one is said, and the next is taken.
 * Without any input only the browser of this computer is waited for. Faults: cancelled, config-invalid (the input ended with a wrong address).
 */
export async function takePaste(host: CliHost, begun: SignIn, signal: AbortSignal): Promise<SignedIn> {
  if (host.askSecret === null) await readPaste(host, begun);
  else await askPaste(host, begun, host.askSecret, signal);
  return await begun.finished();
}

async function askPaste(host: CliHost, begun: SignIn, ask: NonNullable<CliHost['askSecret']>, signal: AbortSignal): Promise<void> {
  let refusal: Fault | null;
  do refusal = await refusalOf(host, begun, await ask('Paste the address here: ', signal));
  while (refusal !== null);
}

async function readPaste(host: CliHost, begun: SignIn): Promise<void> {
  await note(host, 'There is no terminal to paste it on: it is read as a line from standard input.');
  let refusal: Fault | null = null;
  for await (const line of linesOf(host.stdin)) {
    if (line.trim() === '') continue;
    refusal = await refusalOf(host, begun, line);
    if (refusal === null) return;
  }
  if (refusal !== null) throw refusal;
  await note(host, 'Standard input has no line: no address can be pasted, and only a browser on this computer can end this sign-in now.');
}

/** What was wrong with it, said as well; null: it was the one. */
async function refusalOf(host: CliHost, begun: SignIn, address: string): Promise<Fault | null> {
  try {
    begun.answer(address);
    return null;
  } catch (error) {
    if (!(error instanceof Fault) || error.code !== 'config-invalid') throw error;
    // What was pasted may hold the code of a sign-in, so it is not repeated.
    await note(host, `That was not it: ${error.message}. Nothing is lost: paste the whole address from the browser’s address bar.`);
    return error;
  }
}

async function* linesOf(input: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, undefined> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const piece of input) {
    const lines = (rest + decoder.decode(piece, { stream: true })).split('\n');
    rest = (lines.pop() ?? '').slice(0, longestLine);
    yield* lines;
  }
  yield rest + decoder.decode();
}
