import { Document } from 'yaml'
import { type ActionSpec, allowedValues, defaultText, type InputSpec } from '../src/action/spec.ts'

/** The action.yml of an action; `dist` is the path from its folder to the bundle. */
export function actionYaml(spec: ActionSpec, dist: string): string {
  const inputs = Object.entries<InputSpec>(spec.inputs).map(([name, input]) => [name, yamlOfInput(input)])
  const outputs = Object.entries(spec.outputs).map(([name, { description, values }]) => [
    name,
    { description: values ? `${description} One of: ${values.join(', ')}.` : description }
  ])
  const document = new Document({
    name: spec.title,
    description: spec.description,
    branding: spec.branding,
    inputs: Object.fromEntries(inputs),
    outputs: Object.fromEntries(outputs),
    runs: {
      using: 'node24',
      main: `${dist}/${spec.name}.js`,
      ...(spec.post && { post: `${dist}/${spec.name}-post.js`, 'post-if': 'always()' })
    }
  })
  document.commentBefore = ' Made from spec.ts by `npm run generate`: change that instead.'
  return document.toString({ lineWidth: 120 })
}

function yamlOfInput(input: InputSpec) {
  return {
    description: `${input.description} Allowed: ${allowedValues(input)}.`,
    required: input.required ?? false,
    ...(defaultText(input) !== undefined && { default: defaultText(input) })
  }
}
