import { SvelteSet } from 'svelte/reactivity';
import type { DestinationSettings, Provider } from '../../../main/contract/destination-settings.ts';
import type { DestinationRow } from '../../../main/contract/destinations.ts';
import { clientOf, isSamePlace } from '../../../main/contract/same-place.ts';
import type { Key } from '../../words/language.svelte.ts';
import {
  checkField,
  fieldsOf,
  needsRegion,
  secretsOf,
  settingsAsFields,
  settingsBeside,
  type FieldName,
  type S3Kind,
} from './place-fields.ts';

/** What may be kept of a draft while a person is elsewhere: no secret, and no sign-in. */
export interface KeptPlace {
  readonly provider: Provider;
  readonly fields: Readonly<Record<string, string>>;
}

/** A backup place that a person is describing, for every provider at once, so that trying another one loses nothing. */
export class PlaceDraft {
  provider = $state<Provider>('s3');
  preset = $state<S3Kind>('aws');
  /** As typed. Secrets among them never leave by `kept`. */
  readonly fields = $state<Record<FieldName, string>>({
    ...{ endpoint: '', bucket: '', region: '', prefix: '', storageClass: '', accessKeyId: '', secretAccessKey: '' },
    ...{ driveFolder: 'Holdfast', clientId: '', clientSecret: '', dropboxFolder: 'Holdfast', appKey: '', appSecret: '' },
    ...{ b2Bucket: '', b2Prefix: '', keyId: '', applicationKey: '', path: '' },
  });
  pathStyle = $state<'preset' | 'yes' | 'no'>('preset');
  /** Id of a finished sign-in with the provider. */
  signIn = $state<string | null>(null);
  /** Fields that a person has left: only these complain. */
  readonly left = new SvelteSet<FieldName>();
  /** The place that is being changed; null while a new one is being described. */
  readonly of: DestinationRow | null;

  constructor(of: DestinationRow | null = null) {
    this.of = of;
    if (of === null) return;
    this.provider = of.settings.provider;
    if (of.settings.provider === 's3') {
      const { preset, pathStyle } = of.settings;
      this.preset = preset ?? (of.settings.endpoint === undefined ? 'aws' : 'other');
      this.pathStyle = pathStyle === undefined ? 'preset' : pathStyle ? 'yes' : 'no';
    }
    Object.assign(this.fields, settingsAsFields(of.settings));
  }

  get needsSignIn(): boolean {
    return this.provider === 'google-drive' || this.provider === 'dropbox';
  }

  /** All that the provider needs is there, so that it can be tried. */
  get valid(): boolean {
    return fieldsOf(this.provider).every((name) => this.problem(name) === null) && (!this.needsSignIn || this.isSignedIn);
  }

  /** The secret and the token that are kept belong to the client of now. */
  get isSameClient(): boolean {
    return this.of !== null && clientOf(this.of.settings) === clientOf(this.settings());
  }

  get isSignedIn(): boolean {
    return this.signIn !== null || this.isSameClient;
  }

  /** What is stored in the place that is being changed would not be seen with these settings. */
  get moves(): boolean {
    return this.of !== null && !isSamePlace(this.of.settings, this.settings());
  }

  /** It may stay empty: then the one that is kept stays. */
  isKept(name: FieldName): boolean {
    if (this.of === null) return false;
    const secrets: readonly FieldName[] = secretsOf(this.provider);
    // One half of a key without the other is good for nothing.
    return secrets.includes(name) && secrets.every((secret) => this.fields[secret].trim() === '');
  }

  /** Changes whenever what would be tried changes. */
  get mark(): string {
    return JSON.stringify([this.settings(), this.secrets(), this.signIn]);
  }

  /** What is wrong with a field, whether or not it was left. */
  problem(name: FieldName): Key | null {
    if (this.isKept(name)) return null;
    return checkField(name, this.fields[name].trim(), this.preset, this.fields.endpoint.trim());
  }

  /** What is wrong with a field that was left. */
  error(name: FieldName): Key | null {
    return this.left.has(name) ? this.problem(name) : null;
  }

  /** Lets every field complain; whether none does. */
  complain(): boolean {
    for (const name of fieldsOf(this.provider)) this.left.add(name);
    return this.valid;
  }

  settings(): DestinationSettings {
    const typed = this.#typed();
    return this.of === null ? typed : { ...settingsBeside(this.of.settings), ...typed };
  }

  #typed(): DestinationSettings {
    const text = (name: FieldName): string => this.fields[name].trim();
    const given = <Name extends string>(name: Name, value: string): Partial<Record<Name, string>> =>
      value === '' ? {} : ({ [name]: value } as Record<Name, string>);
    switch (this.provider) {
      case 'folder':
        return { provider: 'folder', path: text('path') };
      case 's3':
        return {
          provider: 's3',
          bucket: text('bucket'),
          ...(this.preset === 'other' ? {} : { preset: this.preset }),
          ...given('endpoint', withScheme(text('endpoint'))),
          ...given('region', text('region')),
          ...given('prefix', trimmed(text('prefix'))),
          ...given('storageClass', text('storageClass')),
          ...(this.pathStyle === 'preset' ? {} : { pathStyle: this.pathStyle === 'yes' }),
        };
      case 'google-drive':
        return { provider: 'google-drive', folder: trimmed(text('driveFolder')), ...given('clientId', text('clientId')) };
      case 'dropbox':
        return { provider: 'dropbox', folder: trimmed(text('dropboxFolder')), ...given('appKey', text('appKey')) };
      case 'backblaze-b2':
        return { provider: 'backblaze-b2', bucket: text('b2Bucket'), ...given('prefix', trimmed(text('b2Prefix'))) };
    }
  }

  /** By the names that the contract has for the provider's secrets; the empty ones are left out. */
  secrets(): Record<string, string> {
    const all = secretsOf(this.provider).map((name) => [name, this.fields[name].trim()] as const);
    return Object.fromEntries(all.filter(([, value]) => value !== ''));
  }

  /** The secret of the person's own client, for the sign-in. */
  get clientSecret(): string | undefined {
    const secret = this.provider === 'google-drive' ? this.fields.clientSecret : this.fields.appSecret;
    return secret.trim() === '' ? undefined : secret.trim();
  }

  get regionNeeded(): boolean {
    return needsRegion(this.preset, this.fields.endpoint.trim());
  }

  kept(): KeptPlace {
    const secret: readonly string[] = secretFields;
    const fields = Object.entries(this.fields).filter(([name]) => !secret.includes(name));
    return { provider: this.provider, fields: { ...Object.fromEntries(fields), preset: this.preset, pathStyle: this.pathStyle } };
  }

  bringBack({ provider, fields }: KeptPlace): void {
    this.provider = provider;
    for (const name of Object.keys(this.fields) as FieldName[]) this.fields[name] = fields[name] ?? this.fields[name];
    this.preset = (fields['preset'] as S3Kind | undefined) ?? this.preset;
    this.pathStyle = (fields['pathStyle'] as PlaceDraft['pathStyle'] | undefined) ?? this.pathStyle;
  }
}

const secretFields = [
  ...['accessKeyId', 'secretAccessKey', 'clientSecret', 'appSecret', 'keyId', 'applicationKey'],
] as const satisfies readonly string[];

function withScheme(address: string): string {
  return address === '' || address.includes('://') ? address : `https://${address}`;
}

function trimmed(folder: string): string {
  return folder.replace(/^\/+|\/+$/g, '');
}
