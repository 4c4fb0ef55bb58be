import type { FaultCode, WireFault } from './faults.ts';

export interface FaultText {
  /** What it means, one sentence for people. */
  readonly says: string;
  /** What to do now, one sentence. */
  readonly next: string;
}

/** One text for every code, for the command line and the page alike. A fault's own message names the object; this says what it means. */
export const faultTexts: Readonly<Record<FaultCode, FaultText>> = {
  'not-found': {
    says: 'What was asked for is not there.',
    next: 'Check the name and the backup place; “holdfast snapshots” lists what there is.',
  },
  'already-exists': {
    says: 'Something with this name is there already and has been left as it was.',
    next: 'Choose another name, or look whether another computer uses the same backup place.',
  },
  'range-invalid': {
    says: 'A stored file is shorter than it should be.',
    next: 'Run “holdfast verify” to see which snapshots are whole.',
  },
  unauthenticated: {
    says: 'The backup place did not accept the account.',
    next: 'Connect the account again, or check its keys.',
  },
  'sign-in-needed': {
    says: 'The sign-in with the provider has ended.',
    next: 'Sign in again with “holdfast destination sign-in NAME”; what is stored stays as it is.',
  },
  'permission-denied': {
    says: 'The account may not do this.',
    next: 'Give the account the right to read, write and delete there, or choose another place.',
  },
  'quota-exceeded': {
    says: 'The storage of the account is full.',
    next: 'Free space in the account, keep fewer snapshots, or get more storage.',
  },
  'rate-limited': {
    says: 'The backup place asked for fewer requests, again and again.',
    next: 'Try again later; other programs may be using the same account.',
  },
  unavailable: {
    says: 'The backup place could not be reached or had a fault of its own.',
    next: 'Check the network, the drive or the cable, then try again; nothing that was finished is lost.',
  },
  timeout: {
    says: 'The backup place stopped answering.',
    next: 'Check the network, then try again; nothing that was finished is lost.',
  },
  'wrong-password': {
    says: 'The password does not open this backup place.',
    next: 'Try the password again, or use the recovery key.',
  },
  'wrong-key': {
    says: 'This key belongs to another backup place.',
    next: 'Use the recovery key that was made for this one.',
  },
  corrupt: {
    says: 'Stored data is damaged.',
    next: 'Run “holdfast verify”: it names what is damaged, and says how to bring back what is whole.',
  },
  truncated: {
    says: 'A stored file ends too early.',
    next: 'Run “holdfast verify”: it names what is damaged, and says how to bring back what is whole.',
  },
  'source-changed': {
    says: 'Something changed while it was being read.',
    next: 'Try again when nothing else writes there.',
  },
  'disk-full': {
    says: 'The disk is full.',
    next: 'Free space on the disk, or keep fewer snapshots.',
  },
  locked: {
    says: 'Something else is using it: another run, a process in the folder, or the computer that owns this server.',
    next: 'Wait for that run or stop that process; a server that another computer owns needs “--take-over”.',
  },
  'config-invalid': {
    says: 'A setting is wrong.',
    next: 'Correct what the message names.',
  },
  unsupported: {
    says: 'This cannot be done here.',
    next: 'See what the message names; a newer version of Holdfast may be able to do it.',
  },
  cancelled: {
    says: 'It was cancelled; nothing half-done was left, and what was finished stays.',
    next: 'Start it again when you like.',
  },
  unexpected: {
    says: 'Something happened that Holdfast did not foresee.',
    next: 'Try again; if it comes back, report it with the message.',
  },
};

/** What to do about a fault: some know a better step than their code does. */
export function nextStep({ code, context }: Pick<WireFault, 'code' | 'context'>): string {
  const own = context['next'];
  return typeof own === 'string' && own !== '' ? own : faultTexts[code].next;
}
