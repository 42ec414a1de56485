/** Something that is to go wrong, each time that it fits or as often as `times` says. */
export type CountedRule = { readonly times?: number }

/** Rules that a test adds to and a stand-in takes from, each no more often than it may. */
export class FaultRules<Rule extends CountedRule> {
  readonly list: Rule[] = []
  readonly #used = new Map<Rule, number>()

  /** The first rule that fits and is not used up, which is used once more by that. */
  take(fits: (rule: Rule) => boolean): Rule | undefined {
    const used = (rule: Rule) => this.#used.get(rule) ?? 0
    const rule = this.list.find((each) => fits(each) && used(each) < (each.times ?? Number.POSITIVE_INFINITY))
    if (rule) this.#used.set(rule, used(rule) + 1)
    return rule
  }
}
