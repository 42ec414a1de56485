try {
  const { run } = await import('./step-promote.js')
  await run()
} catch (error) {
  const message = String(error?.message ?? error).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  console.log(`::error title=promote could not be started::${message}`)
  process.exitCode = 1
}
process.stdout.write('', () => process.exit())
