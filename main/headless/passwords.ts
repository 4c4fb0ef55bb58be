import { isUtf8 } from 'node:buffer';
import { open } from 'node:fs/promises';
import { Fault } from '../contract/faults.ts';
import type { Credentials } from '../engine/engine.ts';
import { isForbidden, isMissing } from '../compose/errno.ts';
import { fromHere } from '../compose/from-here.ts';
import type { CliHost } from './host.ts';
import { warn } from './output.ts';

/** The ways to give what opens a destination, as options of a command. */
export interface PasswordOptions {
  readonly passwordFile?: string;
  readonly recoveryKeyFile?: string;
}

const operation = 'read the password';
/** More than any password or list of keys: a wrong path (a disk, a log) must not be read to its end. */
const maxSecretBytes = 64 * 1024;
const fewCharacters = 12;

/**
 * What opens the destination: `--recovery-key-file`, else `--password-file`, else HOLDFAST_PASSWORD, else what is `kept`, else a prompt.
 * `newVault` says whether this run is about to make the vault; then a prompt asks twice and a short password gets a warning.
 */
export async function readCredentials(
  options: PasswordOptions,
  host: CliHost,
  newVault: () => Promise<boolean> = () => Promise.resolve(false),
  kept: () => Promise<string | null> = () => Promise.resolve(null),
): Promise<Credentials> {
  if (options.recoveryKeyFile !== undefined) {
    if (options.passwordFile !== undefined) throw usage('Give either --password-file or --recovery-key-file, not both');
    const text = await readSecretFile(options.recoveryKeyFile, 'recovery key file', host);
    return { kind: 'recovery-key', text };
  }
  const given = await passwordWithoutPrompt(host, options.passwordFile, 'HOLDFAST_PASSWORD');
  if (given !== null) {
    if (isShort(given) && (await newVault())) await warnShort(host);
    return { kind: 'password', password: given };
  }
  const known = await kept();
  if (known !== null) return { kind: 'password', password: known };
  const ask = prompt(host, '--password-file FILE, in HOLDFAST_PASSWORD');
  if (!(await newVault())) return { kind: 'password', password: notEmpty(await ask('Password: '), 'The password') };
  return { kind: 'password', password: await askTwice(ask, host, 'Password for the new backup place: ') };
}

/** The password that shall hold from now on: `--new-password-file`, else HOLDFAST_NEW_PASSWORD, else a prompt, asked twice. */
export async function readNewPassword(file: string | undefined, host: CliHost): Promise<string> {
  const given = await passwordWithoutPrompt(host, file, 'HOLDFAST_NEW_PASSWORD');
  if (given === null) {
    return askTwice(prompt(host, '--new-password-file FILE, in HOLDFAST_NEW_PASSWORD'), host, 'New password: ');
  }
  if (isShort(given)) await warnShort(host);
  return given;
}

/** What opens the file that keeps destinations' keys; `isNew`: it is about to be made, so that a prompt asks twice. */
export async function readPassphrase(host: CliHost, isNew: boolean): Promise<string> {
  const given = await passwordWithoutPrompt(host, host.env['HOLDFAST_KEYCHAIN_PASSPHRASE_FILE'], 'HOLDFAST_KEYCHAIN_PASSPHRASE');
  if (given !== null) return given;
  const ask = prompt(host, 'HOLDFAST_KEYCHAIN_PASSPHRASE_FILE or HOLDFAST_KEYCHAIN_PASSPHRASE');
  if (!isNew) return notEmpty(await ask('Passphrase of the key file: '), 'The passphrase');
  return askTwice(ask, host, 'New passphrase for the file that keeps the keys of destinations: ');
}

async function passwordWithoutPrompt(host: CliHost, file: string | undefined, variable: string): Promise<string | null> {
  if (file !== undefined) {
    const text = await readSecretFile(file, 'password file', host);
    return notEmpty(text.replace(/\r?\n$/, ''), `The password in ${file}`);
  }
  const value = host.env[variable];
  return value === undefined ? null : notEmpty(value, `The password in ${variable}`);
}

type Ask = (question: string) => Promise<string>;

function prompt(host: CliHost, ways: string): Ask {
  if (host.askSecret === null) {
    throw usage(`No password was given and there is no terminal to ask on; give it with ${ways}, or run this on a terminal`);
  }
  return host.askSecret;
}

