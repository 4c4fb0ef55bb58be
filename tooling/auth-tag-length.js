/**
 * Every cipher call names `authTagLength: 16`. Without it Node accepts tags of 4 bytes on decryption, which an attacker forges by
 * trying 2^32 of them.
 * @type {import('eslint').Rule.RuleModule}
 */
export const authTagLengthRule = {
  meta: { type: 'problem', schema: [], docs: { description: 'createCipheriv and createDecipheriv name authTagLength: 16' } },
  create(context) {
    return {
      CallExpression(node) {
        const { callee } = node;
        const property = callee.type === 'MemberExpression' ? callee.property : callee;
        const name = property.type === 'Identifier' ? property.name : property.type === 'Literal' ? property.value : null;
        if (name !== 'createCipheriv' && name !== 'createDecipheriv') return;
        const options = node.arguments[3];
        const length =
          options?.type === 'ObjectExpression'
            ? options.properties.find((member) => member.type === 'Property' && !member.computed && keyOf(member.key) === 'authTagLength')
            : undefined;
        if (length?.type === 'Property' && isSixteen(length.value, context.sourceCode.getScope(node))) return;
        context.report({ node, message: `${name} must be given { authTagLength: 16 }.` });
      },
    };
  },
};

/** @param {any} key */
function keyOf(key) {
  return key.type === 'Identifier' ? key.name : key.value;
}

/** The number itself, or a constant of the same file that holds it. @param {any} value @param {import('eslint').Scope.Scope | null} scope */
function isSixteen(value, scope) {
  if (value.type === 'Literal') return value.value === 16;
  if (value.type !== 'Identifier') return false;
  for (let at = scope; at !== null; at = at.upper) {
    const definition = at.set.get(value.name)?.defs[0];
    if (definition === undefined) continue;
    const { node, parent } = definition;
    return definition.type === 'Variable' && parent.kind === 'const' && node.init?.type === 'Literal' && node.init.value === 16;
  }
  return false;
}
