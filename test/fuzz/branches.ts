/**
 * Makes a module count its branches. Each block, each arm of a choice, and each right side of `&&`,
 * `||` and `??` increments a byte of its own.
 */
import ts from 'typescript'
import { COUNTERS, MOST_COUNTERS } from './engine.js'

let next = 0

/** Makes an expression that increments the next counter. */
function count(): ts.Expression {
  const { factory } = ts
  const counter = factory.createElementAccessExpression(factory.createIdentifier(COUNTERS), next++ % MOST_COUNTERS)
  return factory.createPostfixIncrement(counter)
}

function counted(expression: ts.Expression): ts.Expression {
  return ts.factory.createParenthesizedExpression(ts.factory.createComma(count(), expression))
}

const CHOICES = new Set([ts.SyntaxKind.AmpersandAmpersandToken, ts.SyntaxKind.BarBarToken, ts.SyntaxKind.QuestionQuestionToken])

const countBranches: ts.TransformerFactory<ts.SourceFile> = (context) => (file) => {
  const { factory } = context
  const statement = (): ts.Statement => factory.createExpressionStatement(count())
  const block = (one: ts.Statement): ts.Statement => (ts.isBlock(one) ? one : factory.createBlock([statement(), one]))
  const visit = (node: ts.Node): ts.Node => {
    const one = ts.visitEachChild(node, visit, context)
    if (ts.isBlock(one)) return factory.updateBlock(one, [statement(), ...one.statements])
    if (ts.isIfStatement(one))
      return factory.updateIfStatement(one, one.expression, block(one.thenStatement), one.elseStatement && block(one.elseStatement))
    if (ts.isForStatement(one))
      return factory.updateForStatement(one, one.initializer, one.condition, one.incrementor, block(one.statement))
    if (ts.isCaseClause(one)) return factory.updateCaseClause(one, one.expression, [statement(), ...one.statements])
    if (ts.isDefaultClause(one)) return factory.updateDefaultClause(one, [statement(), ...one.statements])
    if (ts.isConditionalExpression(one))
      return factory.updateConditionalExpression(
        one,
        one.condition,
        one.questionToken,
        counted(one.whenTrue),
        one.colonToken,
        counted(one.whenFalse),
      )
    if (ts.isBinaryExpression(one) && CHOICES.has(one.operatorToken.kind))
      return factory.updateBinaryExpression(one, one.left, one.operatorToken, counted(one.right))
    return one
  }
  return ts.visitNode(file, visit) as ts.SourceFile
}

/** Returns the module's JavaScript with counters in it. */
export function withCounters(url: string, source: string): string {
  const file = ts.createSourceFile(url, source, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS)
  const { transformed } = ts.transform(file, [countBranches])
  return ts.createPrinter().printFile(transformed[0] as ts.SourceFile)
}
