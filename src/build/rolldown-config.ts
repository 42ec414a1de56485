/** The bundler in the CLI 2.8.3 (its Cargo.toml), as npm has it. */
export const rolldownVersion = '1.0.0-rc.3'

export type BundlingRequest = {
  /** Absolute, as are the others. */
  readonly project: string
  /** The bundle. */
  readonly file: string
  /** Where the bundler writes what the bundle imports and exports. */
  readonly report: string
  readonly debug: boolean
}

/** What the bundler reports of a bundle. */
export type BundleReport = { readonly imports: readonly string[]; readonly exports: readonly string[] }

/**
 * The text of a configuration of rolldown that bundles as `spacetime build` does it: crates/cli/src/tasks/javascript.rs.
 * The source map stays in the bundle, because servers translate the stacks of errors by it. Its paths are from the
 * project, so that two checkouts give the same bytes. `process.env.NODE_ENV` is a string here; the CLI puts in a name that
 * nothing defines.
 */
export function rolldownConfig({ project, file, report, debug }: BundlingRequest): string {
  const environment = JSON.stringify(debug ? 'development' : 'production')
  return `import { writeFileSync } from 'node:fs'

export default {
  input: ['./src/index.ts'],
  cwd: ${JSON.stringify(project)},
  external: /^spacetime:sys.*/,
  platform: 'browser',
  tsconfig: ${JSON.stringify(`${project}/tsconfig.json`)},
  resolve: {
    conditionNames: ['production', 'import', 'default'],
    mainFields: ['exports', 'module', 'main'],
    extensions: ['.ts', '.tsx', '.mjs', '.js', '.cjs', '.json'],
    symlinks: true
  },
  treeshake: {
    moduleSideEffects: true,
    unknownGlobalSideEffects: true,
    commonjs: true,
    propertyReadSideEffects: 'always',
    propertyWriteSideEffects: 'always',
    invalidImportSideEffects: true
  },
  transform: {
    target: 'esnext',
    define: { 'process.env.NODE_ENV': ${JSON.stringify(environment)} },
    typescript: {
      onlyRemoveTypeImports: true,
      allowNamespaces: false,
      allowDeclareFields: true,
      removeClassFieldsWithoutInitializer: false,
      rewriteImportExtensions: 'rewrite'
    }
  },
  output: {
    file: ${JSON.stringify(file)},
    format: 'esm',
    exports: 'named',
    sourcemap: 'inline',
    sourcemapDebugIds: true,
    sourcemapPathTransform: (path) => path.replace(/^\\.\\.\\//, ''),
    generatedCode: { preset: 'es2015' },
    esModule: 'if-default-prop',
    externalLiveBindings: true,
    legalComments: 'none',
    minify: false,
    minifyInternalExports: true,
    polyfillRequire: false,
    topLevelVar: false
  },
  plugins: [
    {
      name: 'report',
      generateBundle(options, bundle) {
        const entry = Object.values(bundle).find((each) => each.type === 'chunk' && each.isEntry)
        writeFileSync(${JSON.stringify(report)}, JSON.stringify({ imports: entry.imports, exports: entry.exports }))
      }
    }
  ]
}
`
}
