import type { Backend } from '../storage/backend.ts';
import { headersOfPlace, type KnownHeaders } from './headers.ts';
import { vaultOfPlace, type KnownVault } from './known-vault.ts';

/** What earlier calls have learned of a backup place, for those that only look. */
export interface KnownPlace {
  readonly headers: KnownHeaders;
  readonly vault: KnownVault;
}

/** Of each place as long as its backend is used. */
export function knownPlaces(): (backend: Backend) => KnownPlace {
  const places = new WeakMap<Backend, KnownPlace>();
  return (backend) => {
    const known = places.get(backend) ?? { headers: headersOfPlace(), vault: vaultOfPlace() };
    places.set(backend, known);
    return known;
  };
}
