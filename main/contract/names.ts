import { z } from 'zod';

/** What a person calls a destination or a notice. */
export const nameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,62}$/, 'a name has small letters, digits and dashes, at most 63');
