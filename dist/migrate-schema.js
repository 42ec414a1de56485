try {
  const { run } = await import('./index.js')
  await run('migrate-schema')
} catch (error) {
  const message = String(error?.message ?? error).replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
  console.log(`::error title=migrate-schema could not be started::${message}`)
  process.exitCode = 1
}
process.stdout.write('', () => process.exit())
