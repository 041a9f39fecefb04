/**
 * The comments that an editor shows for each public name. Every declaration that a user can reach
 * has one, and so does each overload.
 */
import { strict as assert } from 'node:assert'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const LIB = fileURLToPath(new URL('../../lib', import.meta.url))

describe('the doc comments', () => {
  const entry = join(LIB, 'index.d.ts')
  const program = ts.createProgram([entry], {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    lib: ['lib.es2023.d.ts', 'lib.esnext.disposable.d.ts'],
    types: ['node'],
    skipLibCheck: true,
  })
  const checker = program.getTypeChecker()
  /** The comments by names such as `ThreadSafeQueue.putSync(item, options)`. */
  const comments = new Map<string, string>()

  const ours = (node: ts.Node): boolean => dirname(node.getSourceFile().fileName).startsWith(LIB)
  const hidden = (node: ts.Node): boolean =>
    (ts.getCombinedModifierFlags(node as ts.Declaration) & (ts.ModifierFlags.Private | ts.ModifierFlags.Protected)) !== 0 ||
    (ts.isClassElement(node) && node.name !== undefined && ts.isPrivateIdentifier(node.name)) ||
    // A member whose name is a private symbol exists for the compiler alone.
    /^\[(?!Symbol\.)/.test(ts.getNameOfDeclaration(node as ts.Declaration)?.getText() ?? '')

  /**
   * Notes the text as an editor shows it. A member without a comment inherits that of its class or
   * interface.
   */
  function note(name: string, symbol: ts.Symbol | ts.Signature): void {
    comments.set(name, ts.displayPartsToString(symbol.getDocumentationComment(checker)))
  }

  function noteSignatures(name: string, signatures: readonly ts.Signature[]): void {
    for (const signature of signatures) {
      const declaration = signature.getDeclaration() as ts.SignatureDeclaration | undefined
      if (!declaration || !ours(declaration)) continue
      // An implicit constructor has the comment of its class.
      if (ts.isClassDeclaration(declaration)) continue
      note(`${name}(${declaration.parameters.map((parameter) => parameter.getText()).join(', ')})`, signature)
    }
  }

  function noteMembers(name: string, type: ts.Type): void {
    noteSignatures(`new ${name}`, type.getConstructSignatures())
    for (const member of type.getProperties()) {
      const declaration = member.declarations?.find(ours)
      if (!declaration || hidden(declaration) || member.flags & ts.SymbolFlags.Prototype) continue
      const memberName = `${name}.${ts.getNameOfDeclaration(declaration)?.getText() ?? member.name}`
      const signatures = checker.getTypeOfSymbol(member).getCallSignatures()
      if (ts.isMethodSignature(declaration) || ts.isMethodDeclaration(declaration)) noteSignatures(memberName, signatures)
      else note(memberName, member)
    }
  }

  before(() => {
    const source = program.getSourceFile(entry)
    assert.ok(source)
    const file = checker.getSymbolAtLocation(source)
    assert.ok(file)
    for (const exported of checker.getExportsOfModule(file)) {
      const symbol = exported.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(exported) : exported
      note(symbol.name, symbol)
      if (symbol.flags & ts.SymbolFlags.Function) noteSignatures(symbol.name, checker.getTypeOfSymbol(symbol).getCallSignatures())
      if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))
        noteMembers(symbol.name, checker.getDeclaredTypeOfSymbol(symbol))
      if (symbol.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Variable)) noteMembers(symbol.name, checker.getTypeOfSymbol(symbol))
    }
  })

  it('exist for each declaration and each overload', () => {
    const names = [...comments.keys()]
    for (const name of ['ThreadSafeQueue.qsize()', 'ThreadSafeEvent.set()', 'QueueOptions.type', 'SignalStats.received', 'TimeoutError']) {
      assert.ok(comments.has(name), `${name} is not looked at; ${names.join('\n')}`)
    }
    assert.deepEqual(
      names.filter((name) => comments.get(name) === ''),
      [],
    )
  })

  it('are sentences, in Markdown that is closed', () => {
    const odd = [...comments].filter(
      ([, text]) => !/^[A-Z`'[]/.test(text) || !/[.!:)`]$/.test(text.trim()) || (text.match(/`/g)?.length ?? 0) % 2 !== 0,
    )
    assert.deepEqual(odd, [])
  })
})