async function askTwice(ask: Ask, host: CliHost, question: string): Promise<string> {
  const first = notEmpty(await ask(question), 'The password');
  if ((await ask('The same again: ')) !== first) throw usage('The two passwords are not the same; nothing was changed');
  if (isShort(first)) await warnShort(host);
  return first;
}

/** A secret that a file holds, without the line end at its end. */
export async function readSecretText(file: string, what: string, host: CliHost): Promise<string> {
  const text = (await readSecretFile(file, what, host)).replace(/\r?\n$/, '');
  if (text !== '') return text;
  throw usage(`The ${what} ${file} is empty`);
}

/** The file's text as it stands. Missing, too large or not UTF-8: fault config-invalid. */
async function readSecretFile(file: string, what: string, host: CliHost): Promise<string> {
  const path = fromHere(host.cwd, file);
  const bytes = new Uint8Array(maxSecretBytes + 1);
  let length = 0;
  try {
    await using handle = await open(path, 'r');
    const info = await handle.stat();
    if (info.isFile() && process.platform !== 'win32' && (info.mode & 0o044) !== 0) {
      await warn(host, `The ${what} ${file} can be read by other users of this computer; run: chmod 600 ${file}`);
    }
    // A pipe, as `--password-file <(…)` gives, arrives in pieces.
    for (;;) {
      const { bytesRead } = await handle.read(bytes, length, bytes.length - length);
      length += bytesRead;
      if (bytesRead === 0 || length === bytes.length) break;
    }
  } catch (error) {
    throw unreadable(error, file, what);
  }
  if (length > maxSecretBytes)
    throw usage(`The ${what} ${file} is larger than ${maxSecretBytes} bytes; it should hold nothing but that secret`);
  const read = bytes.subarray(0, length);
  if (!isUtf8(read)) throw usage(`The ${what} ${file} is not valid UTF-8`);
  return Buffer.from(read).toString('utf8');
}

function unreadable(error: unknown, file: string, what: string): Fault {
  const options = { operation, context: { file }, cause: error };
  if (isMissing(error)) return new Fault('config-invalid', `The ${what} ${file} does not exist`, options);
  if (isForbidden(error)) return new Fault('permission-denied', `The ${what} ${file} may not be read`, options);
  return new Fault('config-invalid', `The ${what} ${file} cannot be read`, options);
}

function notEmpty(password: string, what: string): string {
  if (password === '') throw usage(`${what} is empty`);
  return password;
}

function isShort(password: string): boolean {
  return Array.from(password).length < fewCharacters;
}

function warnShort(host: CliHost): Promise<void> {
  return warn(
    host,
    `The password is shorter than ${fewCharacters} characters; whoever gets hold of the files can try many. A few random words are better`,
  );
}

function usage(message: string): Fault {
  return new Fault('config-invalid', message, { operation });
}

/** What opens, or shall open, a destination that the service works with. */
export async function readNewDestinationPassword(host: CliHost, name: string, file: string | undefined): Promise<string> {
  const given = await passwordWithoutPrompt(host, file, 'HOLDFAST_PASSWORD');
  if (given !== null) return given;
  const ask = prompt(host, '--password-file FILE, in HOLDFAST_PASSWORD');
  return await askTwice(ask, host, `Password of the backup place ${name} (a new one if nothing is stored there yet): `);
}

export async function readRconPassword(host: CliHost, file: string | undefined): Promise<string> {
  const given = await passwordWithoutPrompt(host, file, 'HOLDFAST_RCON_PASSWORD');
  if (given !== null) return given;
  return notEmpty(await prompt(host, '--rcon-password-file FILE, in HOLDFAST_RCON_PASSWORD')('RCON password: '), 'The password');
}

/** A passphrase for something that is written now; `isNew` asks twice. */
export async function readExportPassphrase(host: CliHost, file: string | undefined, isNew: boolean): Promise<string> {
  const given = await passwordWithoutPrompt(host, file, 'HOLDFAST_EXPORT_PASSPHRASE');
  if (given !== null) return given;
  const ask = prompt(host, '--passphrase-file FILE, in HOLDFAST_EXPORT_PASSPHRASE');
  if (!isNew) return notEmpty(await ask('Passphrase of the file: '), 'The passphrase');
  return await askTwice(ask, host, 'Passphrase for the file: ');
}
