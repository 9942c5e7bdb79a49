import {childrenOf, type Expr} from './expression.ts';

/** Below so many parts an expression is cheaper written out than called. */
const WORTH_A_CALL = 8;
/** What stands in fewer places is written out: a call costs the busiest message a tenth of its time. */
const OFTEN = 5;

/** Finds the expressions that stand in a grammar often, so that their code need not. */
export class Repeated {
  private readonly numbers = new Map<string, number>();
  private readonly numberOf = new Map<Expr, number>();
  private readonly weights: number[] = [];
  private readonly counts: number[] = [];

  constructor(expressions: readonly Expr[]) {
    for (const expr of expressions) {
      this.identify(expr);
      this.count(expr);
    }
  }

  /** A number that equal expressions share; null where `expr` is not worth a function of its own. */
  find(expr: Expr): number | null {
    const number = this.numberOf.get(expr) as number;
    return (this.counts[number] as number) >= OFTEN && (this.weights[number] as number) >= WORTH_A_CALL ? number : null;
  }

  private identify(expr: Expr): number {
    const children = childrenOf(expr).map((child) => this.identify(child));
    const text = `${expr.is} ${ownText(expr)} ${children.join(' ')}`;
    const number = this.numbers.get(text) ?? this.numbers.size;
    this.numbers.set(text, number);
    this.numberOf.set(expr, number);
    this.weights[number] ??= children.reduce((sum, child) => sum + (this.weights[child] as number), 1);
    return number;
  }

  /** What stands inside something that is repeated counts once. */
  private count(expr: Expr): void {
    const number = this.numberOf.get(expr) as number;
    const before = this.counts[number] ?? 0;
    this.counts[number] = before + 1;
    if (before === 0) for (const child of childrenOf(expr)) this.count(child);
  }
}

function ownText(expr: Expr): string {
  switch (expr.is) {
    case 'text':
      return expr.text;
    case 'byte':
      return Buffer.from(expr.set).toString('latin1');
    case 'field':
      return expr.name;
    default:
      return '';
  }
}
