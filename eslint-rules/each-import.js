/**
 * Every way in which one module can name another, so that no rule about
 * imports can be walked around by another spelling.
 */

/**
 * @param visit  called with { specifier, typesOnly, node } for each import
 * @returns      the listeners to return from a rule's `create`
 */
export function eachImport (visit) {
  const see = (source, typesOnly) => {
    if (source?.type !== 'Literal' || typeof source.value !== 'string') return
    visit({ specifier: source.value, typesOnly, node: source })
  }
  return {
    ImportDeclaration: node => { see(node.source, onlyTypes(node, node.importKind)) },
    ExportNamedDeclaration: node => { see(node.source, onlyTypes(node, node.exportKind)) },
    ExportAllDeclaration: node => { see(node.source, node.exportKind === 'type') },
    ImportExpression: node => { see(node.source, false) },
    TSImportType: node => { see(node.source ?? node.argument?.literal, true) },
    TSExternalModuleReference: node => { see(node.expression, false) }
  }
}

/** Whether the compiler removes the whole statement: `import type`, or `type` before each name. */
function onlyTypes (node, kind) {
  if (kind === 'type') return true
  return node.specifiers.length > 0 &&
    node.specifiers.every(name => (name.importKind ?? name.exportKind) === 'type')
}
