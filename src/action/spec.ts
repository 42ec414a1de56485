import type * as z from 'zod'

/**
 * An action as its users see it: the one source of its action.yml, of the tables in its README and of the types
 * that its code works with. Names are in kebab-case as in a workflow; code sees them in camelCase.
 * Throws when the spec itself is at fault, which a test of every spec finds.
 */
export function defineAction<const I extends InputSpecs, const O extends OutputSpecs>(
  spec: Description<I, O> & { readonly rules?: readonly RuleFor<I>[] }
): ActionSpec<I, O> {
  for (const name of [spec.name, ...Object.keys(spec.inputs), ...Object.keys(spec.outputs)]) {
    if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(name)) throw new Error(`${spec.name}: \`${name}\` is not in kebab-case`)
  }
  for (const [name, input] of Object.entries<InputSpec>(spec.inputs)) {
    if (allowedValues(input) === undefined) {
      throw new Error(`${spec.name}: the schema of \`${name}\` does not describe what is allowed`)
    }
    if (input.default !== undefined && !input.schema.safeParse(input.default).success) {
      throw new Error(`${spec.name}: the default of \`${name}\` is not allowed by its own schema`)
    }
  }
  return spec
}

export type ActionSpec<I extends InputSpecs = InputSpecs, O extends OutputSpecs = OutputSpecs> = Description<I, O> & {
  /** What several inputs must be together. */
  readonly rules?: readonly Rule[]
}

type Description<I extends InputSpecs, O extends OutputSpecs> = {
  /** The name of the action's folder. */
  readonly name: string
  readonly title: string
  /** One sentence. */
  readonly description: string
  readonly branding: { readonly icon: string; readonly color: string }
  readonly permissions: readonly Permission[]
  readonly inputs: I
  readonly outputs: O
  /** What outputs are from the start, by their names: for a step that ends before it knows better. */
  readonly firstOutputs?: Readonly<Record<string, string>>
  /** Whether the action has a post step, which runs at the end of the job whatever happened. */
  readonly post?: boolean
}

/** A permission of the job's `GITHUB_TOKEN`; `when` says for what it is needed. */
export type Permission = { readonly name: string; readonly access: 'read' | 'write'; readonly when: string }

export type InputSpecs = Readonly<Record<string, InputSpec>>

export type InputSpec = {
  /** Markdown, one paragraph. */
  readonly description: string
  /** Parses the trimmed text; its own description says what is allowed (see input-types.ts). */
  readonly schema: z.ZodType
  /** Without a default, and the action can't do without it. */
  readonly required?: boolean
  /** As it would be written in a workflow. */
  readonly default?: string
  /**
   * What the runner puts in where nothing is given: `github.token`, without its braces. It is evaluated anew for the
   * post step. Outside of a runner there is nothing then.
   */
  readonly expression?: string
  /** Never shown, and masked in the log. */
  readonly secret?: boolean
}

export type OutputSpecs = Readonly<Record<string, OutputSpec>>

export type OutputSpec = {
  /** Markdown, one paragraph. */
  readonly description: string
  /** All there are, where the value is one of a few. */
  readonly values?: readonly string[]
}

export type Rule = {
  readonly about: readonly string[]
  /** Asked when the inputs that the rule is about are each valid, with all that are. */
  holds(inputs: never): boolean
  /** What is allowed and what to do. */
  readonly message: string
}

type RuleFor<I extends InputSpecs> = {
  readonly about: readonly (keyof I & string)[]
  holds(inputs: InputsOf<I>): boolean
  readonly message: string
}

/** The parsed inputs of an action. */
export type Inputs<S extends ActionSpec> = InputsOf<S['inputs']>

/** The outputs of an action; those that are absent or `undefined` are not set. */
export type Outputs<S extends ActionSpec> = {
  readonly [N in keyof S['outputs'] & string as CamelCase<N>]?:
    | (S['outputs'][N] extends { readonly values: readonly (infer V extends string)[] } ? V : string)
    | undefined
}

export type InputsOf<I extends InputSpecs> = {
  readonly [N in keyof I & string as CamelCase<N>]: I[N] extends
    | { readonly required: true }
    | { readonly default: string }
    ? z.output<I[N]['schema']>
    : z.output<I[N]['schema']> | undefined
}

export type CamelCase<Name extends string> = Name extends `${infer Head}-${infer Tail}`
  ? `${Head}${Capitalize<CamelCase<Tail>>}`
  : Name

/** `health-check` as `healthCheck`. */
export function camelCase(name: string): string {
  return name.replace(/-([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())
}

/** What an input may be, for a message or a table: Markdown. `undefined` when its schema does not say. */
export function allowedValues(input: InputSpec): string | undefined {
  return input.schema.description
}

/** The default as it stands in an action.yml; `undefined` without one. */
export function defaultText({ default: value, expression }: InputSpec): string | undefined {
  return value ?? (expression === undefined ? undefined : `\${{ ${expression} }}`)
}
