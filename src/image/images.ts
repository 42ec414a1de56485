import { ConfigurationError } from '../errors.ts'
import { formatReference, parseReference } from './oci/reference.ts'

/** An image without a tag: where it is pushed to. */
export type ImageName = {
  readonly host: string
  readonly repository: string
  /** `ghcr.io/owner/name`. */
  readonly name: string
}

/**
 * The images that an input names, one in each line or with commas between, each once. Capital letters become small, since
 * names on GitHub may have them and images may not. Throws a `ConfigurationError` for what names none.
 */
export function imageNames(text: string, input: string): ImageName[] {
  const names = text.split(/[\n,]/).map((name) => name.trim())
  const images = names.filter((name) => name !== '').map((name) => imageName(name, input))
  if (images.length === 0) throw new ConfigurationError(`The input \`${input}\` names no image.`)
  return images.filter(({ name }, index) => images.findIndex((other) => other.name === name) === index)
}

function imageName(text: string, input: string): ImageName {
  const { tag, digest, ...place } = parseReference(text.toLowerCase(), `The input \`${input}\``)
  if (tag !== undefined || digest !== undefined) {
    throw new ConfigurationError(
      `The input \`${input}\`: ${text} has a ${tag === undefined ? 'digest' : 'tag'}. Name the image alone; its tags are the input \`tags\`.`
    )
  }
  return { ...place, name: formatReference(place) }
}
