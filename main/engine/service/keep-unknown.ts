import { z } from 'zod';

/**
 * `now`, with what `before` has beside it that the schema does not know, at every depth of objects: a later version, or a person, put it there. What the
 * schema knows and `now` leaves out is gone. Lists are taken as they are now. Of a union, what any of its kinds knows is known.
 */
export function keepUnknown<T extends object>(schema: z.core.$ZodType<T>, before: unknown, now: T): T {
  return kept(schema, before, now) as T;
}

function kept(schema: z.core.$ZodType, before: unknown, now: unknown): unknown {
  if (!isObject(before) || !isObject(now)) return now;
  const shapes = shapesOf(schema);
  if (shapes.length === 0) return now;
  const known = (name: string): readonly z.core.$ZodType[] =>
    shapes.flatMap((shape) => Object.entries(shape).flatMap(([other, inner]) => (other === name ? [inner] : [])));
  const unknown = Object.entries(before).filter(([name]) => !Object.hasOwn(now, name) && known(name).length === 0);
  const deeper = Object.entries(now).map(([name, value]) => {
    const [inner] = known(name);
    return [name, inner === undefined ? value : kept(inner, before[name], value)];
  });
  return Object.fromEntries([...deeper, ...unknown]);
}

/** Of an object, or of each kind of a union; none for anything else. */
function shapesOf(schema: z.core.$ZodType): readonly Readonly<Record<string, z.core.$ZodType>>[] {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) return shapesOf(schema.unwrap());
  if (schema instanceof z.ZodDiscriminatedUnion) return schema.options.flatMap((option) => shapesOf(option));
  return schema instanceof z.ZodObject ? [schema.shape] : [];
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
