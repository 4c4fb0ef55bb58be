import { t, tOf } from '../../words/language.svelte.ts';

/** A secret by its name in the keychain (main/contract/secret-names.ts), as people call it. */
export function secretWords(name: string): string {
  const [kind = '', of = '', secret = ''] = name.split('/');
  return of === '' ? name : tOf(`secret.${secret}`, t('secret.other', { secret, of }), { of, kind });
}
