/** HTML templates, in which every value is escaped unless it is HTML already. */

export class Html {
  constructor(private readonly text: string) {}

  toString(): string {
    return this.text
  }
}

export type Fragment = Html | string | number | false | undefined | readonly Fragment[]

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

function render(fragment: Fragment): string {
  if (fragment === undefined || fragment === false) return ''
  if (fragment instanceof Html) return fragment.toString()
  if (typeof fragment === 'object') return fragment.map(render).join('')
  return String(fragment).replace(/[&<>"']/g, (character) => ENTITIES[character] as string)
}

export function html(strings: TemplateStringsArray, ...values: Fragment[]): Html {
  return new Html(String.raw({ raw: strings }, ...values.map(render)))
}
