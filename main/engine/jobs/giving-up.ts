/** Where it says which objects are deleted, and what becomes of the rest. */
export const givingUp = 'docs/recovery.md, “Giving up a snapshot”';
